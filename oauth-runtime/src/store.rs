//! What must be remembered: what has been spent, granted, revoked or counted, each fact with an end.

#[cfg(feature = "testing")]
pub mod contract;
mod deadline;
mod error;
#[cfg(feature = "testing")]
pub(crate) mod faulty;
mod key;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
#[cfg(test)]
pub(crate) mod silent;
#[cfg(feature = "sqlite")]
mod sqlite;
mod value;

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

pub(crate) use deadline::Deadline;
pub use error::StoreError;
pub(crate) use key::Kind;
pub use key::{BUCKETS, Key, MAX_VALUE_BYTES};
pub(crate) use memory::Changes;
pub use memory::MemoryStore;
#[cfg(feature = "postgres")]
pub use postgres::PostgresStore;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;
pub use value::Value;

#[cfg(feature = "redis")]
pub use self::redis::{RedisOptions, RedisStore};

use crate::model::Timestamp;
pub use crate::model::as_of::Incarnation;

/// Keeps values under keys, and counts.
///
/// A store knows nothing of OAuth. The rules on codes, refresh tokens, sessions and consents are this crate's, the same
/// for every store: it reads a value, changes it, and puts the new one in its place if nothing has changed since. All that
/// is kept of one user is one value.
///
/// Keys fall into [`BUCKETS`] buckets. A bucket has an [`Incarnation`] that is drawn when it is first asked for, and a
/// sequence that begins at 0 and that every write raises. Neither ever expires. They show what was lost: a code, a token or
/// a session says which incarnation and sequence it was made with, and is refused by another incarnation.
///
/// Every method is one atomic step in the engine behind it ([`Store::count`] one for each counter), and all of them happen
/// in one order, whichever process calls: every later call sees what an earlier one has answered. A write is
/// acknowledged when it is as durable as the store promises. A store that cannot do what it is asked returns an error,
/// and the request in question is refused. `store::contract` (feature `testing`) checks all of it, and
/// `testing::FaultyStore` shows what an application does where a store fails.
///
/// ```
/// use std::time::Duration;
/// use oauth_runtime::store::{Change, Key, MemoryStore, Store, Swap, Value};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let store = MemoryStore::new();
/// let key = Key::named("an example");
/// let seen = store.read(key).await.unwrap();
/// assert!(seen.kept.is_none());
///
/// let value = Some(Value::from(b"{}".to_vec()));
/// let change = Change { incarnation: seen.incarnation, since: None, value, keep: Duration::from_secs(60) };
/// assert!(matches!(store.swap(key, change.clone()).await.unwrap(), Swap::Done { sequence: 1, .. }));
/// // There is something by now.
/// assert!(matches!(store.swap(key, change).await.unwrap(), Swap::Changed(_)));
/// # });
/// ```
pub trait Store: Any + Send + Sync {
    /// What is kept under a key, and the state of its bucket. All buckets are born with the
    /// store: what a client made itself, or a page that was shown, since then is older than none of them. One that was lost
    /// is born when it is asked for.
    fn read(&self, key: Key) -> Reply<'_, Seen>;

    /// Replaces a value, or removes it, if both the incarnation of the bucket and the value are still those that the
    /// change was made from; raises the sequence. Otherwise it changes nothing and returns the current value.
    fn swap(&self, key: Key, change: Change) -> Reply<'_, Swap>;

    /// Adds to counters, each independent of the others, and returns their sums in the same order. No slot is named
    /// twice.
    fn count<'a>(&'a self, counts: &'a [Count]) -> Reply<'a, Vec<Counted>>;

    /// Draws a new incarnation for a bucket if it still has this one, and begins its sequence and its values anew.
    /// Returns the incarnation that the bucket has now.
    fn renew(&self, bucket: u16, was: Incarnation) -> Reply<'_, Incarnation>;

    /// Describes the store.
    fn about(&self) -> About;
}

/// A store behind a pointer is the store that it points to.
macro_rules! pointers {
    ($($(#[$doc:meta])+ $pointer:ident;)+) => { $(
        $(#[$doc])+
        impl<S: Store + ?Sized> Store for $pointer<S> {
            fn read(&self, key: Key) -> Reply<'_, Seen> {
                (**self).read(key)
            }

            fn swap(&self, key: Key, change: Change) -> Reply<'_, Swap> {
                (**self).swap(key, change)
            }

            fn count<'a>(&'a self, counts: &'a [Count]) -> Reply<'a, Vec<Counted>> {
                (**self).count(counts)
            }

            fn renew(&self, bucket: u16, was: Incarnation) -> Reply<'_, Incarnation> {
                (**self).renew(bucket, was)
            }

            fn about(&self) -> About {
                (**self).about()
            }
        }
    )+ };
}

