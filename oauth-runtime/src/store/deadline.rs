//! A store that answers in time, or counts as unavailable.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::event::teller::Events;
use crate::event::{EventKind, Fact, request};
use crate::meter::{Stopwatch, StoreOutcome, StoreVerb};
use crate::store::{About, Change, Count, Counted, Incarnation, Key, Reply, Seen, Store, StoreError, Swap};

/// Limits every call of another store to this time. What the store does after that is unknown.
pub(crate) struct Deadline {
    store: Arc<dyn Store>,
    limit: Duration,
    events: Arc<Events>,
    /// How often it has gone away or come back: if odd, it is away.
    turns: AtomicU64,
    /// Until when a store that did not answer a call is not asked again, in milliseconds of this value's life; 0 if it
    /// answers.
    silent_until: AtomicU64,
    begun: Instant,
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
        Deadline {
            store,
            limit,
            events,
            turns: AtomicU64::new(0),
            silent_until: AtomicU64::new(0),
            begun: Instant::now(),
        }
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
                let Some(mut asking) = self.may_ask() else { return Err(self.silent()) };
                let answered = tokio::time::timeout(self.limit, reply).await;
                // It is over, and may leave the very value that is there already.
                asking.alone = None;
                if let Ok(result) = answered {
                    self.silent_until.store(0, Ordering::Relaxed);
                    self.note(call, outcome_of(&result));
                    return result;
                }
                self.silent_until.store(self.in_a_moment(Duration::ZERO), Ordering::Relaxed);
                self.note(call, StoreOutcome::Timeout);
                Err(self.silent())
            }),
        }
    }

    /// A silent store is asked by one call at a time, and not again at once: all others would only wait in vain.
    fn may_ask(&self) -> Option<Asking<'_>> {
        let until = self.silent_until.load(Ordering::Relaxed);
        if until == 0 {
            return Some(Asking { silent_until: &self.silent_until, alone: None });
        }
        let alone = self.in_a_moment(self.limit);
        let is_over = until <= self.in_a_moment(Duration::ZERO).saturating_sub(millis(MOMENT));
        (is_over && self.silent_until.compare_exchange(until, alone, Ordering::Relaxed, Ordering::Relaxed).is_ok())
            .then(|| Asking { silent_until: &self.silent_until, alone: Some((alone, until)) })
    }

    fn in_a_moment(&self, after: Duration) -> u64 {
        millis(self.begun.elapsed() + after + MOMENT)
    }

    fn silent(&self) -> StoreError {
        let why = format!("{} gave no answer within {} s", self.store.about().engine, self.limit.as_secs());
        StoreError::Unavailable(why.into())
    }

    /// Reports once that the store is away, and once that it is back. A full store is not away.
    ///
    /// A call that began before the last turn says nothing about the store's present state.
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

/// A call that asks the store.
struct Asking<'a> {
    silent_until: &'a AtomicU64,
    /// Set while all others wait for this one: until when, and what was there before.
    alone: Option<(u64, u64)>,
}

impl Drop for Asking<'_> {
    /// One that is dropped without an answer, since its caller went away, keeps no other from asking.
    fn drop(&mut self) {
        if let Some((alone, before)) = self.alone {
            // A call from before the silence may have set another.
            let _ = self.silent_until.compare_exchange(alone, before, Ordering::Relaxed, Ordering::Relaxed);
        }
    }
}

impl Store for Deadline {
    fn read(&self, key: Key) -> Reply<'_, Seen> {
        self.within(self.call(StoreVerb::Read), self.store.read(key))
    }

    fn swap(&self, key: Key, change: Change) -> Reply<'_, Swap> {
        request::writes();
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

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// How long a store that was silent is left alone.
const MOMENT: Duration = Duration::from_secs(1);

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
    use crate::store::silent::Silent;

    /// All but one would only wait in vain.
    #[tokio::test(start_paused = true)]
    async fn a_silent_store_is_asked_by_one_at_a_time() {
        let events = Arc::new(Events::new(Clock::system(), Vec::new()).expect("no thread is needed"));
        let silent = Silent(About { engine: "silent", schema: None, has_clock: false });
        let store = Deadline::new(Arc::new(silent), Duration::from_secs(5), events);
        let asked = async || {
            let begun = Instant::now();
            let why = store.read(Key::named("a")).await.expect_err("no answer").to_string();
            assert_eq!(why, "the store is unavailable: silent gave no answer within 5 s");
            begun.elapsed()
        };
        assert_eq!(asked().await, Duration::from_secs(5));
        for _ in 0..100 {
            assert_eq!(asked().await, Duration::ZERO);
        }
        // It is tried again a moment later, by one.
        tokio::time::advance(MOMENT).await;
        let store = &store;
        let begun = Instant::now();
        let (probe, other) = tokio::join!(store.read(Key::named("a")), async {
            tokio::task::yield_now().await;
            let refused = store.read(Key::named("b")).await;
            (refused, begun.elapsed())
        });
        assert!(probe.is_err() && other.0.is_err());
        assert_eq!((begun.elapsed(), other.1), (Duration::from_secs(5), Duration::ZERO));
        // If that one's caller goes away, the next may ask.
        tokio::time::advance(MOMENT).await;
        assert!(tokio::time::timeout(Duration::from_secs(1), store.read(Key::named("a"))).await.is_err());
        assert_eq!(asked().await, Duration::from_secs(5));
        assert_eq!(asked().await, Duration::ZERO, "it was silent");
    }

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
