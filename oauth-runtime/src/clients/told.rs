//! Clients that the author's function knows, such as the rows of a table.

use std::fmt::Display;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use quick_cache::sync::Cache;
use tokio::sync::Semaphore;

use crate::clients::registered::is_reserved;
use crate::error::Reason;
use crate::model::Clock;
use crate::model::ceiling::Unlisted;
use crate::model::client::{Client, ClientSettings, RegisteredClient, is_client_id};
use crate::users::gives_way::GivesWay;

/// What the function of [`Builder::clients`](crate::Builder::clients) may return: `Option<Client>`, or a `Result` of
/// it.
///
/// `None` means that there is no such client. An error means that this is unknown: the request is answered with 503,
/// and the log has the error.
pub trait FoundClient {
    /// Turns the result into one whose error is a text.
    ///
    /// # Errors
    /// The author's error, as a text for the log.
    fn into_found(self) -> Result<Option<Client>, String>;
}

impl FoundClient for Option<Client> {
    fn into_found(self) -> Result<Option<Client>, String> {
        Ok(self)
    }
}

impl<E: Display> FoundClient for Result<Option<Client>, E> {
    fn into_found(self) -> Result<Option<Client>, String> {
        self.map_err(|error| error.to_string())
    }
}

/// The author's function.
pub(crate) type Function =
    dyn Fn(String) -> Pin<Box<dyn Future<Output = Result<Option<Client>, String>>>> + Send + Sync;
/// The builder's check of a listed client.
pub(crate) type Check = dyn Fn(ClientSettings) -> Result<RegisteredClient, String> + Send + Sync;

/// The author's function, its recent answers, and the bounds within which it is called.
pub(crate) struct Told {
    function: Arc<Function>,
    check: Box<Check>,
    timeout: Duration,
    at_once: Semaphore,
    /// Reserved for ids that existed recently, so that made-up ones do not delay them.
    at_once_for_known: Semaphore,
    gives_way: GivesWay,
    clock: Clock,
    known: Cache<String, Known>,
    /// Separate from existing clients, which made-up ids must not evict.
    unknown: Cache<String, Duration>,
    /// Ids that existed when they were last looked up.
    of_late: Cache<String, ()>,
    /// How often `client_changed` was called.
    changes: AtomicU64,
}

#[derive(Clone)]
struct Known {
    client: Arc<RegisteredClient>,
    /// By the monotonic clock, like everything here.
    until: Duration,
}

/// Why no client was found.
#[derive(Debug, thiserror::Error)]
enum NoAnswer {
    #[error("it panicked")]
    Panicked,
    #[error("it took too long")]
    TimedOut,
    #[error("it failed: {0}")]
    Failed(String),
    #[error("it returned a client that cannot be used: {0}")]
    Unusable(String),
}

impl Told {
    pub(crate) fn new(function: Arc<Function>, check: Box<Check>, timeout: Duration, clock: Clock) -> Self {
        Told {
            function,
            check,
            timeout,
            at_once: Semaphore::new(MOST_AT_ONCE),
            at_once_for_known: Semaphore::new(MOST_AT_ONCE_FOR_KNOWN),
            gives_way: GivesWay::new("clients"),
            clock,
            known: Cache::new(MOST_KNOWN),
            unknown: Cache::new(MOST_UNKNOWN),
            of_late: Cache::new(MOST_KNOWN),
            changes: AtomicU64::new(0),
        }
    }

    /// The client with this id, as the function returned it at most a minute ago.
    pub(crate) async fn find(&self, id: &str) -> Result<Option<Arc<RegisteredClient>>, Reason> {
        // Ids of other kinds are never the author's.
        if !is_client_id(id) || is_reserved(id) || Unlisted::of(id).is_some() {
            return Ok(None);
        }
        let found = tokio::time::timeout(self.timeout, self.known_or_asked(id)).await;
        found.unwrap_or(Err(NoAnswer::TimedOut)).map_err(|why| {
            tracing::error!(target: "oauth", client = id, "the function of .clients(..) named no client: {why}");
            match why {
                NoAnswer::Unusable(_) => Reason::ClientUnusable,
                NoAnswer::Panicked | NoAnswer::TimedOut | NoAnswer::Failed(_) => Reason::ClientsAway,
            }
        })
    }

    /// Forgets its answer about a client.
    pub(crate) fn forget(&self, id: &str) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.known.remove(id);
        self.unknown.remove(id);
    }

    async fn known_or_asked(&self, id: &str) -> Result<Option<Arc<RegisteredClient>>, NoAnswer> {
        loop {
            if self.is_unknown(id) {
                return Ok(None);
            }
            // Calls that come meanwhile wait for the same answer.
            let place = match self.known.get_value_or_guard_async(id).await {
                Ok(known) if self.is_fresh(known.until) => return Ok(Some(known.client)),
                Ok(stale) => {
                    self.known.remove_if(id, |known| known.until == stale.until);
                    continue;
                }
                Err(place) => place,
            };
            if self.is_unknown(id) {
                return Ok(None);
            }
            let changes = self.changes.load(Ordering::SeqCst);
            let asked = self.clock.monotonic();
            let client = self.called(id).await?;
            // An answer to a call from before a change may be outdated.
            let is_of_now = self.changes.load(Ordering::SeqCst) == changes;
            match &client {
                Some(client) => {
                    self.of_late.insert(id.to_owned(), ());
                    if is_of_now {
                        drop(place.insert(Known { client: Arc::clone(client), until: asked + KNOWN_FOR }));
                    }
                }
                None => {
                    self.of_late.remove(id);
                    if is_of_now {
                        self.unknown.insert(id.to_owned(), asked + UNKNOWN_FOR);
                    }
                }
            }
            return Ok(client);
        }
    }

    fn is_unknown(&self, id: &str) -> bool {
        self.unknown.get(id).is_some_and(|until| self.is_fresh(until))
    }

    fn is_fresh(&self, until: Duration) -> bool {
        self.clock.monotonic() < until
    }

    async fn called(&self, id: &str) -> Result<Option<Arc<RegisteredClient>>, NoAnswer> {
        let was_known = self.of_late.get(id).is_some();
        let places = if was_known { &self.at_once_for_known } else { &self.at_once };
        // Never closed.
        let _place = places.acquire().await.map_err(|_| NoAnswer::TimedOut)?;
        let (function, asked) = (Arc::clone(&self.function), id.to_owned());
        let call = self.gives_way.watch(async move { function(asked).await });
        let answer = AssertUnwindSafe(call).catch_unwind().await;
        let answer = answer.map_err(|_panic| NoAnswer::Panicked)?.map_err(NoAnswer::Failed)?;
        let Some(Client { settings, .. }) = answer else { return Ok(None) };
        if settings.id != id {
            // A table may compare ids differently.
            tracing::warn!(
                target: "oauth",
                client = id,
                answered = settings.id,
                "the function of .clients(..) returned a client with another id, which counts as none: ids are compared byte for \
                 byte"
            );
            return Ok(None);
        }
        (self.check)(settings).map(|client| Some(Arc::new(client))).map_err(NoAnswer::Unusable)
    }
}

const KNOWN_FOR: Duration = Duration::from_secs(60);
/// Short, since a client that was just added to the table may have been asked for before.
const UNKNOWN_FOR: Duration = Duration::from_secs(5);
const MOST_KNOWN: usize = 4_096;
const MOST_UNKNOWN: usize = 1_024;
/// A table does not need more, and made-up ids must not take all of its connections.
const MOST_AT_ONCE: usize = 24;
const MOST_AT_ONCE_FOR_KNOWN: usize = 8;
