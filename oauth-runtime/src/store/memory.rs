//! The embedded default: this process's memory, in buckets, bounded, expiring by itself.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;

use crate::model::{Clock, Timestamp};
use crate::store::{
    About, BUCKETS, Change, Count, Counted, Incarnation, Kept, Key, Reply, SLOTS, Seen, Store, StoreError, Swap, Value,
};

/// Keeps its values in this process's memory: for a service that runs as one process, and may sign everybody out when it
/// starts again.
///
/// It is bounded, and needs no thread: a bucket drops what has expired when it is written to. Where it is full of values
/// that have not expired it refuses new ones, rather than forget that something was spent or revoked.
pub struct MemoryStore {
    clock: Clock,
    capacity: usize,
    buckets: Box<[Mutex<Bucket>]>,
    counters: Box<[Mutex<Counters>]>,
}

struct Bucket {
    incarnation: Incarnation,
    born: Timestamp,
    sequence: u64,
    values: HashMap<Key, (Timestamp, Kept)>,
    next_sweep: Timestamp,
}

/// A part of the slots: for each the second in which its window ends, and the sum. What was never written takes no memory
/// where the system hands out zeroed pages.
struct Counters(Vec<[u32; 2]>);

impl MemoryStore {
    /// How many values are kept unless [`MemoryStore::with_capacity`] says otherwise.
    pub const DEFAULT_CAPACITY: usize = 1_000_000;

    /// A store with the default capacity and the system's clock.
    #[must_use]
    pub fn new() -> Self {
        MemoryStore::with_capacity(MemoryStore::DEFAULT_CAPACITY)
    }

    /// A store that keeps about this many values: one for each user who is signed in or holds a refresh token, and one
    /// for each form and assertion that was spent minutes ago. One takes in the order of 500 bytes.
    #[must_use]
    pub fn with_capacity(values: usize) -> Self {
        MemoryStore::with(values, Clock::system())
    }

    /// A store that reads this clock: for tests that advance it.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn with_clock(clock: Clock) -> Self {
        MemoryStore::with(MemoryStore::DEFAULT_CAPACITY, clock)
    }

    pub(crate) fn with(values: usize, clock: Clock) -> Self {
        let now = clock.now();
        MemoryStore {
            clock,
            // Names are spread by chance, so that a bucket has some more than its part.
            capacity: (values.div_ceil(usize::from(BUCKETS)) * 5).div_ceil(4),
            buckets: (0..BUCKETS).map(|_| Mutex::new(Bucket::new(now))).collect(),
            counters: (0..SHARDS).map(|_| Mutex::new(Counters(vec![[0; 2]; SLOTS as usize / SHARDS]))).collect(),
        }
    }

    fn bucket(&self, number: u16) -> &Mutex<Bucket> {
        // The number of a bucket is less than there are buckets.
        &self.buckets[usize::from(number % BUCKETS)]
    }
}

impl Store for MemoryStore {
    fn read(&self, key: Key) -> Reply<'_, Seen> {
        let bucket = self.bucket(key.bucket()).lock();
        Reply::now(Ok(bucket.seen(key, self.clock.now())))
    }

    fn swap(&self, key: Key, change: Change) -> Reply<'_, Swap> {
        let mut bucket = self.bucket(key.bucket()).lock();
        Reply::now(bucket.swap(key, change, self.capacity, self.clock.now()))
    }

    fn count<'a>(&'a self, counts: &'a [Count]) -> Reply<'a, Vec<Counted>> {
        let now = self.clock.now();
        let count = |count: &Count| {
            let slot = count.slot as usize;
            self.counters[slot % SHARDS].lock().count(slot / SHARDS, *count, now)
        };
        Reply::now(Ok(counts.iter().map(count).collect()))
    }

    fn renew(&self, bucket: u16, was: Incarnation) -> Reply<'_, Incarnation> {
        let mut bucket = self.bucket(bucket).lock();
        if bucket.incarnation == was {
            *bucket = Bucket::new(self.clock.now());
        }
        Reply::now(Ok(bucket.incarnation))
    }

    fn about(&self) -> About {
        About { engine: "memory", schema: None, has_clock: false }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        MemoryStore::new()
    }
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

