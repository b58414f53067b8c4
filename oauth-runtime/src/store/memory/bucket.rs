//! The values whose keys fall into one bucket, and what is behind its lock.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::model::Timestamp;
use crate::store::memory::spread::Spread;
use crate::store::{Change, Incarnation, Kept, Key, Seen, StoreError, Swap, Value};

pub(super) struct Bucket {
    pub(super) incarnation: Incarnation,
    born: Timestamp,
    sequence: u64,
    values: HashMap<Key, (Timestamp, Kept), Spread>,
    /// The same, by when they expire: so that no more is touched at once than expires.
    ends: BTreeSet<(Timestamp, Key)>,
}

/// How many values there are in all buckets together, and how many there may be.
pub(super) struct Room {
    capacity: usize,
    kept: AtomicUsize,
}

/// What a bucket no longer keeps, to be dropped without its lock: freeing many small values at once can take
/// milliseconds.
#[derive(Default)]
pub(super) struct Gone {
    kept: [Option<Kept>; AT_ONCE + 1],
    many: usize,
}

impl Bucket {
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    pub(super) fn new(now: Timestamp) -> Self {
        Bucket {
            incarnation: Incarnation::draw(),
            born: now,
            sequence: 0,
            values: HashMap::default(),
            ends: BTreeSet::new(),
        }
    }

    pub(super) fn seen(&self, key: Key, now: Timestamp) -> Seen {
        let kept = self.values.get(&key).filter(|(until, _)| *until > now).map(|(_, kept)| kept.clone());
        Seen { incarnation: self.incarnation, born: self.born, sequence: self.sequence, now, kept }
    }

    pub(super) fn swap(
        &mut self,
        key: Key,
        change: Change,
        room: &Room,
        now: Timestamp,
        gone: &mut Gone,
    ) -> Result<Swap, StoreError> {
        let Change { incarnation, since, value, keep } = change;
        let seen = self.seen(key, now);
        if incarnation != seen.incarnation || since != seen.kept.as_ref().map(|kept| kept.version) {
            return Ok(Swap::Changed(seen));
        }
        match value {
            None => {
                if let Some((until, kept)) = self.values.remove(&key) {
                    self.ends.remove(&(until, key));
                    gone.add(kept);
                    room.leave(1);
                }
            }
            Some(value) => self.insert(key, value, now + keep, room, now, gone)?,
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
        gone: &mut Gone,
    ) -> Result<(), StoreError> {
        self.drop_expired(now, room, gone);
        // There is always room for a sign-out: only the application makes one for a user about whom nothing is kept.
        if !self.values.contains_key(&key) && !room.enter() && !value.signs_out() {
            room.leave(1);
            return Err(StoreError::Full);
        }
        let kept = Kept { version: self.sequence + 1, value };
        if let Some((before, kept)) = self.values.insert(key, (until, kept)) {
            self.ends.remove(&(before, key));
            gone.add(kept);
        }
        self.ends.insert((until, key));
        Ok(())
    }

    /// Drops what has expired, the oldest first: [a few](AT_ONCE), so that the bucket is not closed for long, and more than a
    /// write adds, so that none is left behind. Returns how many they were.
    pub(super) fn drop_expired(&mut self, now: Timestamp, room: &Room, gone: &mut Gone) -> usize {
        let mut dropped = 0;
        while dropped < AT_ONCE
            && let Some((until, key)) = self.ends.first().copied()
            && until <= now
        {
            self.ends.remove(&(until, key));
            if let Some((_, kept)) = self.values.remove(&key) {
                gone.add(kept);
            }
            dropped += 1;
        }
        room.leave(dropped);
        dropped
    }
}

impl Room {
    pub(super) fn new(capacity: usize) -> Self {
        Room { capacity, kept: AtomicUsize::new(0) }
    }

    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.kept.load(Ordering::Relaxed)
    }

    pub(super) fn is_full(&self) -> bool {
        self.kept.load(Ordering::Relaxed) >= self.capacity
    }

    /// Counts one more; `false` if that is one too many.
    pub(super) fn enter(&self) -> bool {
        self.kept.fetch_add(1, Ordering::Relaxed) < self.capacity
    }

    pub(super) fn leave(&self, values: usize) {
        if values > 0 {
            self.kept.fetch_sub(values, Ordering::Relaxed);
        }
    }
}

