//! The embedded default: this process's memory, in buckets, bounded, expiring by itself.

mod bucket;
mod spread;

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::model::{Clock, Timestamp};
use crate::store::memory::bucket::{Bucket, Gone, Room};
use crate::store::{About, BUCKETS, Change, Count, Counted, Incarnation, Key, Reply, SLOTS, Seen, Store, Swap};

/// Keeps its values in this process's memory: for a service that runs as one process, and may sign everyone out when it
/// restarts.
///
/// It is bounded, and needs no thread: whenever a bucket is written to, it drops some of its expired values, and a full
/// store drops expired values of any bucket. If none have expired, a full store refuses new values rather than forget
/// that something was spent or revoked.
pub struct MemoryStore {
    clock: Clock,
    room: Room,
    /// The second in which no bucket had anything left that has expired.
    swept: AtomicU64,
    /// Where the next search for what has expired begins.
    next: AtomicUsize,
    buckets: Box<[Mutex<Bucket>]>,
    changes: Changes,
    counters: Box<[Mutex<Counters>]>,
}

/// How often each bucket has changed, raised under its lock. Reading it writes nothing.
#[derive(Clone)]
pub(crate) struct Changes(Arc<[AtomicU64]>);

/// A part of the slots: for each the second in which its window ends, and the sum. Slots that were never written take
/// no memory if the system hands out zeroed pages.
struct Counters(Vec<[u32; 2]>);

impl MemoryStore {
    /// How many values are kept unless [`MemoryStore::with_capacity`] says otherwise.
    pub const DEFAULT_CAPACITY: usize = 1_000_000;

    /// A store with the default capacity and the system's clock.
    #[must_use]
    pub fn new() -> Self {
        MemoryStore::with_capacity(MemoryStore::DEFAULT_CAPACITY)
    }

    /// A store that keeps this many values: one for each user who is signed in or holds a refresh token, and one
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
            room: Room::new(values),
            swept: AtomicU64::new(0),
            next: AtomicUsize::new(0),
            buckets: (0..BUCKETS).map(|_| Mutex::new(Bucket::new(now))).collect(),
            changes: Changes((0..BUCKETS).map(|_| AtomicU64::new(0)).collect()),
            counters: (0..SHARDS).map(|_| Mutex::new(Counters(vec![[0; 2]; SLOTS as usize / SHARDS]))).collect(),
        }
    }

    fn bucket(&self, number: u16) -> &Mutex<Bucket> {
        // The number of a bucket is less than there are buckets.
        &self.buckets[usize::from(number % BUCKETS)]
    }

    /// This store, if it is one or a pointer to one. One that is wrapped in another store could answer differently.
    pub(crate) fn found(store: &dyn Store) -> Option<&MemoryStore> {
        let any: &dyn Any = store;
        let chosen = any.downcast_ref::<Box<dyn Store>>().map(Box::as_ref);
        if let Some(store) = chosen.or(any.downcast_ref::<Arc<dyn Store>>().map(Arc::as_ref)) {
            return MemoryStore::found(store);
        }
        let boxed = any.downcast_ref::<Box<MemoryStore>>().map(Box::as_ref);
        let shared = any.downcast_ref::<Arc<MemoryStore>>().map(Arc::as_ref);
        any.downcast_ref().or(boxed).or(shared)
    }

    pub(crate) fn changes(&self) -> &Changes {
        &self.changes
    }

    /// If the store is full, drops expired values of any bucket, a few at a time, each time under a short lock.
    fn make_room(&self, now: Timestamp) {
        if !self.room.is_full() || self.swept.load(Ordering::Relaxed) == now.seconds() {
            return;
        }
        let (all, begin, mut dropped) = (self.buckets.len(), self.next.load(Ordering::Relaxed), 0);
        for at in (begin..begin + all).map(|at| at % all) {
            let mut gone = Gone::default();
            dropped += self.buckets[at].lock().drop_expired(now, &self.room, &mut gone);
            if dropped >= ENOUGH {
                self.next.store(at, Ordering::Relaxed);
                return;
            }
        }
        if dropped == 0 {
            self.swept.store(now.seconds(), Ordering::Relaxed);
        }
    }
}

impl Store for MemoryStore {
    fn read(&self, key: Key) -> Reply<'_, Seen> {
        let bucket = self.bucket(key.bucket()).lock();
        Reply::now(Ok(bucket.seen(key, self.clock.now())))
    }

    fn swap(&self, key: Key, change: Change) -> Reply<'_, Swap> {
        self.make_room(self.clock.now());
        // Outlives the lock.
        let mut gone = Gone::default();
        let mut bucket = self.bucket(key.bucket()).lock();
        let swapped = bucket.swap(key, change, &self.room, self.clock.now(), &mut gone);
        self.changes.bucket(key.bucket()).fetch_add(1, Ordering::Release);
        Reply::now(swapped)
    }

    fn count<'a>(&'a self, counts: &'a [Count]) -> Reply<'a, Vec<Counted>> {
        let now = self.clock.now();
        let count = |count: &Count| {
            let slot = count.slot as usize;
            self.counters[slot % SHARDS].lock().count(slot / SHARDS, *count, now)
        };
        Reply::now(Ok(counts.iter().map(count).collect()))
    }

    fn renew(&self, number: u16, was: Incarnation) -> Reply<'_, Incarnation> {
        let mut bucket = self.bucket(number).lock();
        let mut before = None;
        if bucket.incarnation == was {
            before = Some(std::mem::replace(&mut *bucket, Bucket::new(self.clock.now())));
            self.changes.bucket(number).fetch_add(1, Ordering::Release);
        }
        let incarnation = bucket.incarnation;
        drop(bucket);
        // All that was in it is dropped without its lock.
        before.into_iter().for_each(|before| self.room.leave(before.len()));
        Reply::now(Ok(incarnation))
    }

    fn about(&self) -> About {
        About { engine: "memory", schema: None, has_clock: false }
    }
}

