//! The embedded default: this process's memory, sharded and bounded, expiring by itself.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::Duration;

use parking_lot::Mutex;

use crate::model::{Clock, Timestamp};
use crate::store::{Advance, Count, Reply, Spend, Store, StoreError};

/// Keeps its facts in this process's memory: for a service that runs as one process.
///
/// It is bounded, and needs no thread: a shard drops what has expired when it is written to. Where it is full of
/// facts that have not expired it refuses new ones, rather than forget that something was spent or revoked;
/// counters alone make room for new ones, the smallest first.
pub struct MemoryStore {
    clock: Clock,
    birth: Timestamp,
    spent: Sharded<Box<str>>,
    grants: Sharded<Grant>,
    not_before: Sharded<Timestamp>,
    counters: Sharded<u64>,
}

impl MemoryStore {
    /// How many facts of a kind are kept unless [`MemoryStore::with_capacity`] says otherwise.
    pub const DEFAULT_CAPACITY: usize = 1_000_000;

    /// A store with the default capacity and the system's clock.
    #[must_use]
    pub fn new() -> Self {
        MemoryStore::with_capacity(MemoryStore::DEFAULT_CAPACITY)
    }

    /// A store that keeps at most this many facts of each kind (spent codes, grants, subjects). A fact takes in the
    /// order of 150 bytes.
    #[must_use]
    pub fn with_capacity(facts: usize) -> Self {
        MemoryStore::with(facts, Clock::system())
    }

    /// A store that reads this clock: for tests that advance it.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn with_clock(clock: Clock) -> Self {
        MemoryStore::with(MemoryStore::DEFAULT_CAPACITY, clock)
    }

    pub(crate) fn with(facts: usize, clock: Clock) -> Self {
        MemoryStore {
            birth: clock.now(),
            clock,
            spent: Sharded::new(facts),
            grants: Sharded::new(facts),
            not_before: Sharded::new(facts),
            counters: Sharded::new(facts.min(COUNTERS)),
        }
    }
}

impl Store for MemoryStore {
    fn birth(&self) -> Reply<'_, Timestamp> {
        Reply::now(Ok(self.birth))
    }

    fn spend<'a>(&'a self, id: &'a str, record: &'a str, until: Timestamp) -> Reply<'a, Spend> {
        let now = self.clock.now();
        Reply::now(self.spent.with(id, |shard| match shard.get(id, now) {
            Some((_, first)) => Ok(Spend::Already(first.to_string())),
            None => shard.insert(id, record.into(), until, now).map(|()| Spend::First),
        }))
    }

    fn begin<'a>(&'a self, grant: &'a str, until: Timestamp) -> Reply<'a, ()> {
        let now = self.clock.now();
        Reply::now(self.grants.with(grant, |shard| match shard.get(grant, now) {
            Some(_) => Ok(()),
            None => shard.insert(grant, Grant::Live { generation: 0, since: now }, until, now),
        }))
    }

    fn advance<'a>(&'a self, grant: &'a str, from: u64, grace: Duration, until: Timestamp) -> Reply<'a, Advance> {
        let now = self.clock.now();
        Reply::now(self.grants.with(grant, |shard| {
            let Some((expires, state)) = shard.get(grant, now) else { return Ok(Advance::Ended) };
            let Grant::Live { generation, since } = *state else { return Ok(Advance::Ended) };
            if from == generation {
                *state = Grant::Live { generation: generation + 1, since: now };
                *expires = until;
                Ok(Advance::Advanced(generation + 1))
            } else if from.checked_add(1) == Some(generation) && now.since(since) < grace {
                Ok(Advance::Grace(generation))
            } else {
                *state = Grant::Revoked;
                *expires = (*expires).max(until);
                Ok(Advance::Reused)
            }
        }))
    }

    fn revoke<'a>(&'a self, grant: &'a str, until: Timestamp) -> Reply<'a, ()> {
        let now = self.clock.now();
        Reply::now(self.grants.with(grant, |shard| match shard.get(grant, now) {
            Some((expires, state)) => {
                *state = Grant::Revoked;
                *expires = (*expires).max(until);
                Ok(())
            }
            None => shard.insert(grant, Grant::Revoked, until, now),
        }))
    }

    fn is_revoked<'a>(&'a self, grant: &'a str) -> Reply<'a, bool> {
        Reply::now(Ok(self.grants.with(grant, |shard| matches!(shard.read(grant, &self.clock), Some(Grant::Revoked)))))
    }

    fn set_not_before<'a>(&'a self, subject: &'a str, at: Timestamp, until: Timestamp) -> Reply<'a, ()> {
        let now = self.clock.now();
        Reply::now(self.not_before.with(subject, |shard| match shard.get(subject, now) {
            Some((expires, set)) => {
                *set = (*set).max(at);
                *expires = (*expires).max(until);
                Ok(())
            }
            None => shard.insert(subject, at, until, now),
        }))
    }

    fn not_before<'a>(&'a self, subject: &'a str) -> Reply<'a, Option<Timestamp>> {
        Reply::now(Ok(self.not_before.with(subject, |shard| shard.read(subject, &self.clock).copied())))
    }

    fn count<'a>(&'a self, key: &'a str, add: i64, window: Duration) -> Reply<'a, Count> {
        let now = self.clock.now();
        Reply::now(Ok(self.counters.with(key, |shard| {
            if let Some((expires, sum)) = shard.get(key, now) {
                *sum = sum.saturating_add_signed(add);
                return Count { sum: *sum, ends_in: expires.since(now) };
            }
            let sum = u64::try_from(add).unwrap_or(0);
            if sum > 0 {
                shard.make_room();
                // There is room now, so that this insertion is not refused.
                let _ = shard.insert(key, sum, now + window, now);
            }
            Count { sum, ends_in: window }
        })))
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        MemoryStore::new()
    }
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryStore").field("birth", &self.birth).finish_non_exhaustive()
    }
}

