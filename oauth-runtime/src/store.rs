//! What must be remembered: what has been spent, revoked or counted, each fact with an expiry.

#[cfg(feature = "testing")]
pub mod contract;
#[cfg(feature = "testing")]
pub(crate) mod faulty;
mod memory;

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

pub use memory::MemoryStore;

use crate::model::Timestamp;

/// Remembers what has been spent, revoked or counted.
///
/// Every method is one atomic step in the engine behind it: never a read and then a write. Two callers at the same
/// moment see one before the other. A fact is forgotten at its expiry, not before; a store that cannot keep a fact
/// answers an error, and the request it was for is refused. `store::contract` (feature `testing`) checks all of it, and
/// `testing::FaultyStore` shows what an application does where a store fails.
///
/// ```
/// use std::time::Duration;
/// use oauth_runtime::{Clock, store::{MemoryStore, Spend, Store}};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let store = MemoryStore::new();
/// let until = Clock::system().now() + Duration::from_secs(60);
/// assert_eq!(store.spend("code-1", "first", until).await.unwrap(), Spend::First);
/// assert_eq!(store.spend("code-1", "second", until).await.unwrap(), Spend::Already("first".into()));
/// # });
/// ```
pub trait Store: Send + Sync + 'static {
    /// When this store's memory began. What was handed out at or before that is refused, since its being spent or
    /// revoked may have been forgotten.
    fn birth(&self) -> Reply<'_, Timestamp>;

    /// Spends an id: the first to ask gets [`Spend::First`], all others what the first one recorded.
    fn spend<'a>(&'a self, id: &'a str, record: &'a str, until: Timestamp) -> Reply<'a, Spend>;

    /// Begins a grant's family of refresh tokens at generation 0, unless it has begun or was revoked.
    fn begin<'a>(&'a self, grant: &'a str, until: Timestamp) -> Reply<'a, ()>;

    /// Moves a family from generation `from` to the next, and lets it live until then. `grace` is how long, after the first use of the generation
    /// before the current one, that use may be repeated. [`Advance::Reused`] has ended the family.
    fn advance<'a>(&'a self, grant: &'a str, from: u64, grace: Duration, until: Timestamp) -> Reply<'a, Advance>;

    /// Ends a grant. Its family and its access tokens are refused until then; a later revocation never shortens that.
    fn revoke<'a>(&'a self, grant: &'a str, until: Timestamp) -> Reply<'a, ()>;

    /// Whether a grant was ended.
    fn is_revoked<'a>(&'a self, grant: &'a str) -> Reply<'a, bool>;

    /// Refuses whatever was issued to a subject before `at`. It never moves back.
    fn set_not_before<'a>(&'a self, subject: &'a str, at: Timestamp, until: Timestamp) -> Reply<'a, ()>;

    /// What [`Store::set_not_before`] set.
    fn not_before<'a>(&'a self, subject: &'a str) -> Reply<'a, Option<Timestamp>>;

    /// Adds to a counter whose window begins with the first addition; it never falls below zero. To add nothing is to
    /// read it, and begins no window.
    fn count<'a>(&'a self, key: &'a str, add: i64, window: Duration) -> Reply<'a, Count>;
}

/// What spending an id found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spend {
    /// Nobody spent it before.
    First,
    /// It was spent; this is what was recorded then.
    Already(String),
}

/// What advancing a family found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advance {
    /// The presented generation was the current one; this is the new one.
    Advanced(u64),
    /// The presented generation was used moments ago; this is the current one, once more.
    Grace(u64),
    /// The presented generation was used before: the family has ended with this call.
    Reused,
    /// There is no such family, or it has ended.
    Ended,
}

/// A counter, after an addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// The sum within the window.
    pub sum: u64,
    /// How long until the window ends.
    pub ends_in: Duration,
}

/// A store's answer: there at once, or awaited. The first costs no allocation.
#[must_use = "a store does nothing until its answer is awaited"]
pub struct Reply<'a, T>(Inner<'a, T>);

enum Inner<'a, T> {
    Now(Option<Result<T, StoreError>>),
    Later(Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>),
}

impl<'a, T> Reply<'a, T> {
    /// An answer that is there.
    pub fn now(result: Result<T, StoreError>) -> Self {
        Reply(Inner::Now(Some(result)))
    }

    /// An answer that a server must be asked for.
    pub fn later(future: impl Future<Output = Result<T, StoreError>> + Send + 'a) -> Self {
        Reply(Inner::Later(Box::pin(future)))
    }

    /// The answer, if it is there without waiting.
    pub(crate) fn if_now(self) -> Option<Result<T, StoreError>> {
        match self.0 {
            Inner::Now(result) => result,
            Inner::Later(_) => None,
        }
    }
}

impl<T: Unpin> Future for Reply<'_, T> {
    type Output = Result<T, StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Inner::Now(result) => match result.take() {
                Some(result) => Poll::Ready(result),
                // Polled after it was ready: it never wakes, as the contract of `Future` leaves open.
                None => Poll::Pending,
            },
            Inner::Later(future) => future.as_mut().poll(context),
        }
    }
}

impl<T> fmt::Debug for Reply<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reply")
    }
}

/// Why a store has no answer. The request it was for is refused with status 503.
///
/// `Display` and `Debug` print the same text. The text of a [`source`](Error::source) is part of it.
#[derive(thiserror::Error)]
pub enum StoreError {
    /// It keeps as many facts as it may.
    #[error("the store is full: give it more capacity")]
    Full,
    /// The engine behind it failed, with this error.
    #[error("the store is unavailable: {0}")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
}

crate::model::debug_as_text!(StoreError);