pointers! {
    /// A store that is chosen while the program runs.
    ///
    /// ```
    /// use oauth_runtime::store::{Key, MemoryStore, Store};
    ///
    /// let in_memory = true;
    /// let store: Box<dyn Store> = if in_memory { Box::new(MemoryStore::new()) } else { unimplemented!("another") };
    /// assert_eq!(Box::new(store).about().engine, "memory");
    /// ```
    Box;
    /// A store that several services use, or that the program keeps a handle to.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use oauth_runtime::OAuthService;
    /// use oauth_runtime::store::MemoryStore;
    ///
    /// let store = Arc::new(MemoryStore::new());
    /// let builder = OAuthService::builder().store(Arc::clone(&store));
    /// # let _ = builder;
    /// ```
    Arc;
}

/// The number of counters: each [`Count::slot`] is below it.
pub const SLOTS: u32 = 1 << 20;

/// The description of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// Its name, for messages.
    pub engine: &'static str,
    /// The version of its schema, if it has one.
    pub schema: Option<u32>,
    /// Whether it has a clock of its own that all its processes share. If so, that clock dates what is issued.
    pub has_clock: bool,
}

/// What a key holds, and the state of its bucket at the same moment.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The bucket's incarnation.
    pub incarnation: Incarnation,
    /// When the bucket took it.
    pub born: Timestamp,
    /// The number of writes to the bucket in this incarnation.
    pub sequence: u64,
    /// The time, by the clock that lets values expire.
    pub now: Timestamp,
    /// What is kept under the key, unless it has expired.
    pub kept: Option<Kept>,
}

/// A value that is kept.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The sequence of the write that brought it: no other value of this incarnation has the same.
    pub version: u64,
    /// The value.
    pub value: Value,
}

/// A write, and what it was made from.
#[derive(Clone, Debug)]
pub struct Change {
    /// The incarnation of the bucket.
    pub incarnation: Incarnation,
    /// The version of the value that it replaces; `None` if there was none.
    pub since: Option<u64>,
    /// The new value; `None` removes the one that is there.
    pub value: Option<Value>,
    /// For how long it is kept, from now on.
    pub keep: Duration,
}

/// What a write found.
#[derive(Clone, Debug)]
pub enum Swap {
    /// It was done.
    Done {
        /// The sequence of the bucket now, which is the new version.
        sequence: u64,
        /// The time, as in [`Seen::now`].
        now: Timestamp,
    },
    /// The incarnation or the value is another one: nothing was written.
    Changed(Seen),
}

/// An addition to a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// Which counter: less than [`SLOTS`], so that they are never too many.
    pub slot: u32,
    /// What is added. A counter never falls below zero. Adding 0 reads it, and begins no window.
    pub add: i64,
    /// How long the counter counts, from its first addition on. Later ones leave its end as it is.
    pub window: Duration,
}

/// A counter, after an addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The sum within the window.
    pub sum: u64,
    /// How long until the window ends.
    pub ends_in: Duration,
}
/// A store's answer: available at once, or awaited. The first costs no allocation.
#[must_use = "a store does nothing until its answer is awaited"]
pub struct Reply<'a, T>(Inner<'a, T>);

enum Inner<'a, T> {
    Now(Option<Result<T, StoreError>>),
    Later(Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>),
}

impl<'a, T> Reply<'a, T> {
    /// An answer that is available at once.
    pub fn now(result: Result<T, StoreError>) -> Self {
        Reply(Inner::Now(Some(result)))
    }

    /// An answer that has to be awaited.
    pub fn later(future: impl Future<Output = Result<T, StoreError>> + Send + 'a) -> Self {
        Reply(Inner::Later(Box::pin(future)))
    }

    /// The answer, if it is there without waiting; else the reply, to be awaited.
    pub(crate) fn if_now(self) -> Result<Result<T, StoreError>, Self> {
        match self.0 {
            Inner::Now(Some(result)) => Ok(result),
            Inner::Now(None) | Inner::Later(_) => Err(self),
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
