//! Redis and Valkey: one server, or a Cluster.

mod address;
mod driver;
mod error;
mod health;
mod map;
mod node;
mod options;
mod script;
mod servers;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;

use self::address::Address;
use self::driver::Driver;
use self::error::unavailable;
pub use self::options::RedisOptions;
use self::script::{Call, SCRIPTS};
use self::servers::Servers;
use crate::model::Timestamp;
use crate::store::{
    About, BUCKETS, Change, Count, Counted, Incarnation, Kept, Key, Reply, Seen, Store, StoreError, Swap, Value,
};

/// Keeps its values in Redis (7 or later) or Valkey, on one server or a Cluster: for a service of several processes.
///
/// ```no_run
/// use oauth_runtime::store::RedisStore;
///
/// # async fn connect() -> Result<(), Box<dyn std::error::Error>> {
/// let store = RedisStore::connect("redis://127.0.0.1/").await?;
/// let store = RedisStore::connect("rediss://user:password@redis.example.com:6380/").await?;
/// # Ok(())
/// # }
/// ```
///
/// # Required settings of the server
/// - `maxmemory-policy noeviction`. Required: a server with another policy is refused, since it would forget what was
///   revoked when its memory runs out. When the memory is full, new keys are not written ([`StoreError::Full`]); what
///   is there can still be changed.
/// - `appendonly yes`, or a restart forgets what was revoked since the last snapshot. With `appendfsync always` an
///   acknowledged write is on the disk; with `everysec` a crash of the machine loses the last second or two.
///
/// A failover can lose data: a replica takes over with what it has received, and writes that were acknowledged moments
/// before may be gone, even revocations. [`RedisOptions::replicas`] makes that unlikely, not impossible: it is not
/// consensus. If nothing that ended may come back, use PostgreSQL or SQLite.
///
/// # How it behaves
/// Only masters are asked. The next call connects to a server that has come back. A call takes at most four seconds; a
/// failed call was sent once, and may have been done. It works from every runtime, since the connections are in a
/// thread of their own.
///
/// # Backup and restore
/// A server that is started with an older snapshot, or with an older log, has forgotten what was spent or revoked since:
/// call [`OAuthService::renew`](crate::OAuthService::renew) once.
pub struct RedisStore {
    servers: Arc<Servers>,
    driver: Driver,
    prefix: Arc<str>,
}

impl RedisStore {
    /// Connects to the server at `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]`, or, with TLS, `rediss://`; for a server
    /// of a Cluster, to all of it. Another machine needs `rediss://`. For more see [`RedisOptions`].
    ///
    /// ```no_run
    /// # use oauth_runtime::store::RedisStore;
    /// # async fn connect() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = RedisStore::connect("redis://127.0.0.1/").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the server cannot be reached or used; the text says why, and never shows the password.
    pub async fn connect(url: impl AsRef<str>) -> Result<Self, StoreError> {
        RedisOptions::new().connect(url).await
    }

