//! The embedded default: this process's memory, in buckets, bounded, expiring by itself.

use std::any::Any;
use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::model::{Clock, Timestamp};
use crate::store::{
    About, BUCKETS, Change, Count, Counted, Incarnation, Kept, Key, Reply, SLOTS, Seen, Store, StoreError, Swap, Value,
};

/// Keeps its values in this process's memory: for a service that runs as one process, and may sign everybody out when it
/// starts again.
///
/// It is bounded, and needs no thread: a bucket drops some of what has expired whenever it is written to, and a store that is
/// full what has expired anywhere. Where it is full of values that have not, it refuses new ones, rather than forget that
/// something was spent or revoked.
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

struct Bucket {
    incarnation: Incarnation,
    born: Timestamp,
    sequence: u64,
    values: HashMap<Key, (Timestamp, Kept), Spread>,
    /// The same, by when they expire: so that no more is touched at once than expires.
    ends: BTreeSet<(Timestamp, Key)>,
}

/// How many values there may be in all buckets together, and are.
struct Room {
    capacity: usize,
    kept: AtomicUsize,
}

/// How often each bucket has changed, raised under its lock: what only looks at that writes nothing.
#[derive(Clone)]
pub(crate) struct Changes(Arc<[AtomicU64]>);

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
            room: Room { capacity: values, kept: AtomicUsize::new(0) },
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

    /// This store, where it is one and nothing stands around it, which could answer otherwise.
    pub(crate) fn found(store: &dyn Store) -> Option<&MemoryStore> {
        let any: &dyn Any = store;
        match any.downcast_ref::<Box<dyn Store>>() {
            Some(chosen) => MemoryStore::found(&**chosen),
            None => any.downcast_ref(),
        }
    }

    pub(crate) fn changes(&self) -> &Changes {
        &self.changes
    }

    /// Where the store is full, drops what has expired, in whichever bucket: some of it at once, each under a lock of a moment.
    fn make_room(&self, now: Timestamp) {
        if !self.room.is_full() || self.swept.load(Ordering::Relaxed) == now.seconds() {
            return;
        }
        let (all, begin, mut dropped) = (self.buckets.len(), self.next.load(Ordering::Relaxed), 0);
        for at in (begin..begin + all).map(|at| at % all) {
            dropped += self.buckets[at].lock().drop_expired(now, &self.room);
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
        let mut bucket = self.bucket(key.bucket()).lock();
        let swapped = bucket.swap(key, change, &self.room, self.clock.now());
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
        before.into_iter().for_each(|before| self.room.leave(before.values.len()));
        Reply::now(Ok(incarnation))
    }

    fn about(&self) -> About {
        About { engine: "memory", schema: None, has_clock: false }
    }
}

impl Changes {
    /// Of the bucket of this key. While it is the same, so is what a read of the same second finds: this is the one process that
    /// writes.
    pub(crate) fn of(&self, key: Key) -> u64 {
        self.bucket(key.bucket()).load(Ordering::Acquire)
    }

    /// To be raised before the bucket's lock is let go, and so before anyone is told of the change.
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

impl Bucket {
    fn new(now: Timestamp) -> Self {
        Bucket {
            incarnation: Incarnation::draw(),
            born: now,
            sequence: 0,
            values: HashMap::default(),
            ends: BTreeSet::new(),
        }
    }

    fn seen(&self, key: Key, now: Timestamp) -> Seen {
        let kept = self.values.get(&key).filter(|(until, _)| *until > now).map(|(_, kept)| kept.clone());
        Seen { incarnation: self.incarnation, born: self.born, sequence: self.sequence, now, kept }
    }

