//! Which server is asked for a bucket.

use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::Value;

use crate::store::redis::address::Address;
use crate::store::redis::error::unavailable;
use crate::store::redis::map::{Map, Range};
use crate::store::redis::node::{Failed, Node};
use crate::store::redis::options::RedisOptions;
use crate::store::redis::script::Call;
use crate::store::{BUCKETS, StoreError};

/// One server, or the masters of a Cluster.
pub(super) enum Servers {
    One(Box<Node>),
    Cluster(Arc<Cluster>),
}

impl Servers {
    /// Connects to the first of these that answers, and to all masters if it belongs to a Cluster.
    pub(super) async fn connect(seeds: Vec<Address>, options: RedisOptions) -> Result<Self, StoreError> {
        let mut last = unavailable("Redis: at least one URL is required".to_owned());
        for seed in &seeds {
            let node = Node::new(seed.clone(), None, options.replicas);
            match node.check().await {
                Ok(health) if health.in_cluster => return Cluster::connect(seeds, options).await.map(Servers::Cluster),
                Ok(_) if seeds.len() > 1 => {
                    return Err(
                        seed.unavailable("it is not a server of a Cluster (cluster-enabled): name only one server")
                    );
                }
                Ok(health) => {
                    if !health.appends {
                        warn_of_snapshots(seed);
                    }
                    return Ok(Servers::One(Box::new(node)));
                }
                Err(why) => last = why,
            }
        }
        Err(last)
    }

    /// Calls a script on the server of its bucket.
    pub(super) async fn call(&self, call: &Call) -> Result<Value, StoreError> {
        let called = async {
            match self {
                Servers::One(node) => node.call(call, false).await.map_err(|failed| node.error(failed)),
                Servers::Cluster(cluster) => cluster.call(call).await,
            }
        };
        match tokio::time::timeout(ALL, called).await {
            Ok(result) => result,
            Err(_) => Err(unavailable(format!("Redis: no answer within {} s; it may have been done", ALL.as_secs()))),
        }
    }
}

fn warn_of_snapshots(address: &Address) {
    tracing::warn!(
        target: "oauth", server = %address,
        "Redis keeps snapshots alone (appendonly no): a restart forgets what was revoked since the last one; \
         set appendonly yes, and appendfsync always for no loss at all",
    );
}

/// The masters of a Cluster.
pub(super) struct Cluster {
    seeds: Vec<Address>,
    options: RedisOptions,
    map: parking_lot::RwLock<Map>,
    /// When the map was last read, or failed to be.
    read: tokio::sync::Mutex<Option<Instant>>,
}

impl Cluster {
    async fn connect(seeds: Vec<Address>, options: RedisOptions) -> Result<Arc<Self>, StoreError> {
        if seeds.iter().any(|seed| seed.database() != 0) {
            return Err(unavailable("Redis: a Cluster has only database 0: remove the number from the URL".to_owned()));
        }
        let cluster = Arc::new(Cluster { seeds, options, map: Map::default().into(), read: None.into() });
        cluster.read_map().await?;
        let masters = cluster.map.read().nodes();
        for master in masters {
            if !master.check().await?.appends {
                warn_of_snapshots(&master.address);
            }
        }
        Ok(cluster)
    }

    async fn call(self: &Arc<Self>, call: &Call) -> Result<Value, StoreError> {
        let (mut node, mut asking) = (self.owner(call.bucket)?, false);
        for hop in 0.. {
            let failed = match node.call(call, asking).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            if hop > HOPS_AT_ONCE {
                tokio::time::sleep(PAUSE).await;
            }
            match self.detour(call.bucket, &node, &failed).await? {
                Some(detour) => (node, asking) = detour,
                None => return Err(node.error(failed)),
            }
        }
        // The caller's time is over before the numbers are.
        Err(unavailable("Redis: the servers of the Cluster name each other".to_owned()))
    }

