//! One server, and the connections to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use redis::aio::{MultiplexedConnection, SendError};
use redis::{AsyncConnectionConfig, Cmd, Pipeline, PushInfo, PushKind, RedisError, Value};
use tokio::sync::Mutex;

use crate::store::StoreError;
use crate::store::redis::address::Address;
use crate::store::redis::health::Health;
use crate::store::redis::script::Call;

/// A server. It connects when it is first asked, and again when the connection has ended.
///
/// These are multiplexed connections of the redis crate, and not its `ConnectionManager` or `ClusterConnection` (1.8.1):
///
/// - The manager never sends a command twice, but after an outage the first call gets the error of an old attempt to
///   connect, and while it retries to connect, all calls wait. It connects again in the runtime of the call that
///   noticed, and does not check what we require of a server.
/// - The Cluster's client has one number of retries for redirects and for connections that broke with the command on its
///   way. With any but 0 a swap may be done twice; with 0 it follows no redirect. While it reads the map of the slots, no
///   call to any server is answered. Its `SCRIPT LOAD` goes to all servers and fails if one is away, and a pipeline of
///   EVALSHA and WAIT cannot be told to ask again with the script.
///
/// Here a call is sent a second time only after an answer that says that it was not done (`NOSCRIPT`, and the redirects of
/// a Cluster), and after a connection that could not be made.
pub(super) struct Node {
    pub(super) address: Address,
    /// Whether it must be a server of a Cluster, if known.
    in_cluster: Option<bool>,
    replicas: u32,
    lines: Box<[Line]>,
    next: AtomicUsize,
}

/// Why a server gave no answer.
pub(super) enum Failed {
    /// It was not connected to, so nothing was sent.
    Unreached(String),
    /// It answered an error, or the connection ended before an answer.
    Answered(RedisError),
    /// It did what it was asked, but too few replicas know.
    NotReplicated(i64),
}

impl Node {
    pub(super) fn new(address: Address, in_cluster: Option<bool>, replicas: u32) -> Self {
        let lines = if replicas == 0 { 1 } else { 1 + LINES_THAT_WAIT };
        let lines = (0..lines).map(|_| Line::default()).collect();
        Node { address, in_cluster, replicas, lines, next: AtomicUsize::new(0) }
    }

    /// Calls a script; `asking` for a bucket that is on its way to this server.
    pub(super) async fn call(&self, call: &Call, asking: bool) -> Result<Value, Failed> {
        let wait = call.to_replicas && self.replicas > 0;
        let line = if wait { self.waiting_line() } else { &self.lines[0] };
        let live = line.live(self).await?;
        let answer = match self.exchange(&live, call.by_name(), asking, wait).await {
            // Nothing has run. The whole script is sent in one step, rather than loaded and called again: the scripts
            // could be flushed in between, and a server that takes over knows none.
            Err(Failed::Answered(why)) if why.code() == Some("NOSCRIPT") => {
                self.exchange(&live, call.in_full(), asking, wait).await
            }
            answer => answer,
        };
        if let Err(Failed::Answered(why)) = &answer {
            live.is_over_after(why);
        }
        answer
    }

    /// Asks for something that no script does.
    pub(super) async fn ask(&self, command: Cmd) -> Result<Value, Failed> {
        let live = self.lines[0].live(self).await?;
        let answer = self.exchange(&live, command, false, false).await;
        if let Err(Failed::Answered(why)) = &answer {
            live.is_over_after(why);
        }
        answer
    }

    /// Connects if there is no connection, and checks the server.
    pub(super) async fn check(&self) -> Result<Health, StoreError> {
        self.lines[0].live(self).await.map(|live| live.health).map_err(|failed| self.error(failed))
    }

    pub(super) fn error(&self, failed: Failed) -> StoreError {
        match failed {
            Failed::Unreached(why) => self.address.unavailable(why),
            Failed::Answered(why) if why.code() == Some("OOM") => StoreError::Full,
            Failed::Answered(why) => self.address.unavailable(why),
            Failed::NotReplicated(knew) => self.address.unavailable(format_args!(
                "{knew} of {} replicas knew of a write after {} ms; it may have been done",
                self.replicas,
                WAIT.as_millis(),
            )),
        }
    }

    /// WAIT is about the last write of its connection, and blocks that connection. So it is sent right behind the
    /// script, in one pipeline, on one of several connections that do nothing else: the write is then ours, calls that
    /// write nothing do not wait, and this many writes wait at the same time.
    fn waiting_line(&self) -> &Line {
        // There is one more line than that.
        &self.lines[1 + self.next.fetch_add(1, Ordering::Relaxed) % LINES_THAT_WAIT]
    }