impl Gone {
    fn add(&mut self, kept: Kept) {
        // A write replaces one value at most, beside those that have expired.
        if let Some(place) = self.kept.get_mut(self.many) {
            *place = Some(kept);
            self.many += 1;
        }
    }
}

/// How many values expire under one lock, at most.
const AT_ONCE: usize = 16;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::record::Record;

    const MINUTE: Duration = Duration::from_secs(60);

    fn put(bucket: &mut Bucket, room: &Room, name: &str, now: Timestamp) -> Result<Swap, StoreError> {
        let value = Some(Value::from(b"{}".to_vec()));
        swap(bucket, room, name, value, now, &mut Gone::default())
    }

    fn swap(
        bucket: &mut Bucket,
        room: &Room,
        name: &str,
        value: Option<Value>,
        now: Timestamp,
        gone: &mut Gone,
    ) -> Result<Swap, StoreError> {
        let (incarnation, key) = (bucket.incarnation, Key::named(name));
        let since = bucket.seen(key, now).kept.map(|kept| kept.version);
        bucket.swap(key, Change { incarnation, since, value, keep: MINUTE }, room, now, gone)
    }

    #[test]
    fn a_full_store_refuses_and_never_forgets() {
        let (now, room) = (Timestamp::from_seconds(1_000), Room::new(1));
        let mut bucket = Bucket::new(now);
        assert!(matches!(put(&mut bucket, &room, "a", now), Ok(Swap::Done { sequence: 1, .. })));
        assert!(matches!(put(&mut bucket, &room, "b", now), Err(StoreError::Full)));
        assert!(bucket.seen(Key::named("a"), now).kept.is_some());
        let mut record = Record::default();
        record.sign_out(now);
        let sign_out = Some(Value::of(&record).expect("it is data"));
        assert!(
            matches!(swap(&mut bucket, &room, "c", sign_out, now, &mut Gone::default()), Ok(Swap::Done { .. })),
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
    fn no_write_drops_more_than_a_few_and_none_is_left_behind() {
        let (now, room) = (Timestamp::from_seconds(1_000), Room::new(100_000));
        let mut bucket = Bucket::new(now);
        for number in 0..10_000 {
            assert!(put(&mut bucket, &room, &format!("old {number}"), now).is_ok());
        }
        let (later, mut writes) = (now + MINUTE, 0);
        while bucket.len() > writes {
            let before = bucket.len();
            assert!(put(&mut bucket, &room, &format!("new {writes}"), later).is_ok());
            writes += 1;
            assert!(before + 1 - bucket.len() <= AT_ONCE);
            assert_eq!((bucket.ends.len(), room.kept()), (bucket.len(), bucket.len()));
        }
        assert_eq!(writes, 10_000 / AT_ONCE, "each write drops as many as may be");
        // What is written again or taken away has one end, or none.
        for value in [Some(Value::from(b"[]".to_vec())), None] {
            assert!(swap(&mut bucket, &room, "new 0", value, later, &mut Gone::default()).is_ok());
            assert_eq!((bucket.ends.len(), room.kept()), (bucket.len(), bucket.len()));
        }
    }

    #[test]
    fn whatever_is_no_longer_kept_is_left_to_the_caller() {
        let (now, room) = (Timestamp::from_seconds(1_000), Room::new(100));
        let mut bucket = Bucket::new(now);
        let left = |bucket: &mut Bucket, name: &str, value: Option<Value>, now: Timestamp| {
            let mut gone = Gone::default();
            assert!(swap(bucket, &room, name, value, now, &mut gone).is_ok());
            gone.kept.iter().flatten().count()
        };
        let value = || Some(Value::from(b"{}".to_vec()));
        assert_eq!(left(&mut bucket, "a", value(), now), 0);
        assert_eq!(left(&mut bucket, "a", value(), now), 1, "what was there before");
        assert_eq!(left(&mut bucket, "a", None, now), 1, "what was taken away");
        for number in 0..AT_ONCE {
            assert!(put(&mut bucket, &room, &format!("old {number}"), now).is_ok());
        }
        let long = now + MINUTE;
        assert_eq!(left(&mut bucket, "new", value(), long), AT_ONCE, "what has expired");
        assert_eq!(bucket.len(), 1);
    }
}