    fn swap(&mut self, key: Key, change: Change, room: &Room, now: Timestamp) -> Result<Swap, StoreError> {
        let Change { incarnation, since, value, keep } = change;
        let seen = self.seen(key, now);
        if incarnation != seen.incarnation || since != seen.kept.as_ref().map(|kept| kept.version) {
            return Ok(Swap::Changed(seen));
        }
        match value {
            None => {
                if let Some((until, _)) = self.values.remove(&key) {
                    self.ends.remove(&(until, key));
                    room.leave(1);
                }
            }
            Some(value) => self.insert(key, value, now + keep, room, now)?,
        }
        self.sequence += 1;
        Ok(Swap::Done { sequence: self.sequence, now })
    }

    fn insert(
        &mut self,
        key: Key,
        value: Value,
        until: Timestamp,
        room: &Room,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.drop_expired(now, room);
        // There is always room for a sign-out: only the application makes one of a user of whom nothing is kept.
        if !self.values.contains_key(&key) && !room.enter() && !value.signs_out() {
            room.leave(1);
            return Err(StoreError::Full);
        }
        let kept = Kept { version: self.sequence + 1, value };
        if let Some((before, _)) = self.values.insert(key, (until, kept)) {
            self.ends.remove(&(before, key));
        }
        self.ends.insert((until, key));
        Ok(())
    }

    /// Drops what has expired, the oldest first: [a few](AT_ONCE), so that the bucket is not closed for long, and more than a
    /// write adds, so that none is left behind. How many it were.
    fn drop_expired(&mut self, now: Timestamp, room: &Room) -> usize {
        let mut dropped = 0;
        while dropped < AT_ONCE
            && let Some((until, key)) = self.ends.first().copied()
            && until <= now
        {
            self.ends.remove(&(until, key));
            self.values.remove(&key);
            dropped += 1;
        }
        room.leave(dropped);
        dropped
    }
}

impl Room {
    fn is_full(&self) -> bool {
        self.kept.load(Ordering::Relaxed) >= self.capacity
    }

    /// Counts one more; false where that is one too many.
    fn enter(&self) -> bool {
        self.kept.fetch_add(1, Ordering::Relaxed) < self.capacity
    }

    fn leave(&self, values: usize) {
        if values > 0 {
            self.kept.fetch_sub(values, Ordering::Relaxed);
        }
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

/// Hashes keys, which are hashes: it need only be unknown which of them fall together, since what some of them are of is
/// for strangers to choose.
struct Spread {
    seeds: [u64; 2],
}

impl Default for Spread {
    fn default() -> Self {
        Spread { seeds: [rand::random(), rand::random()] }
    }
}

impl BuildHasher for Spread {
    type Hasher = Folded;

    fn build_hasher(&self) -> Folded {
        let [state, factor] = self.seeds;
        Folded { state, factor: factor | 1 }
    }
}

struct Folded {
    state: u64,
    factor: u64,
}

impl Hasher for Folded {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks();
        words.iter().for_each(|word| self.write_u64(u64::from_ne_bytes(*word)));
        rest.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, word: u64) {
        let product = u128::from(self.state ^ word) * u128::from(self.factor);
        self.state = (product >> 64) as u64 ^ product as u64;
    }

    fn write_usize(&mut self, _: usize) {
        // All keys are of one length.
    }

    fn finish(&self) -> u64 {
        self.state
    }
}

/// Divides [`SLOTS`].
const SHARDS: usize = 64;
/// How many values are dropped under one lock, at most.
const AT_ONCE: usize = 16;
/// How many are, for one that finds the store full.
const ENOUGH: usize = 64;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::record::Record;

    const MINUTE: Duration = Duration::from_secs(60);

    fn room(capacity: usize) -> Room {
        Room { capacity, kept: AtomicUsize::new(0) }
    }

    fn put(bucket: &mut Bucket, room: &Room, name: &str, now: Timestamp) -> Result<Swap, StoreError> {
        let (incarnation, value) = (bucket.incarnation, Some(Value::from(b"{}".to_vec())));
        bucket.swap(Key::named(name), Change { incarnation, since: None, value, keep: MINUTE }, room, now)
    }

