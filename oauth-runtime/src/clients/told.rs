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
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

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

/// The author's function, which drops its place when it is over.
pub(crate) type Function =
    dyn Fn(String, OwnedSemaphorePermit) -> Pin<Box<dyn Future<Output = Result<Option<Client>, String>>>> + Send + Sync;
/// The builder's check of a listed client.
pub(crate) type Check = dyn Fn(ClientSettings) -> Result<RegisteredClient, String> + Send + Sync;

/// The author's function, its recent answers, and the bounds within which it is called.
pub(crate) struct Told {
    function: Arc<Function>,
    check: Box<Check>,
    timeout: Duration,
    at_once: Arc<Semaphore>,
    /// Reserved for users and for ids that existed recently, so that made-up ones do not delay them.
    reserved: Arc<Semaphore>,
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

type Found = Option<Arc<RegisteredClient>>;

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
            at_once: Arc::new(Semaphore::new(MOST_AT_ONCE)),
            reserved: Arc::new(Semaphore::new(RESERVED)),
            gives_way: GivesWay::new("clients"),
            clock,
            known: Cache::new(MOST_KNOWN),
            unknown: Cache::new(MOST_UNKNOWN),
            of_late: Cache::new(MOST_KNOWN),
            changes: AtomicU64::new(0),
        }
    }

    /// The client with this id, as the function returned it at most a minute ago.
    pub(crate) async fn find(&self, id: &str) -> Result<Found, Reason> {
        self.in_time(id, self.known_or_asked(id)).await
    }

    /// Whether a client has this name of a user.
    pub(crate) async fn has_named(&self, subject: &str) -> Result<bool, Reason> {
        Ok(self.in_time(subject, self.of_user(subject)).await?.is_some())
    }

    async fn in_time(&self, id: &str, answer: impl Future<Output = Result<Found, NoAnswer>>) -> Result<Found, Reason> {
        // Ids of other kinds are never the author's.
        if !is_client_id(id) || is_reserved(id) || Unlisted::of(id).is_some() {
            return Ok(None);
        }
        let found = tokio::time::timeout(self.timeout, answer).await;
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

    async fn known_or_asked(&self, id: &str) -> Result<Found, NoAnswer> {
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
            let (client, since) = self.asked(id, self.of_late.get(id).is_some()).await?;
            if let (Some(client), Some(since)) = (client.clone(), since) {
                drop(place.insert(Known { client, until: since + KNOWN_FOR }));
            }
            return Ok(client);
        }
    }

    /// Subjects are no secrets: this waits for no answer that someone else asked for.
    async fn of_user(&self, subject: &str) -> Result<Found, NoAnswer> {
        if self.is_unknown(subject) {
            return Ok(None);
        }
        match self.known.get(subject) {
            Some(known) if self.is_fresh(known.until) => Ok(Some(known.client)),
            Some(_) | None => self.asked(subject, true).await.map(|(client, _)| client),
        }
    }

    /// What the function answers, once there is a place, and since when that holds, if it still does.
    async fn asked(&self, id: &str, has_reserved: bool) -> Result<(Found, Option<Duration>), NoAnswer> {
        let changes = self.changes.load(Ordering::SeqCst);
        let asked = self.clock.monotonic();
        let client = self.called(id, has_reserved).await?;
        // An answer to a call from before a change may be outdated.
        let since = (self.changes.load(Ordering::SeqCst) == changes).then_some(asked);
        if client.is_some() {
            self.of_late.insert(id.to_owned(), ());
        } else {
            self.of_late.remove(id);
            if let Some(since) = since {
                self.unknown.insert(id.to_owned(), since + UNKNOWN_FOR);
            }
        }
        Ok((client, since))
    }

    fn is_unknown(&self, id: &str) -> bool {
        self.unknown.get(id).is_some_and(|until| self.is_fresh(until))
    }

    fn is_fresh(&self, until: Duration) -> bool {
        self.clock.monotonic() < until
    }

    async fn called(&self, id: &str, has_reserved: bool) -> Result<Found, NoAnswer> {
        let place = match Arc::clone(&self.at_once).try_acquire_owned() {
            Ok(place) => Ok(place),
            Err(_) if has_reserved => Arc::clone(&self.reserved).acquire_owned().await,
            Err(_) => Arc::clone(&self.at_once).acquire_owned().await,
        };
        // Never closed.
        let place = place.map_err(|_| NoAnswer::TimedOut)?;
        let (function, asked) = (Arc::clone(&self.function), id.to_owned());
        let call = self.gives_way.watch(async move { function(asked, place).await });
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
const RESERVED: usize = 8;