    /// The server to ask next, if the answer says that nothing was done.
    async fn detour(
        self: &Arc<Self>,
        bucket: u16,
        node: &Arc<Node>,
        failed: &Failed,
    ) -> Result<Option<(Arc<Node>, bool)>, StoreError> {
        let why = match failed {
            Failed::NotReplicated(_) => return Ok(None),
            // It may be gone, and another be in its place.
            Failed::Unreached(_) => {
                self.read_map().await?;
                let owner = self.owner(bucket)?;
                return Ok((!Arc::ptr_eq(&owner, node)).then_some((owner, false)));
            }
            Failed::Answered(why) => why,
        };
        match why.code() {
            Some("MOVED") => {
                let node = self.named(node, why.redirect_node())?;
                self.map.write().moved(bucket, &node);
                self.read_map_aside();
                Ok(Some((node, false)))
            }
            // The bucket is on its way: only this call goes there.
            Some("ASK") => Ok(Some((self.named(node, why.redirect_node())?, true))),
            // Of two keys one has arrived.
            Some("TRYAGAIN") => {
                tokio::time::sleep(PAUSE).await;
                Ok(Some((self.owner(bucket)?, false)))
            }
            _ => {
                if why.is_io_error() || matches!(why.code(), Some("CLUSTERDOWN" | "READONLY" | "MASTERDOWN")) {
                    self.read_map_aside();
                }
                Ok(None)
            }
        }
    }

    fn owner(&self, bucket: u16) -> Result<Arc<Node>, StoreError> {
        let owner = self.map.read().owner(bucket);
        owner.ok_or_else(|| unavailable(format!("Redis: no server of the Cluster has the slot of bucket {bucket}")))
    }

    /// The server that a redirect names.
    fn named(&self, by: &Node, redirect: Option<(&str, u16)>) -> Result<Arc<Node>, StoreError> {
        let place = redirect.and_then(|(place, _)| place.rsplit_once(':'));
        let Some((host, Ok(port))) = place.map(|(host, port)| (host, port.parse())) else {
            return Err(by.address.unavailable("a redirect that names no server"));
        };
        // It leaves out its own host if it does not know its name.
        let host = if host.is_empty() { by.address.host() } else { host };
        self.node(host, port)
    }

    fn node(&self, host: &str, port: u16) -> Result<Arc<Node>, StoreError> {
        // There is a first: connecting has asked one.
        let model = self.seeds.first().ok_or_else(|| unavailable("Redis: no URL".to_owned()))?;
        let address = model.sibling(host, port, &self.options)?;
        Ok(self.map.write().node(host, port, || Node::new(address, Some(true), self.options.replicas)))
    }

    fn read_map_aside(self: &Arc<Self>) {
        let cluster = Arc::clone(self);
        tokio::spawn(async move {
            if let Err(why) = cluster.read_map().await {
                tracing::warn!(target: "oauth", %why, "the map of the Cluster could not be read");
            }
        });
    }

    /// Reads which server has which slots, from the first that answers. Calls that come meanwhile need not read it
    /// again.
    async fn read_map(&self) -> Result<(), StoreError> {
        let asked = Instant::now();
        let mut read = self.read.lock().await;
        if read.is_some_and(|read| read >= asked) {
            return Ok(());
        }
        let result = self.read_map_from_any().await;
        *read = Some(Instant::now());
        result
    }

    async fn read_map_from_any(&self) -> Result<(), StoreError> {
        let known: Vec<_> = self.map.read().nodes();
        let seeds = self.seeds.iter().map(|seed| Arc::new(Node::new(seed.clone(), None, 0)));
        let asked = known.into_iter().chain(seeds).map(|node| {
            Box::pin(async move {
                let slots = node.ask(redis::cmd("CLUSTER").arg("SLOTS").to_owned()).await;
                slots.map(|slots| (Arc::clone(&node), slots)).map_err(|failed| node.error(failed))
            })
        });
        // There is a seed, without which this would panic: connecting has asked one.
        let ((by, slots), _) = futures_util::future::select_ok(asked).await?;
        let ranges = Range::read(&slots, by.address.host())
            .ok_or_else(|| by.address.unavailable("an answer to CLUSTER SLOTS that this release cannot read"))?;
        let mut owners = vec![None; usize::from(BUCKETS)];
        for range in ranges {
            let node = self.node(&range.host, range.port)?;
            range.buckets().for_each(|bucket| owners[usize::from(bucket)] = Some(Arc::clone(&node)));
        }
        self.map.write().replace(owners);
        Ok(())
    }
}

/// How long a call may take, including all retries.
const ALL: Duration = Duration::from_secs(4);
/// How many redirects are followed without a pause.
const HOPS_AT_ONCE: u32 = 3;
const PAUSE: Duration = Duration::from_millis(50);