    async fn exchange(&self, live: &Live, command: Cmd, asking: bool, wait: bool) -> Result<Value, Failed> {
        let mut pipeline = Pipeline::new();
        if asking {
            pipeline.cmd("ASKING");
        }
        pipeline.add_command(command);
        if wait {
            pipeline.cmd("WAIT").arg(self.replicas).arg(WAIT.as_millis());
        }
        let answers = live.connection.clone().send_packed_commands(&pipeline, 0, pipeline.len()).await;
        let mut answers = answers.map_err(Failed::Answered)?.into_iter().skip(usize::from(asking));
        let mut next = || answers.next().unwrap_or_default().extract_error().map_err(Failed::Answered);
        let answer = next()?;
        if wait {
            let knew = redis::from_redis_value(next()?).map_err(|why| Failed::Answered(why.into()))?;
            if knew < i64::from(self.replicas) {
                return Err(Failed::NotReplicated(knew));
            }
        }
        Ok(answer)
    }

    async fn connect(&self) -> Result<Live, String> {
        let connect = async {
            let over = Arc::new(AtomicBool::new(false));
            let told = Arc::clone(&over);
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(Some(CONNECT))
                .set_response_timeout(Some(ANSWER))
                .set_pipeline_buffer_size(QUEUE)
                .set_push_sender(move |push: PushInfo| -> Result<(), SendError> {
                    if push.kind == PushKind::Disconnection {
                        told.store(true, Ordering::Release);
                    }
                    Ok(())
                });
            let text = |why: RedisError| self.address.without_password(&why.to_string());
            let client = self.address.client().map_err(text)?;
            let mut connection = client.get_multiplexed_async_connection_with_config(&config).await.map_err(text)?;
            let health = Health::ask(&mut connection).await?;
            health.check(self.in_cluster)?;
            Ok(Live { connection, over, health })
        };
        match tokio::time::timeout(CONNECT, connect).await {
            Ok(result) => result,
            Err(_) => Err(format!("no connection within {} s", CONNECT.as_secs())),
        }
    }
}

/// A place for a connection.
#[derive(Default)]
struct Line(Mutex<State>);

#[derive(Default)]
struct State {
    live: Option<Live>,
    failed: Option<(Instant, String)>,
}

#[derive(Clone)]
struct Live {
    connection: MultiplexedConnection,
    over: Arc<AtomicBool>,
    health: Health,
}

impl Line {
    /// The connection, made anew if it has ended. Calls that come meanwhile wait for it, and fail with it.
    async fn live(&self, node: &Node) -> Result<Live, Failed> {
        let asked = Instant::now();
        let mut state = self.0.lock().await;
        if let Some(live) = state.live.as_ref().filter(|live| !live.over.load(Ordering::Acquire)) {
            return Ok(live.clone());
        }
        if let Some((_, why)) = state.failed.as_ref().filter(|(when, _)| *when >= asked) {
            return Err(Failed::Unreached(why.clone()));
        }
        state.live = None;
        match node.connect().await {
            Ok(live) => {
                state.live = Some(live.clone());
                Ok(live)
            }
            Err(why) => {
                state.failed = Some((Instant::now(), why.clone()));
                Err(Failed::Unreached(why))
            }
        }
    }
}

impl Live {
    /// Gives the connection up after an error that it may not survive: the next call makes a new one. If no answer
    /// comes, the host may be gone, which TCP notices only after a quarter of an hour; and a server that was made a
    /// replica may have left its name to another.
    fn is_over_after(&self, why: &RedisError) {
        let replica = matches!(why.code(), Some("READONLY" | "MASTERDOWN"));
        if replica || why.is_unrecoverable_error() || why.is_io_error() {
            self.over.store(true, Ordering::Release);
        }
    }
}

/// How long it may take to connect and to check the server.
const CONNECT: Duration = Duration::from_secs(2);
/// How long to wait for an answer. The redis crate's own limit is half a second, less than a disk may take to sync.
const ANSWER: Duration = Duration::from_secs(3);
/// How long to wait for the replicas: less than for an answer, which then says how many knew.
const WAIT: Duration = Duration::from_secs(1);
/// How many writes of a process wait for the replicas at the same time.
const LINES_THAT_WAIT: usize = 8;
/// How many calls may wait to be sent; the redis crate's own number is 50.
const QUEUE: usize = 1024;