    #[test]
    fn a_full_store_refuses_and_never_forgets() {
        let (now, room) = (Timestamp::from_seconds(1_000), room(1));
        let mut bucket = Bucket::new(now);
        assert!(matches!(put(&mut bucket, &room, "a", now), Ok(Swap::Done { sequence: 1, .. })));
        assert!(matches!(put(&mut bucket, &room, "b", now), Err(StoreError::Full)));
        assert!(bucket.seen(Key::named("a"), now).kept.is_some());
        let (incarnation, mut record) = (bucket.incarnation, Record::default());
        record.sign_out(now);
        let sign_out =
            Change { incarnation, since: None, value: Some(Value::of(&record).expect("it is data")), keep: MINUTE };
        assert!(
            matches!(bucket.swap(Key::named("c"), sign_out, &room, now), Ok(Swap::Done { .. })),
            "for a sign-out there is room"
        );
        let later = now + MINUTE;
        assert!(bucket.seen(Key::named("a"), later).kept.is_none());
        assert!(
            matches!(put(&mut bucket, &room, "b", later), Ok(Swap::Done { sequence: 3, .. })),
            "what expired makes room"
        );
    }

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

    /// What stands around a store may answer otherwise than that does.
    #[test]
    fn it_is_found_where_nothing_stands_around_it() {
        let chosen: Box<dyn Store> = Box::new(MemoryStore::new());
        assert!(MemoryStore::found(&MemoryStore::new()).is_some() && MemoryStore::found(&chosen).is_some());
        assert!(MemoryStore::found(&Box::new(MemoryStore::new())).is_none());
        #[cfg(feature = "testing")]
        assert!(MemoryStore::found(&crate::testing::FaultyStore::new(MemoryStore::new())).is_none());
    }

    #[test]
    fn no_write_drops_more_than_a_few_and_none_is_left_behind() {
        let (now, room) = (Timestamp::from_seconds(1_000), room(100_000));
        let mut bucket = Bucket::new(now);
        for number in 0..10_000 {
            assert!(put(&mut bucket, &room, &format!("old {number}"), now).is_ok());
        }
        let (later, mut writes) = (now + MINUTE, 0);
        while bucket.values.len() > writes {
            let before = bucket.values.len();
            assert!(put(&mut bucket, &room, &format!("new {writes}"), later).is_ok());
            writes += 1;
            assert!(before + 1 - bucket.values.len() <= AT_ONCE);
            assert_eq!(
                (bucket.ends.len(), room.kept.load(Ordering::Relaxed)),
                (bucket.values.len(), bucket.values.len())
            );
        }
        assert_eq!(writes, 10_000 / AT_ONCE, "each write drops as many as may be");
        // What is written again or taken away has one end, or none.
        for value in [Some(Value::from(b"[]".to_vec())), None] {
            let (incarnation, key) = (bucket.incarnation, Key::named("new 0"));
            let since = bucket.seen(key, later).kept.map(|kept| kept.version);
            assert!(bucket.swap(key, Change { incarnation, since, value, keep: 2 * MINUTE }, &room, later).is_ok());
            assert_eq!(
                (bucket.ends.len(), room.kept.load(Ordering::Relaxed)),
                (bucket.values.len(), bucket.values.len())
            );
        }
    }
}

#[cfg(all(test, feature = "testing"))]
mod full_tests {
    use std::time::Duration;

    use super::*;

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
        let kept: usize = store.buckets.iter().map(|bucket| bucket.lock().values.len()).sum();
        assert_eq!((kept, store.room.kept.load(Ordering::Relaxed)), (ALL, ALL));
        for bucket in 0..BUCKETS {
            let was = store.buckets[usize::from(bucket)].lock().incarnation;
            assert!(store.renew(bucket, was).if_now().expect("at once").is_ok());
        }
        assert_eq!(store.room.kept.load(Ordering::Relaxed), 0);
    }
}
