//! A store that answers in time, or is taken to be away.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
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
    /// How often it has gone away or come back: where that is odd it is away.
    turns: AtomicU64,
}

/// What is known of a call before the store is asked.
#[derive(Clone, Copy)]
struct Call {
    verb: StoreVerb,
    watch: Stopwatch,
    /// How often the store had gone away or come back by then.
    turn: u64,
}

impl Deadline {
    pub(crate) fn new(store: Arc<dyn Store>, limit: Duration, events: Arc<Events>) -> Self {
        Deadline { store, limit, events, turns: AtomicU64::new(0) }
    }

    fn call(&self, verb: StoreVerb) -> Call {
        Call { verb, watch: Stopwatch::start(), turn: self.turns.load(Ordering::Relaxed) }
    }

    fn within<'a, T>(&'a self, call: Call, reply: Reply<'a, T>) -> Reply<'a, T>
    where
        T: Send + Unpin + 'a,
    {
        match reply.if_now() {
            Ok(result) => {
                self.note(call, outcome_of(&result));
                Reply::now(result)
            }
            Err(reply) => Reply::later(async move {
                if let Ok(result) = tokio::time::timeout(self.limit, reply).await {
                    self.note(call, outcome_of(&result));
                    return result;
                }
                self.note(call, StoreOutcome::Timeout);
                let why = format!("no answer within {} s", self.limit.as_secs());
                Err(StoreError::Unavailable(why.into()))
            }),
        }
    }

    /// Tells once that the store is away, and once that it is back. One that is full is there.
    ///
    /// A call that began before the last turn says nothing of the store as it is now.
    fn note(&self, Call { verb, watch, turn }: Call, outcome: StoreOutcome) {
        watch.store_called(verb, outcome);
        let reason = match outcome {
            StoreOutcome::Answered | StoreOutcome::Full => None,
            StoreOutcome::Error => Some("error"),
            StoreOutcome::Timeout => Some("timeout"),
        };
        let was_away = turn % 2 == 1;
        if was_away == reason.is_some() {
            return;
        }
        let next = turn.wrapping_add(1);
        if self.turns.compare_exchange(turn, next, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            self.events.tell(match reason {
                Some(reason) => Fact::of(EventKind::StoreAway).reason(reason),
                None => Fact::of(EventKind::StoreBack),
            });
        }
    }
}

impl Store for Deadline {
    fn read(&self, key: Key) -> Reply<'_, Seen> {
        self.within(self.call(StoreVerb::Read), self.store.read(key))
    }

    fn swap(&self, key: Key, change: Change) -> Reply<'_, Swap> {
        self.within(self.call(StoreVerb::Swap), self.store.swap(key, change))
    }

    fn count<'a>(&'a self, counts: &'a [Count]) -> Reply<'a, Vec<Counted>> {
        self.within(self.call(StoreVerb::Count), self.store.count(counts))
    }

    fn renew(&self, bucket: u16, was: Incarnation) -> Reply<'_, Incarnation> {
        self.within(self.call(StoreVerb::Renew), self.store.renew(bucket, was))
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;
    use crate::event::Event;
    use crate::event::teller::Listener;
    use crate::model::Clock;
    use crate::store::MemoryStore;

    #[test]
    fn an_outage_is_told_once_and_not_again_by_a_call_that_began_before_its_end() {
        let (sender, told) = channel();
        let listener: Listener = Box::new(move |event: &Event| {
            sender.send((event.kind, event.reason)).expect("the test listens");
        });
        let events = Arc::new(Events::new(Clock::system(), vec![listener]).expect("a thread"));
        let store = Deadline::new(Arc::new(MemoryStore::new()), Duration::from_secs(5), Arc::clone(&events));
        let [early, late] = [(); 2].map(|()| store.call(StoreVerb::Read));
        store.note(store.call(StoreVerb::Read), StoreOutcome::Answered);
        store.note(store.call(StoreVerb::Read), StoreOutcome::Full);
        store.note(store.call(StoreVerb::Read), StoreOutcome::Timeout);
        store.note(early, StoreOutcome::Answered);
        store.note(store.call(StoreVerb::Swap), StoreOutcome::Error);
        store.note(store.call(StoreVerb::Swap), StoreOutcome::Answered);
        store.note(late, StoreOutcome::Timeout);
        drop((store, events));
        let told: Vec<_> = told.iter().collect();
        assert_eq!(told, [(EventKind::StoreAway, Some("timeout")), (EventKind::StoreBack, None)]);
    }
}