    /// Connects to a Cluster: the first of these servers that answers tells of the others.
    ///
    /// ```no_run
    /// # use oauth_runtime::store::RedisStore;
    /// # async fn connect() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = RedisStore::cluster(["rediss://one.example.com/", "rediss://two.example.com/"]).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`RedisStore::connect`]. All masters must be reachable and usable.
    pub async fn cluster(urls: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, StoreError> {
        RedisOptions::new().cluster(urls).await
    }

    async fn start(seeds: Vec<Address>, options: RedisOptions) -> Result<Self, StoreError> {
        let driver =
            Driver::start().map_err(|why| unavailable(format!("Redis: no thread for the connections: {why}")))?;
        let prefix: Arc<str> = options.prefix.as_str().into();
        let servers = Arc::new(driver.run(async move { Servers::connect(seeds, options).await }).await?);
        let store = RedisStore { servers, driver, prefix };
        store.check_schema().await?;
        store.fill().await?;
        Ok(store)
    }

    /// Makes all buckets at once, so that none is younger than the store: otherwise assertions and proofs, which
    /// clients make themselves, would seem older than its memory.
    async fn fill(&self) -> Result<(), StoreError> {
        let call = |bucket| Call::new(&SCRIPTS.read, bucket, self.names(Key::in_bucket(bucket)), vec![drawn()]);
        let calls: Vec<Call> = (0..BUCKETS).map(call).collect();
        let servers = Arc::clone(&self.servers);
        let filled = async move { try_join_all(calls.iter().map(|call| servers.call(call))).await };
        self.driver.run(filled).await.map(drop)
    }

    async fn check_schema(&self) -> Result<(), StoreError> {
        let name = format!("{}:{{0}}:schema", self.prefix);
        let call = Call::new(&SCRIPTS.schema, 0, vec![name], vec![SCHEMA.to_string().into()]);
        let found: String = self.call(call).await?;
        if found == SCHEMA.to_string() {
            return Ok(());
        }
        Err(unavailable(format!(
            "Redis: the keys are of schema {found}, and this release knows {SCHEMA}: use a newer one"
        )))
    }

    async fn call<T: redis::FromRedisValue>(&self, call: Call) -> Result<T, StoreError> {
        let servers = Arc::clone(&self.servers);
        let answer = self.driver.run(async move { servers.call(&call).await }).await?;
        read(answer)
    }

    async fn do_swap(&self, key: Key, change: Change) -> Result<Swap, StoreError> {
        let Change { incarnation, since, value, keep } = change;
        let script = if since.is_none() && value.is_some() { &SCRIPTS.add } else { &SCRIPTS.replace };
        let mut arguments =
            vec![drawn(), bits(incarnation), since.map(|since| since.to_string()).unwrap_or_default().into()];
        match value {
            Some(value) => arguments.extend([b"put".to_vec(), milliseconds(keep), value.as_bytes().to_vec()]),
            None => arguments.push(b"take".to_vec()),
        }
        let call = Call::new(script, key.bucket(), self.names(key), arguments).and_replicas();
        let answer: Vec<redis::Value> = self.call(call).await?;
        match &answer[..] {
            [tag, sequence, now] if text_of(tag)? == "done" => {
                Ok(Swap::Done { sequence: number(sequence)?, now: Timestamp::from_seconds(number(now)?) })
            }
            _ => seen(answer).map(Swap::Changed),
        }
    }

    /// The names of the state of a bucket and of a value in it.
    fn names(&self, key: Key) -> Vec<String> {
        let (prefix, bucket) = (&self.prefix, key.bucket());
        vec![self.state(bucket), format!("{prefix}:{{{bucket}}}:v:{}", key.to_text())]
    }

    fn state(&self, bucket: u16) -> String {
        format!("{}:{{{bucket}}}:state", self.prefix)
    }
}

impl RedisOptions {
    /// Connects to one server, or to the Cluster that it belongs to. For the form of the URL see
    /// [`RedisStore::connect`].
    ///
    /// # Errors
    /// As [`RedisStore::connect`].
    pub async fn connect(self, url: impl AsRef<str>) -> Result<RedisStore, StoreError> {
        self.cluster([url]).await
    }

    /// Connects to a Cluster: the first of these servers that answers tells of the others.
    ///
    /// # Errors
    /// As [`RedisStore::connect`].
    pub async fn cluster(self, urls: impl IntoIterator<Item = impl AsRef<str>>) -> Result<RedisStore, StoreError> {
        let permitted = |character: char| character.is_ascii_alphanumeric() || "-_.:".contains(character);
        if self.prefix.is_empty() || self.prefix.len() > 64 || !self.prefix.chars().all(permitted) {
            return Err(unavailable(
                "Redis: a prefix is 1 to 64 letters, digits and -_.:, and nothing else".to_owned(),
            ));
        }
        let seeds = urls.into_iter().map(|url| Address::parse(url.as_ref(), &self)).collect::<Result<Vec<_>, _>>()?;
        RedisStore::start(seeds, self).await
    }
}

impl Store for RedisStore {
    fn read(&self, key: Key) -> Reply<'_, Seen> {
        let call = Call::new(&SCRIPTS.read, key.bucket(), self.names(key), vec![drawn()]);
        Reply::later(async move { seen(self.call(call).await?) })
    }

