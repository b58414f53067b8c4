//! A store that keeps its contract but for one thing, so that tests can show that what looks for it finds it.

mod defect;

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use oauth_runtime::store::{
    About, Change, Count, Counted, Incarnation, Kept, Key, Reply, Seen, Store, StoreError, Swap, Value,
};
use oauth_runtime::{Clock, Timestamp};
use tokio::task::yield_now;

pub use self::defect::Defect;

/// A small store in memory, right or with one [`Defect`].
pub struct WrongStore {
    defect: Option<Defect>,
    clock: Clock,
    began: Timestamp,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    buckets: HashMap<u16, Bucket>,
    counters: HashMap<u32, (Timestamp, i64)>,
    /// Counters that a call is changing just now.
    locked: HashSet<u32>,
    reads: u64,
}

/// A key as the store compares it.
type Name = Vec<u8>;

#[derive(Clone)]
struct Bucket {
    incarnation: Incarnation,
    born: Timestamp,
    sequence: u64,
    values: HashMap<Name, Stored>,
    /// How often each key was written.
    writes: HashMap<Name, u64>,
    removed: HashSet<Name>,
    /// The first key that was asked for.
    first: Option<Name>,
    /// What it was before the last write.
    before: Option<Box<Bucket>>,
}

#[derive(Clone)]
struct Stored {
    until: Timestamp,
    version: u64,
    bytes: Vec<u8>,
}

impl WrongStore {
    /// A store with a defect, or without any.
    #[must_use]
    pub fn new(defect: Option<Defect>) -> Self {
        let clock = Clock::system();
        WrongStore { defect, began: clock.now(), clock, state: Mutex::default() }
    }

    /// A bucket that no one asked for before.
    fn first_of(&self, now: Timestamp) -> Bucket {
        Bucket::new(if self.is(Defect::BornWhenAsked) { now } else { self.began })
    }

