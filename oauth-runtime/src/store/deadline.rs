//! A store that answers in time, or is taken to be away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::event::teller::Events;
use crate::event::{EventKind, Fact};
use crate::store::{About, Change, Count, Counted, Incarnation, Key, Reply, Seen, Store, StoreError, Swap};

/// Gives every call of another store this long. What it does after that is unknown.
pub(crate) struct Deadline {
    store: Arc<dyn Store>,
    limit: Duration,
    events: Arc<Events>,
    /// Whether the last call that is done had no answer.
    is_away: AtomicBool,
}

impl Deadline {
    pub(crate) fn new(store: Arc<dyn Store>, limit: Duration, events: Arc<Events>) -> Self {
        Deadline { store, limit, events, is_away: AtomicBool::new(false) }
    }

    fn within<'a, T: Send + Unpin + 'a>(&'a self, reply: Reply<'a, T>) -> Reply<'a, T> {
        match reply.if_now() {
            Ok(result) => {
                self.note(result.as_ref().err(), ERROR);
                Reply::now(result)
            }
            Err(reply) => Reply::later(async move {
                if let Ok(result) = tokio::time::timeout(self.limit, reply).await {
                    self.note(result.as_ref().err(), ERROR);
                    return result;
                }
                let why = format!("no answer within {} s", self.limit.as_secs());
                let error = StoreError::Unavailable(why.into());
                self.note(Some(&error), TIMEOUT);
                Err(error)
            }),
        }
    }

    /// Tells once that the store is away, and once that it is back. One that is full is there.
    fn note(&self, error: Option<&StoreError>, reason: &'static str) {
        let is_away = matches!(error, Some(StoreError::Unavailable(_)));
        // Read first: to write each time would make all threads wait for one another.
        if self.is_away.load(Ordering::Relaxed) == is_away || self.is_away.swap(is_away, Ordering::Relaxed) == is_away {
            return;
        }
        self.events.tell(if is_away {
            Fact::of(EventKind::StoreAway).reason(reason)
        } else {
            Fact::of(EventKind::StoreBack)
        });
    }
}

impl Store for Deadline {
    fn read(&self, key: Key) -> Reply<'_, Seen> {
        self.within(self.store.read(key))
    }

    fn swap(&self, key: Key, change: Change) -> Reply<'_, Swap> {
        self.within(self.store.swap(key, change))
    }

    fn count<'a>(&'a self, counts: &'a [Count]) -> Reply<'a, Vec<Counted>> {
        self.within(self.store.count(counts))
    }

    fn renew(&self, bucket: u16, was: Incarnation) -> Reply<'_, Incarnation> {
        self.within(self.store.renew(bucket, was))
    }

    fn about(&self) -> About {
        self.store.about()
    }
}

const ERROR: &str = "error";
const TIMEOUT: &str = "timeout";