#[derive(Clone, Copy)]
enum Grant {
    Live {
        generation: u64,
        /// When the generation before was first used.
        since: Timestamp,
    },
    Revoked,
}

/// A map in parts, so that few callers wait for one another.
struct Sharded<V> {
    shards: Box<[Mutex<Shard<V>>]>,
    hasher: RandomState,
}

impl<V> Sharded<V> {
    fn new(capacity: usize) -> Self {
        let each = capacity.div_ceil(SHARDS).max(1);
        let shards = (0..SHARDS).map(|_| Mutex::new(Shard::new(each))).collect();
        Sharded { shards, hasher: RandomState::new() }
    }

    fn with<R>(&self, key: &str, then: impl FnOnce(&mut Shard<V>) -> R) -> R {
        let index = self.hasher.hash_one(key) as usize % SHARDS;
        then(&mut self.shards[index].lock())
    }
}

struct Shard<V> {
    facts: HashMap<Box<str>, (Timestamp, V)>,
    capacity: usize,
    next_sweep: Timestamp,
}

impl<V> Shard<V> {
    fn new(capacity: usize) -> Self {
        Shard { facts: HashMap::new(), capacity, next_sweep: Timestamp::from_seconds(0) }
    }

    /// The fact, unless it has expired.
    fn get(&mut self, key: &str, now: Timestamp) -> Option<(&mut Timestamp, &mut V)> {
        self.facts.get_mut(key).filter(|(expires, _)| *expires > now).map(|(expires, value)| (expires, value))
    }

    /// The fact, unless it has expired. The clock is asked only where there is one: on most requests there is none.
    fn read(&self, key: &str, clock: &Clock) -> Option<&V> {
        self.facts.get(key).filter(|(expires, _)| *expires > clock.now()).map(|(_, value)| value)
    }

    fn insert(&mut self, key: &str, value: V, until: Timestamp, now: Timestamp) -> Result<(), StoreError> {
        if now >= self.next_sweep {
            self.facts.retain(|_, (expires, _)| *expires > now);
            self.next_sweep = now + SWEEP_EVERY;
        }
        if self.facts.len() >= self.capacity && !self.facts.contains_key(key) {
            return Err(StoreError::Full);
        }
        self.facts.insert(key.into(), (until, value));
        Ok(())
    }
}

impl Shard<u64> {
    /// Drops the smallest counter of a full shard. Whoever floods it with new keys drops his own, since the key that
    /// is under attack has counted more.
    fn make_room(&mut self) {
        if self.facts.len() < self.capacity {
            return;
        }
        let smallest = self.facts.iter().min_by_key(|(_, (expires, sum))| (*sum, *expires)).map(|(key, _)| key.clone());
        if let Some(key) = smallest {
            self.facts.remove(&key);
        }
    }
}

const SHARDS: usize = 64;
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// Few enough that finding the smallest of a shard is quick.
const COUNTERS: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_store_refuses_and_never_forgets() {
        let mut shard = Shard::new(1);
        let (now, later) = (Timestamp::from_seconds(1), Timestamp::from_seconds(100));
        assert!(shard.insert("a", (), later, now).is_ok());
        assert!(matches!(shard.insert("b", (), later, now), Err(StoreError::Full)));
        assert!(shard.get("a", now).is_some());
        assert!(shard.insert("b", (), later + SWEEP_EVERY, later).is_ok(), "what has expired makes room");
        assert!(shard.get("a", later).is_none());
    }

    #[test]
    fn a_flood_of_counters_drops_the_smallest() {
        let mut shard = Shard::new(2);
        let (now, later) = (Timestamp::from_seconds(1), Timestamp::from_seconds(100));
        shard.insert("victim", 9, later, now).expect("room");
        for flood in ["a", "b", "c", "d"] {
            shard.make_room();
            shard.insert(flood, 1, later, now).expect("room");
        }
        assert!(shard.get("victim", now).is_some() && shard.facts.len() == 2);
    }
}