    fn swap(&self, key: Key, change: Change) -> Reply<'_, Swap> {
        Reply::later(self.do_swap(key, change))
    }

    fn count<'a>(&'a self, counts: &'a [Count]) -> Reply<'a, Vec<Counted>> {
        let call = |Count { slot, add, window }: &Count| {
            // A counter belongs to a bucket too, so that counters are spread over the servers of a Cluster.
            let bucket = u16::try_from(slot % u32::from(BUCKETS)).unwrap_or(0);
            let add = (*add).clamp(-MOST, MOST).to_string().into();
            let name = format!("{}:{{{bucket}}}:c:{slot}", self.prefix);
            Call::new(&SCRIPTS.count, bucket, vec![name], vec![add, milliseconds(*window)])
        };
        let calls: Vec<Call> = counts.iter().map(call).collect();
        let servers = Arc::clone(&self.servers);
        Reply::later(async move {
            // They are written at the same time, so they travel together.
            let counted = async move { try_join_all(calls.iter().map(|call| servers.call(call))).await };
            self.driver.run(counted).await?.into_iter().map(counted_of).collect()
        })
    }

    fn renew(&self, bucket: u16, was: Incarnation) -> Reply<'_, Incarnation> {
        let bucket = bucket % BUCKETS;
        let call = Call::new(&SCRIPTS.renew, bucket, vec![self.state(bucket)], vec![drawn(), bits(was)]).and_replicas();
        Reply::later(async move { incarnation(&self.call(call).await?) })
    }

    fn about(&self) -> About {
        About { engine: "Redis", schema: Some(SCHEMA), has_clock: true }
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

fn drawn() -> Vec<u8> {
    bits(Incarnation::draw())
}

fn bits(incarnation: Incarnation) -> Vec<u8> {
    incarnation.bits().to_string().into()
}

/// Rounds up to whole milliseconds; Redis does not accept 0.
fn milliseconds(duration: Duration) -> Vec<u8> {
    let whole = duration.as_millis() + u128::from(!duration.subsec_nanos().is_multiple_of(1_000_000));
    whole.clamp(1, LONGEST).to_string().into()
}

fn seen(answer: Vec<redis::Value>) -> Result<Seen, StoreError> {
    let Ok([tag, drawn, born, sequence, now, version, value]) = <[redis::Value; 7]>::try_from(answer) else {
        return Err(unreadable("of another length"));
    };
    if text_of(&tag)? != "seen" {
        return Err(unreadable("of another kind"));
    }
    let kept = match version {
        redis::Value::Nil => None,
        version => {
            let value: Vec<u8> = read(value)?;
            Some(Kept { version: number(&version)?, value: Value::from(value) })
        }
    };
    Ok(Seen {
        incarnation: incarnation(&drawn)?,
        born: Timestamp::from_seconds(number(&born)?),
        sequence: number(&sequence)?,
        now: Timestamp::from_seconds(number(&now)?),
        kept,
    })
}

fn counted_of(answer: redis::Value) -> Result<Counted, StoreError> {
    let (sum, left): (String, u64) = read(answer)?;
    let sum = sum.parse().map_err(unreadable)?;
    Ok(Counted { sum, ends_in: Duration::from_millis(left) })
}

fn incarnation(answer: &redis::Value) -> Result<Incarnation, StoreError> {
    number(answer).map(Incarnation::from_bits)
}

fn number(answer: &redis::Value) -> Result<u64, StoreError> {
    text_of(answer)?.parse().map_err(unreadable)
}

fn text_of(answer: &redis::Value) -> Result<&str, StoreError> {
    match answer {
        redis::Value::BulkString(bytes) => std::str::from_utf8(bytes).map_err(unreadable),
        _ => Err(unreadable("of another type")),
    }
}

fn read<T: redis::FromRedisValue>(answer: redis::Value) -> Result<T, StoreError> {
    redis::from_redis_value(answer).map_err(unreadable)
}

fn unreadable(why: impl fmt::Display) -> StoreError {
    unavailable(format!("Redis: an answer that this release cannot read: {why}"))
}

/// The version of the names and of what is kept under them.
const SCHEMA: u32 = 1;
/// The greatest number that the scripts count to: their numbers have 53 bits.
const MOST: i64 = 1 << 53;
/// The longest time that is kept, in ms: a thousand years, so that its end is a number of 53 bits too.
const LONGEST: u128 = 1000 * 366 * 86_400_000;
