//! A store that a test can watch and break.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::store::{About, Change, Count, Counted, Incarnation, Key, Reply, Seen, Store, StoreError, Swap};

/// Wraps any store for a test: counts its calls, and fails or delays them on demand.
///
/// Clones are one store: one goes to [`Builder::store`](crate::Builder::store), the test keeps the other.
///
/// ```
/// use oauth_runtime::store::{Key, MemoryStore, Store};
/// use oauth_runtime::testing::{Fault, FaultyStore, Verb};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let store = FaultyStore::new(MemoryStore::new());
/// store.fail(Verb::ALL, Fault::Unavailable);
/// let key = Key::named("an example");
/// assert!(store.read(key).await.is_err());
/// store.repair();
/// assert!(store.read(key).await.is_ok());
/// assert_eq!(store.calls(&[Verb::Read]), 2);
/// # });
/// ```
#[derive(Clone)]
pub struct FaultyStore(Arc<Watched>);

struct Watched {
    store: Box<dyn Store>,
    verbs: [Watch; Verb::ALL.len()],
    /// The calls that are under way.
    under_way: AtomicU64,
    waits: AtomicU64,
}

#[derive(Default)]
struct Watch {
    calls: AtomicU64,
    /// After how many more calls.
    fault: Mutex<Option<(u64, Fault)>>,
}

/// What a [`FaultyStore`] does instead of answering at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It does nothing, and returns [`StoreError::Unavailable`].
    Unavailable,
    /// It does what it is asked, and then returns [`StoreError::Unavailable`], as if the connection broke before the
    /// answer.
    AnswerLost,
    /// It takes this long before it does what it is asked.
    Slow(Duration),
}

impl FaultyStore {
    /// Watches this store, which has no fault at first.
    pub fn new(store: impl Store) -> Self {
        FaultyStore(Arc::new(Watched {
            store: Box::new(store),
            verbs: std::array::from_fn(|_| Watch::default()),
            under_way: AtomicU64::new(0),
            waits: AtomicU64::new(0),
        }))
    }

    /// From now on these verbs have this fault, in place of the one that they had.
    pub fn fail(&self, verbs: &[Verb], fault: Fault) {
        self.fail_after(0, verbs, fault);
    }

    /// The same, but each of these verbs is called so many times more before it fails: for a fault between two steps of one
    /// request.
    ///
    /// ```
    /// use oauth_runtime::store::{Key, MemoryStore, Store};
    /// use oauth_runtime::testing::{Fault, FaultyStore, Verb};
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let store = FaultyStore::new(MemoryStore::new());
    /// store.fail_after(1, &[Verb::Read], Fault::Unavailable);
    /// let key = Key::named("an example");
    /// assert!(store.read(key).await.is_ok());
    /// assert!(store.read(key).await.is_err());
    /// # });
    /// ```
    pub fn fail_after(&self, calls: u64, verbs: &[Verb], fault: Fault) {
        for verb in verbs {
            *self.watch(*verb).fault.lock() = Some((calls, fault));
        }
    }

    /// From now on no verb has a fault.
    pub fn repair(&self) {
        for &verb in Verb::ALL {
            *self.watch(verb).fault.lock() = None;
        }
    }

    /// How many calls of these verbs there were, including failed ones. A reply that was never awaited is not counted.
    #[must_use]
    pub fn calls(&self, verbs: &[Verb]) -> u64 {
        verbs.iter().map(|verb| self.watch(*verb).calls.load(Ordering::SeqCst)).sum()
    }

    /// How often callers waited for it: calls that run at the same time count as one wait. Only calls with a fault take
    /// time.
    #[must_use]
    pub fn waits(&self) -> u64 {
        self.0.waits.load(Ordering::SeqCst)
    }

    fn ask<'a, T: Send + Unpin + 'a>(
        &'a self,
        verb: Verb,
        ask: impl FnOnce(&'a dyn Store) -> Reply<'a, T> + Send + 'a,
    ) -> Reply<'a, T> {
        let watch = self.watch(verb);
        let Some(fault) = watch.fault_now() else {
            watch.called();
            return ask(&*self.0.store);
        };
        Reply::later(async move {
            watch.called();
            if self.0.under_way.fetch_add(1, Ordering::SeqCst) == 0 {
                self.0.waits.fetch_add(1, Ordering::SeqCst);
            }
            let cut = || StoreError::Unavailable(format!("{verb:?} fails for a test").into());
            let answer = match fault {
                Fault::Unavailable => Err(cut()),
                Fault::AnswerLost => ask(&*self.0.store).await.and_then(|_| Err(cut())),
                Fault::Slow(delay) => {
                    tokio::time::sleep(delay).await;
                    ask(&*self.0.store).await
                }
            };
            self.0.under_way.fetch_sub(1, Ordering::SeqCst);
            answer
        })
    }

    fn watch(&self, verb: Verb) -> &Watch {
        // There is one for each verb: both have the length of `Verb::ALL`.
        &self.0.verbs[verb as usize]
    }
}

impl Watch {
    fn fault_now(&self) -> Option<Fault> {
        match &mut *self.fault.lock() {
            Some((0, fault)) => Some(*fault),
            Some((left, _)) => {
                *left -= 1;
                None
            }
            None => None,
        }
    }

    fn called(&self) {
        self.calls.fetch_add(1, Ordering::SeqCst);
    }
}

impl Store for FaultyStore {
    fn read(&self, key: Key) -> Reply<'_, Seen> {
        self.ask(Verb::Read, move |store| store.read(key))
    }

    fn swap(&self, key: Key, change: Change) -> Reply<'_, Swap> {
        self.ask(Verb::Swap, move |store| store.swap(key, change))
    }

    fn count<'a>(&'a self, counts: &'a [Count]) -> Reply<'a, Vec<Counted>> {
        self.ask(Verb::Count, move |store| store.count(counts))
    }

    fn renew(&self, bucket: u16, was: Incarnation) -> Reply<'_, Incarnation> {
        self.ask(Verb::Renew, move |store| store.renew(bucket, was))
    }

    fn about(&self) -> About {
        self.0.store.about()
    }
}

impl fmt::Debug for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut calls = f.debug_struct("FaultyStore");
        for &verb in Verb::ALL {
            calls.field(&format!("{verb:?}"), &self.calls(&[verb]));
        }
        calls.finish()
    }
}

/// The enum and the list of its variants, so that the list cannot miss one.
macro_rules! verbs {
    ($($verb:ident, $method:ident;)+) => {
        /// A method of [`Store`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Verb {
            $(
                #[doc = concat!("[`Store::", stringify!($method), "`]")]
                $verb,
            )+
        }

        impl Verb {
            /// Every method.
            pub const ALL: &[Verb] = &[$(Verb::$verb),+];
        }
    };
}

verbs! {
    Read, read;
    Swap, swap;
    Count, count;
    Renew, renew;
}