impl Changes {
    /// The number of changes of this key's bucket. While it stays the same, a read in the same second finds the same,
    /// since only this process writes.
    pub(crate) fn of(&self, key: Key) -> u64 {
        self.bucket(key.bucket()).load(Ordering::Acquire)
    }

    /// Raise it before the lock of the bucket is released, so before anyone can learn of the change.
    fn bucket(&self, number: u16) -> &AtomicU64 {
        &self.0[usize::from(number % BUCKETS)]
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

impl Counters {
    fn count(&mut self, place: usize, Count { add, window, .. }: Count, now: Timestamp) -> Counted {
        // An invalid slot counts as too much.
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
/// How many values are dropped for one that finds the store full.
const ENOUGH: usize = 64;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::store::Value;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn whatever_changes_a_bucket_is_counted_and_what_reads_it_is_not() {
        let store = MemoryStore::new();
        let (key, change) = (Key::named("a"), |seen: Seen| {
            let value = Some(Value::from(b"{}".to_vec()));
            Change { incarnation: seen.incarnation, since: seen.kept.map(|kept| kept.version), value, keep: MINUTE }
        });
        let read = || store.read(key).if_now().expect("at once").expect("an answer");
        let mut last = store.changes().of(key);
        read();
        assert_eq!(store.changes().of(key), last);
        for value in [true, false] {
            let change = change(read());
            let change = Change { value: change.value.filter(|_| value), ..change };
            assert!(matches!(store.swap(key, change).if_now().expect("at once"), Ok(Swap::Done { .. })));
            assert_ne!(store.changes().of(key), last);
            last = store.changes().of(key);
        }
        assert!(store.renew(key.bucket(), read().incarnation).if_now().expect("at once").is_ok());
        assert_ne!(store.changes().of(key), last);
    }

    /// A wrapper may answer differently from the store in it.
    #[test]
    fn it_is_found_where_nothing_stands_around_it() {
        let chosen: Box<dyn Store> = Box::new(MemoryStore::new());
        assert!(MemoryStore::found(&MemoryStore::new()).is_some() && MemoryStore::found(&chosen).is_some());
        assert!(MemoryStore::found(&Box::new(MemoryStore::new())).is_some());
        let shared = Arc::new(MemoryStore::new());
        let named: Arc<dyn Store> = Arc::<MemoryStore>::clone(&shared);
        assert!(MemoryStore::found(&shared).is_some() && MemoryStore::found(&named).is_some());
        #[cfg(feature = "testing")]
        assert!(MemoryStore::found(&crate::testing::FaultyStore::new(MemoryStore::new())).is_none());
    }
}

#[cfg(all(test, feature = "testing"))]
mod full_tests {
    use std::time::Duration;

    use super::*;
    use crate::store::Value;

    fn put(store: &MemoryStore, name: &str, keep: u64) -> bool {
        let key = Key::named(name);
        let seen = store.read(key).if_now().expect("at once").expect("an answer");
        let (value, since) = (Some(Value::from(b"{}".to_vec())), seen.kept.map(|kept| kept.version));
        let change = Change { incarnation: seen.incarnation, since, value, keep: Duration::from_secs(keep) };
        matches!(store.swap(key, change).if_now().expect("at once"), Ok(Swap::Done { .. }))
    }

    /// Names are spread by chance: some buckets have many times their part of so few.
    #[test]
    fn a_store_is_full_when_all_of_it_is_and_what_expired_anywhere_makes_room() {
        const ALL: usize = 2_000;
        let clock = Clock::by_hand();
        let store = MemoryStore::with(ALL, clock.clone());
        let made = (0..3 * ALL).filter(|number| put(&store, &format!("old {number}"), 60)).count();
        assert_eq!(made, ALL);
        assert!(put(&store, "old 0", 120), "what is there can be changed");
        clock.advance(Duration::from_secs(60));
        let made = (0..3 * ALL).filter(|number| put(&store, &format!("new {number}"), 60)).count();
        assert_eq!(made, ALL - 1);
        let kept: usize = store.buckets.iter().map(|bucket| bucket.lock().len()).sum();
        assert_eq!((kept, store.room.kept()), (ALL, ALL));
        for bucket in 0..BUCKETS {
            let was = store.buckets[usize::from(bucket)].lock().incarnation;
            assert!(store.renew(bucket, was).if_now().expect("at once").is_ok());
        }
        assert_eq!(store.room.kept(), 0);
    }
}