impl Bucket {
    fn new(now: Timestamp) -> Self {
        Bucket {
            incarnation: Incarnation::draw(),
            born: now,
            sequence: 0,
            values: HashMap::new(),
            next_sweep: now + SWEEP_EVERY,
        }
    }

    fn seen(&self, key: Key, now: Timestamp) -> Seen {
        let kept = self.values.get(&key).filter(|(until, _)| *until > now).map(|(_, kept)| kept.clone());
        Seen { incarnation: self.incarnation, born: self.born, sequence: self.sequence, now, kept }
    }

    fn swap(&mut self, key: Key, change: Change, capacity: usize, now: Timestamp) -> Result<Swap, StoreError> {
        let Change { incarnation, since, value, keep } = change;
        let seen = self.seen(key, now);
        if incarnation != seen.incarnation || since != seen.kept.as_ref().map(|kept| kept.version) {
            return Ok(Swap::Changed(seen));
        }
        match value {
            None => drop(self.values.remove(&key)),
            Some(value) => self.insert(key, value, now + keep, capacity, now)?,
        }
        self.sequence += 1;
        Ok(Swap::Done { sequence: self.sequence, now })
    }

    fn insert(
        &mut self,
        key: Key,
        value: Value,
        until: Timestamp,
        capacity: usize,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if now >= self.next_sweep {
            self.values.retain(|_, (until, _)| *until > now);
            self.next_sweep = now + SWEEP_EVERY;
        }
        // There is always room for a sign-out: only the application makes one of a user of whom nothing is kept.
        if self.values.len() >= capacity && !self.values.contains_key(&key) && !value.signs_out() {
            return Err(StoreError::Full);
        }
        self.values.insert(key, (until, Kept { version: self.sequence + 1, value }));
        Ok(())
    }
}

impl Counters {
    fn count(&mut self, place: usize, Count { add, window, .. }: Count, now: Timestamp) -> Counted {
        // What is no slot counts too much.
        let Some([until, sum]) = self.0.get_mut(place) else { return Counted { sum: u64::MAX, ends_in: window } };
        let is_running = u64::from(*until) > now.seconds();
        let before = if is_running { u64::from(*sum) } else { 0 };
        let after = u32::try_from(before.saturating_add_signed(add)).unwrap_or(u32::MAX);
        if !is_running && after > 0 {
            *until = u32::try_from((now + window).seconds()).unwrap_or(u32::MAX);
        }
        if is_running || after > 0 {
            *sum = after;
        }
        let ends_in = if is_running { Timestamp::from_seconds(u64::from(*until)).since(now) } else { window };
        Counted { sum: u64::from(after), ends_in }
    }
}

/// Divides [`SLOTS`].
const SHARDS: usize = 64;
const SWEEP_EVERY: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::record::Record;

    #[test]
    fn a_full_store_refuses_and_never_forgets() {
        let (now, minute) = (Timestamp::from_seconds(1_000), Duration::from_secs(60));
        let mut bucket = Bucket::new(now);
        let put = |bucket: &mut Bucket, name: &str, now| {
            let (incarnation, value) = (bucket.incarnation, Some(Value::from(b"{}".to_vec())));
            bucket.swap(Key::named(name), Change { incarnation, since: None, value, keep: minute }, 1, now)
        };
        assert!(matches!(put(&mut bucket, "a", now), Ok(Swap::Done { sequence: 1, .. })));
        assert!(matches!(put(&mut bucket, "b", now), Err(StoreError::Full)));
        assert!(bucket.seen(Key::named("a"), now).kept.is_some());
        let (incarnation, mut record) = (bucket.incarnation, Record::default());
        record.sign_out(now);
        let sign_out =
            Change { incarnation, since: None, value: Some(Value::of(&record).expect("it is data")), keep: minute };
        assert!(
            matches!(bucket.swap(Key::named("c"), sign_out, 1, now), Ok(Swap::Done { .. })),
            "for a sign-out there is room"
        );
        let later = now + minute;
        assert!(bucket.seen(Key::named("a"), later).kept.is_none());
        assert!(matches!(put(&mut bucket, "b", later), Ok(Swap::Done { sequence: 3, .. })), "what expired makes room");
    }
}