    fn is(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn name(&self, key: Key) -> Name {
        let bytes = key.as_bytes();
        match self.defect {
            Some(Defect::KeyIgnoresCase) => bytes.to_ascii_lowercase(),
            Some(Defect::KeyTextIgnoresCase) => key.to_text().to_lowercase().into_bytes(),
            Some(Defect::KeyCut) => bytes[..31].to_vec(),
            // Not in its first half, which is drawn by chance.
            Some(Defect::KeyEndsAtNul) => {
                let end = bytes[16..].iter().position(|byte| *byte == 0).map_or(32, |at| 16 + at);
                bytes[..end].to_vec()
            }
            Some(Defect::KeyTrimmed) => {
                let end = bytes.iter().rposition(|byte| !matches!(byte, b' ' | 0)).map_or(0, |at| at + 1);
                bytes[..end].to_vec()
            }
            Some(Defect::KeyLossy) => String::from_utf8_lossy(bytes).into_owned().into_bytes(),
            _ => bytes.to_vec(),
        }
    }

    fn bytes(&self, value: &Value) -> Vec<u8> {
        let bytes = value.as_bytes();
        match self.defect {
            Some(Defect::ValueCut) => bytes[..bytes.len().min(65_536)].to_vec(),
            Some(Defect::ValueParsed) => String::from_utf8_lossy(bytes).replace("\\u0000", "").into_bytes(),
            Some(Defect::ValueLatin) => {
                let latin = |c: char| u8::try_from(u32::from(c)).unwrap_or(b'?');
                String::from_utf8_lossy(bytes).chars().map(latin).collect()
            }
            _ => bytes.to_vec(),
        }
    }

    /// What a key of a bucket holds.
    fn seen(&self, bucket: &Bucket, name: &Name, now: Timestamp) -> Seen {
        let is_first = bucket.first.as_ref().is_none_or(|first| first == name);
        let Bucket { mut incarnation, mut born, mut sequence, .. } = *bucket;
        if self.is(Defect::IncarnationPerKey) && !is_first {
            incarnation = Incarnation::from_bits(incarnation.bits() ^ 1);
        }
        if self.is(Defect::BornPerKey) && !is_first {
            born = born + Duration::from_secs(1);
        }
        if self.is(Defect::BornNow) {
            born = now;
        }
        if self.is(Defect::SequencePerKey) {
            sequence = bucket.writes.get(name).copied().unwrap_or(0);
        }
        let lives = |stored: &&Stored| match self.defect {
            Some(Defect::NothingExpires) => true,
            Some(Defect::NeverExpires) if bucket.writes.get(name) == Some(&1) => true,
            _ => stored.until > now,
        };
        let kept = bucket.values.get(name).filter(lives);
        let kept = kept.map(|it| Kept { version: it.version, value: Value::from(it.bytes.clone()) });
        Seen { incarnation, born, sequence, now, kept }
    }

    async fn read_now(&self, key: Key) -> Seen {
        let (number, name, now) = (key.bucket(), self.name(key), self.clock.now());
        if self.is(Defect::IncarnationDrawnTwice) {
            let is_new = !self.state().buckets.contains_key(&number);
            yield_now().await;
            if is_new {
                self.state().buckets.insert(number, self.first_of(now));
            }
        }
        let mut state = self.state();
        state.reads += 1;
        let lags =
            self.is(Defect::ReplicaLags) || (self.is(Defect::ReplicaLagsAtTimes) && state.reads.is_multiple_of(3));
        let bucket = state.buckets.entry(number).or_insert_with(|| self.first_of(now));
        bucket.first.get_or_insert_with(|| name.clone());
        if lags && let Some(before) = &bucket.before {
            return self.seen(before, &name, now);
        }
        if self.is(Defect::ReadRaises) && bucket.values.contains_key(&name) {
            bucket.sequence += 1;
        }
        if self.is(Defect::ExpiryResetsSequence) && bucket.values.get(&name).is_some_and(|it| it.until <= now) {
            bucket.sequence = 0;
            bucket.values.remove(&name);
        }
        self.seen(bucket, &name, now)
    }

    /// Whether a write may be done, as far as the value is concerned.
    fn is_same(&self, bucket: &Bucket, name: &Name, change: &Change, seen: &Seen) -> bool {
        let there = bucket.values.get(name).map(|it| it.version);
        match self.defect {
            Some(Defect::SinceIgnored) => true,
            Some(Defect::SinceIgnoredByRemoval) if change.value.is_none() => true,
            Some(Defect::AbsentOverwrites) if change.since.is_none() => true,
            Some(Defect::RemovalForGood) if bucket.removed.contains(name) => false,
            Some(Defect::ExpiredBlocks | Defect::ExpiredReplaced) if change.since != there => false,
            Some(Defect::ExpiredReplaced) if there.is_some() => true,
            Some(Defect::ExpiredBlocks) => true,
            _ => change.since == seen.kept.as_ref().map(|kept| kept.version),
        }
    }

    async fn swap_now(&self, key: Key, change: Change) -> Result<Swap, StoreError> {
        let (number, name, now) = (key.bucket(), self.name(key), self.clock.now());
        if self.is(Defect::ValueTooLong) && change.value.as_ref().is_some_and(|it| it.as_bytes().len() > 65_536) {
            return Err(StoreError::Full);
        }
        let mut was_same = false;
        if matches!(self.defect, Some(Defect::ReadThenWrite | Defect::OvertakenDone | Defect::OvertakenWritten)) {
            if let Some(bucket) = self.state().buckets.get(&number) {
                let seen = self.seen(bucket, &name, now);
                was_same = seen.incarnation == change.incarnation && self.is_same(bucket, &name, &change, &seen);
            }
            yield_now().await;
        }
        let mut state = self.state();
        let bucket = state.buckets.entry(number).or_insert_with(|| self.first_of(now));
        let mut seen = self.seen(bucket, &name, now);
        let is_other = change.incarnation != seen.incarnation && !self.is(Defect::OtherIncarnationWritten);
        let is_same = self.is_same(bucket, &name, &change, &seen) || (was_same && self.is(Defect::ReadThenWrite));
        if is_same && !is_other {
            let sequence = self.write(bucket, &name, &change, now);
            if self.is(Defect::RaisesNextBucket) {
                let next = state.buckets.entry((number + 1) % 1024).or_insert_with(|| self.first_of(now));
                next.sequence += 1;
            }
            return Ok(Swap::Done { sequence, now });
        }
        match self.defect {
            Some(Defect::LateRaises) => bucket.sequence += 1,
            Some(Defect::LateToldNothing) => seen.kept = None,
            Some(Defect::LateToldItsOwn) => {
                let own = change.value.clone();
                seen.kept = seen.kept.map(|kept| Kept { value: own.unwrap_or_else(|| kept.value.clone()), ..kept });
            }
            Some(Defect::OtherIncarnationTaken) if is_other => bucket.incarnation = change.incarnation,
            Some(Defect::OtherIncarnationLeft) if is_other => _ = self.write(bucket, &name, &change, now),
            Some(Defect::OvertakenDone) if was_same => return Ok(Swap::Done { sequence: seen.sequence, now }),
            Some(Defect::OvertakenWritten) if was_same => _ = self.write(bucket, &name, &change, now),
            _ => {}
        }
        Ok(Swap::Changed(seen))
    }

    /// Writes, and answers the sequence.
    fn write(&self, bucket: &mut Bucket, name: &Name, change: &Change, now: Timestamp) -> u64 {
        if matches!(self.defect, Some(Defect::ReplicaLags | Defect::ReplicaLagsAtTimes)) {
            bucket.before = Some(Box::new(Bucket { before: None, ..bucket.clone() }));
        }
        let writes = bucket.writes.entry(name.clone()).or_default();
        *writes += 1;
        bucket.sequence += match self.defect {
            Some(Defect::RemovalRaisesNothing) if change.value.is_none() => 0,
            Some(Defect::RaisedByTwo) if bucket.sequence > 0 => 2,
            _ => 1,
        };
        let sequence = if self.is(Defect::SequencePerKey) { *writes } else { bucket.sequence };
        let version = if self.is(Defect::VersionPerKey) { *writes } else { sequence };
        if self.is(Defect::IncarnationDrawnByWrite) {
            bucket.incarnation = Incarnation::draw();
        }
        if self.is(Defect::WriteNotDone) || (self.is(Defect::RemovalNotDone) && change.value.is_none()) {
            return sequence;
        }
        let empty = (self.is(Defect::RemovalLeavesEmpty) && change.value.is_none()).then(Vec::new);
        let Some(bytes) = change.value.as_ref().map(|value| self.bytes(value)).or(empty) else {
            bucket.values.remove(name);
            bucket.removed.insert(name.clone());
            if self.is(Defect::RemovalTakesAll) {
                bucket.values.clear();
            }
            return sequence;
        };
        let (asked, before) = (now + change.keep, bucket.values.get(name).map(|it| it.until));
        let until = match self.defect {
            Some(Defect::LifetimeFixed) => before.unwrap_or(asked),
            Some(Defect::LifetimeNotExtended) => before.map_or(asked, |before| before.min(asked)),
            Some(Defect::LifetimeNotShortened) => before.map_or(asked, |before| before.max(asked)),
            Some(Defect::ExpiresEarly) => now + change.keep.saturating_sub(Duration::from_secs(1)),
            _ => asked,
        };
        bucket.values.insert(name.clone(), Stored { until, version, bytes });
        sequence
    }

    async fn count_now(&self, counts: &[Count]) -> Result<Vec<Counted>, StoreError> {
        let mut answers = Vec::new();
        let mut locked = Vec::new();
        for count in counts {
            let slot = if self.is(Defect::SlotCut) { count.slot % (1 << 16) } else { count.slot };
            let now = self.clock.now();
            if self.is(Defect::CountersLockEachOther) {
                let is_free = self.state().locked.insert(slot);
                if !is_free {
                    locked.iter().for_each(|slot| _ = self.state().locked.remove(slot));
                    return Err(StoreError::Unavailable("a deadlock".into()));
                }
                locked.push(slot);
                yield_now().await;
            }
            let before = self.state().counters.get(&slot).copied();
            if self.is(Defect::CountThenWrite) {
                yield_now().await;
            }
            let before =
                if self.is(Defect::CountThenWrite) { before } else { self.state().counters.get(&slot).copied() };
            let (mut counted, after) = self.added(before, *count, now);
            if let Some(after) = after {
                self.state().counters.insert(slot, after);
            }
            if self.is(Defect::SumReadLate) {
                yield_now().await;
                let late = self.state().counters.get(&slot).filter(|(until, _)| *until > now).map(|(_, sum)| *sum);
                counted.sum = late.unwrap_or(0).try_into().unwrap_or(0);
            }
            answers.push((slot, counted));
        }
        locked.iter().for_each(|slot| _ = self.state().locked.remove(slot));
        if self.is(Defect::CountsSorted) {
            answers.sort_by_key(|(slot, _)| *slot);
        }
        Ok(answers.into_iter().map(|(_, counted)| counted).collect())
    }

    /// What an addition answers, and what the counter is then.
    fn added(
        &self,
        before: Option<(Timestamp, i64)>,
        Count { add, window, .. }: Count,
        now: Timestamp,
    ) -> (Counted, Option<(Timestamp, i64)>) {
        let early = if self.is(Defect::WindowEndsEarly) { Duration::from_secs(1) } else { Duration::ZERO };
        let begun = before.filter(|(until, _)| *until > now + early || self.is(Defect::WindowNeverEnds));
        let (until, sum) = match begun {
            Some((_, sum)) if self.is(Defect::WindowSlides) => (now + window, sum),
            Some(begun) => begun,
            None => match before {
                Some((until, _)) if self.is(Defect::WindowOnlyOnce) => (until, 0),
                Some((until, sum)) if self.is(Defect::LessAnswersEnded) && add < 0 => (until, sum),
                Some(_) | None => (now + window, 0),
            },
        };
        let add = if add == 0 && sum > 0 && self.is(Defect::NothingAddsOne) { 1 } else { add };
        let goes_below = begun.is_some() && self.is(Defect::CounterBelowZero);
        let sum = if goes_below { sum.saturating_add(add) } else { sum.saturating_add(add).max(0) };
        let begins = begun.is_some()
            || sum > 0
            || (self.is(Defect::NothingBeginsWindow) && add == 0)
            || (self.is(Defect::LessBeginsWindow) && add < 0);
        let ends_in = match self.defect {
            Some(Defect::WindowAnsweredWhole) => window,
            Some(Defect::WindowAnsweredShort) => until.since(now) / 1000,
            _ => until.since(now),
        };
        let counted = Counted { sum: sum.try_into().unwrap_or(0), ends_in };
        (counted, begins.then_some((until, sum)))
    }

    async fn renew_now(&self, number: u16, was: Incarnation) -> Incarnation {
        let now = self.clock.now();
        let is_it =
            |state: &mut State| state.buckets.entry(number).or_insert_with(|| self.first_of(now)).incarnation == was;
        let was_it = is_it(&mut self.state());
        if self.is(Defect::RenewalThenDraws) {
            yield_now().await;
        }
        let mut state = self.state();
        let renews = match self.defect {
            Some(Defect::RenewalNotDone) => false,
            Some(Defect::RenewalTwice) => true,
            Some(Defect::RenewalThenDraws) => was_it,
            _ => is_it(&mut state),
        };
        let bucket = state.buckets.entry(number).or_insert_with(|| self.first_of(now));
        let old = bucket.incarnation;
        if renews {
            let before = std::mem::replace(bucket, Bucket::new(now));
            bucket.first = before.first;
            match self.defect {
                Some(Defect::RenewalKeepsValues) => bucket.values = before.values,
                Some(Defect::RenewalKeepsSequence) => bucket.sequence = before.sequence,
                Some(Defect::RenewalKeepsBirth) => bucket.born = before.born,
                _ => {}
            }
        }
        let answer = if self.is(Defect::RenewalAnswersOld) { old } else { bucket.incarnation };
        if renews && self.is(Defect::RenewalOfNeighbour) {
            state.buckets.insert((number + 1) % 1024, Bucket::new(now));
        }
        answer
    }
}

impl Bucket {
    fn new(now: Timestamp) -> Self {
        Bucket {
            incarnation: Incarnation::draw(),
            born: now,
            sequence: 0,
            values: HashMap::new(),
            writes: HashMap::new(),
            removed: HashSet::new(),
            first: None,
            before: None,
        }
    }
}

impl Store for WrongStore {
    fn read(&self, key: Key) -> Reply<'_, Seen> {
        Reply::later(async move { Ok(self.read_now(key).await) })
    }

    fn swap(&self, key: Key, change: Change) -> Reply<'_, Swap> {
        Reply::later(self.swap_now(key, change))
    }

    fn count<'a>(&'a self, counts: &'a [Count]) -> Reply<'a, Vec<Counted>> {
        Reply::later(self.count_now(counts))
    }

    fn renew(&self, bucket: u16, was: Incarnation) -> Reply<'_, Incarnation> {
        Reply::later(async move { Ok(self.renew_now(bucket, was).await) })
    }

    fn about(&self) -> About {
        About { engine: "wrong", schema: None, has_clock: false }
    }
}
