//! A store that answers in time, or is taken to be away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::event::teller::Events;
use crate::event::{EventKind, Fact};
use crate::meter::{Stopwatch, StoreOutcome, StoreVerb};
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

    /// The watch was started before the store was asked.
    fn within<'a, T>(&'a self, verb: StoreVerb, watch: Stopwatch, reply: Reply<'a, T>) -> Reply<'a, T>
    where
        T: Send + Unpin + 'a,
    {
        match reply.if_now() {
            Ok(result) => {
                self.note(verb, watch, outcome_of(&result));
                Reply::now(result)
            }
            Err(reply) => Reply::later(async move {
                if let Ok(result) = tokio::time::timeout(self.limit, reply).await {
                    self.note(verb, watch, outcome_of(&result));
                    return result;
                }
                self.note(verb, watch, StoreOutcome::Timeout);
                let why = format!("no answer within {} s", self.limit.as_secs());
                Err(StoreError::Unavailable(why.into()))
            }),
        }
    }

    /// Tells once that the store is away, and once that it is back. One that is full is there.
    fn note(&self, verb: StoreVerb, watch: Stopwatch, outcome: StoreOutcome) {
        watch.store_called(verb, outcome);
        let reason = match outcome {
            StoreOutcome::Answered | StoreOutcome::Full => None,
            StoreOutcome::Error => Some("error"),
            StoreOutcome::Timeout => Some("timeout"),
        };
        let is_away = reason.is_some();
        // Read first: to write each time would make all threads wait for one another.
        if self.is_away.load(Ordering::Relaxed) == is_away || self.is_away.swap(is_away, Ordering::Relaxed) == is_away {
            return;
        }
        self.events.tell(match reason {
            Some(reason) => Fact::of(EventKind::StoreAway).reason(reason),
            None => Fact::of(EventKind::StoreBack),
        });
    }
}

impl Store for Deadline {
    fn read(&self, key: Key) -> Reply<'_, Seen> {
        self.within(StoreVerb::Read, Stopwatch::start(), self.store.read(key))
    }

    fn swap(&self, key: Key, change: Change) -> Reply<'_, Swap> {
        self.within(StoreVerb::Swap, Stopwatch::start(), self.store.swap(key, change))
    }

    fn count<'a>(&'a self, counts: &'a [Count]) -> Reply<'a, Vec<Counted>> {
        self.within(StoreVerb::Count, Stopwatch::start(), self.store.count(counts))
    }

    fn renew(&self, bucket: u16, was: Incarnation) -> Reply<'_, Incarnation> {
        self.within(StoreVerb::Renew, Stopwatch::start(), self.store.renew(bucket, was))
    }

    fn about(&self) -> About {
        self.store.about()
    }
}

fn outcome_of<T>(result: &Result<T, StoreError>) -> StoreOutcome {
    match result {
        Ok(_) => StoreOutcome::Answered,
        Err(StoreError::Full) => StoreOutcome::Full,
        Err(StoreError::Unavailable(_)) => StoreOutcome::Error,
    }
}
