//! A remote store's last answer about a subject, so that guards need not ask each time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::model::as_of::{AsOf, Incarnation};
use crate::model::{Clock, Timestamp};
use crate::store::{Key, Seen, StoreError};

/// A bucket's incarnation, and when it began.
pub(super) type Memory = (Incarnation, Timestamp);

/// How long a store's answer may count without asking again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// At guards, while the store is there.
    pub(crate) revocation_lag: Duration,
    /// At guards, while it is away.
    pub(crate) outage_tolerance: Duration,
    /// The time limit for an answer.
    pub(crate) deadline: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Patience {
            revocation_lag: Duration::from_secs(2),
            outage_tolerance: Duration::from_secs(30),
            deadline: Duration::from_secs(5),
        }
    }
}

/// What was last seen of each subject, within a bound in bytes. Nothing is held for a store that answers at once.
pub(super) struct Held {
    cache: Option<Cache<Key, Said, Bytes>>,
    patience: Patience,
    clock: Clock,
    /// The second in which the log last said that these answers count, by the monotonic clock.
    told: AtomicU64,
}

#[derive(Clone)]
struct Said {
    seen: Seen,
    /// When it was asked, by this process's own monotonic clock: the answer was on its way for a while.
    asked: Duration,
}

#[derive(Clone)]
struct Bytes;

impl Weighter<Key, Said> for Bytes {
    fn weight(&self, _: &Key, said: &Said) -> u64 {
        // The stored and the parsed form.
        let value = said.seen.kept.as_ref().map_or(0, |kept| 3 * kept.value.as_bytes().len());
        (value + ENTRY_BYTES) as u64
    }
}

impl Held {
    pub(super) fn new(is_on: bool, patience: Patience, clock: Clock) -> Self {
        let cache = || Cache::with_weighter(MOST_BYTES / (4 * ENTRY_BYTES), MOST_BYTES as u64, Bytes);
        Held { cache: is_on.then(cache), patience, clock, told: AtomicU64::new(u64::MAX) }
    }

    pub(super) fn is_on(&self) -> bool {
        self.cache.is_some()
    }

    /// Unless a later one is held, since an answer may have been on its way for a while.
    pub(super) fn keep(&self, key: Key, seen: &Seen, asked: Duration) {
        let Some(cache) = &self.cache else { return };
        let is_older = cache
            .get(&key)
            .is_some_and(|said| said.seen.incarnation == seen.incarnation && said.seen.sequence > seen.sequence);
        if !is_older {
            cache.insert(key, Said { seen: seen.clone(), asked });
        }
    }

    /// What was last seen, however long ago.
    pub(super) fn last(&self, key: Key) -> Option<Seen> {
        self.cache.as_ref()?.get(&key).map(|said| said.seen)
    }

    /// What may count at a guard for something with this `as_of`.
    pub(super) fn fresh(&self, key: Key, as_of: AsOf) -> Option<Seen> {
        self.within(key, as_of, self.patience.revocation_lag)
    }

    /// What may count there while the store is away.
    pub(super) fn tolerated(&self, key: Key, as_of: AsOf, error: &StoreError) -> Option<Seen> {
        let seen = self.within(key, as_of, self.patience.outage_tolerance)?;
        // Thousands of requests may come in a second, and none of them fails.
        let second = self.clock.monotonic().as_secs();
        if self.told.swap(second, Ordering::Relaxed) != second {
            tracing::warn!(target: "oauth", %error, "the store has no answer: what it last said counts for a while");
        }
        Some(seen)
    }

    pub(super) fn clear(&self) {
        if let Some(cache) = &self.cache {
            cache.clear();
        }
    }

    fn within(&self, key: Key, as_of: AsOf, age: Duration) -> Option<Seen> {
        let said = self.cache.as_ref()?.get(&key)?;
        // A state from before a thing was issued says nothing about it.
        let is_later = said.seen.incarnation == as_of.incarnation && said.seen.sequence >= as_of.sequence;
        let (now, monotonic) = self.clock.now_and_monotonic();
        let is_young = monotonic.saturating_sub(said.asked) < age;
        (is_later && is_young).then(|| Seen { now, ..said.seen })
    }
}

/// How many bytes are held at most: usually a few hundred per subject.
const MOST_BYTES: usize = 64 << 20;
/// What an entry takes besides its value.
const ENTRY_BYTES: usize = 200;
