//! What is known about each subject, through the store: whether what was issued still stands, and every change to it.
//!
//! Only this file asks a store for a record, so losses and rewinds are detected in one place, and nothing is decided on
//! a record that another process has changed meanwhile.

mod held;
mod whose;

use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Duration;

use parking_lot::RwLock;

use crate::error::Reason;
use crate::event::teller::Events;
use crate::event::{EventKind, Fact};
use crate::model::as_of::AsOf;
use crate::model::record::{EndedFor, Record};
use crate::model::time::ClocksDiffer;
use crate::model::{Clock, Timestamp};
use crate::standing::held::{Held, Memory};
use crate::store::{
    About, BUCKETS, Change, Changes, Deadline, Kept, Key, MemoryStore, Seen, Store, StoreError, Swap, Value,
};

pub(crate) use crate::model::record::{Ended, HandedOut, HandedOutGrant};
pub(crate) use held::Patience;
pub(crate) use whose::Whose;

/// Called for each client of a session that ends.
pub(crate) type TellEnded = dyn Fn(EndedFor) + Send + Sync;

/// The records of all subjects.
pub(crate) struct Ledger {
    store: Arc<dyn Store>,
    clock: Clock,
    events: Arc<Events>,
    /// Notifies clients that a session ended.
    ended: OnceLock<Box<TellEnded>>,
    /// Whether the store's clock dates what is issued.
    has_clock: bool,
    /// Set if the store is in this process's memory: it takes values without their bytes, and counts its changes.
    memory: Option<Changes>,
    held: Held,
    /// What each bucket's incarnation was when it was last seen here, and when that began.
    incarnations: Box<[RwLock<Option<Memory>>]>,
    /// Writers that were overtaken by another wait for each other here, and not in the store.
    queues: Box<[tokio::sync::Mutex<()>]>,
}

/// A record, and the time of this state.
#[derive(Clone, Debug)]
pub(crate) struct View(Seen);

/// The outcome of a change.
#[derive(Debug)]
pub(crate) enum Decision<T> {
    /// The record has changed, and must be stored.
    Write(T),
    /// There is nothing to write.
    Keep(T),
}

impl<T> Decision<T> {
    /// Adds to the answer.
    pub(crate) fn with<U>(self, more: U) -> Decision<(T, U)> {
        match self {
            Decision::Write(value) => Decision::Write((value, more)),
            Decision::Keep(value) => Decision::Keep((value, more)),
        }
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Refused {
    Ended(Ended),
    Store(StoreError),
}

/// The outcome of spending a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spent {
    First,
    Already,
    /// The memory in which it would have been spent is gone.
    Forgotten,
}

impl Ledger {
    pub(crate) fn new(store: Arc<dyn Store>, clock: Clock, patience: Patience, events: Arc<Events>) -> Self {
        let (read, has_clock) = (store.read(Key::in_bucket(0)).if_now(), store.about().has_clock);
        let is_remote = read.is_err();
        // Nothing is made before the memory that it belongs to.
        read.into_iter().flatten().filter(|_| !has_clock).for_each(|seen| clock.raise(seen.now));
        Ledger {
            has_clock,
            memory: MemoryStore::found(&*store).map(|store| store.changes().clone()),
            store: Arc::new(Deadline::new(store, patience.deadline, Arc::clone(&events))),
            held: Held::new(is_remote, patience, clock.clone()),
            clock,
            events,
            ended: OnceLock::new(),
            incarnations: (0..BUCKETS).map(|_| RwLock::default()).collect(),
            queues: (0..BUCKETS).map(|_| tokio::sync::Mutex::default()).collect(),
        }
    }

    /// The store, limited to the deadline.
    pub(crate) fn shared_store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    /// How far apart two processes may be about the store's time.
    pub(crate) fn slack(&self) -> Duration {
        if self.has_clock { Duration::from_secs(2) } else { Duration::ZERO }
    }

    /// The record of a subject, as the store has it now.
    pub(crate) async fn view(&self, key: Key) -> Result<View, StoreError> {
        let asked = self.clock.monotonic();
        self.seen(key, self.store.read(key).await?, asked)
    }

    /// Whether something stands, as the store has it now.
    pub(crate) async fn check(&self, key: Key, as_of: AsOf, handed: HandedOut<'_>) -> Result<View, Refused> {
        let view = self.view(key).await?;
        self.admit(key, view.as_of(), as_of).await?;
        view.record()?.judge(&handed, view.now())?;
        Ok(view)
    }

    /// Changes the record of a subject. `as_of` comes from what is presented, if anything.
    ///
    /// The change is tried on the record as it was last seen here, and again on the store's if that differs, so it must
    /// only change the record. A refusal is always based on the store's current record.
    pub(crate) async fn change<'w, T>(
        &self,
        whose: impl Into<Whose<'w>>,
        as_of: Option<AsOf>,
        change: impl Fn(&mut Record, Timestamp) -> Result<Decision<T>, Ended>,
    ) -> Result<(T, View), Refused> {
        let whose = whose.into();
        let Whose { key, .. } = whose;
        if let Some(guess) = self.guess(key, as_of)
            && let Ok(Decision::Write((value, record))) = self.tried(whose, &guess, as_of, &change)
        {
            match self.swap(whose, &guess, record).await? {
                Ok(view) => {
                    self.admit_written(key, view.as_of(), as_of).await?;
                    return Ok((value, view));
                }
                Err(view) => return self.change_seen(whose, as_of, change, view).await,
            }
        }
        let view = self.view(key).await?;
        self.change_seen(whose, as_of, change, view).await
    }

    /// Changes a record as the store had it a moment ago.
    async fn change_seen<T>(
        &self,
        whose: Whose<'_>,
        as_of: Option<AsOf>,
        change: impl Fn(&mut Record, Timestamp) -> Result<Decision<T>, Ended>,
        mut view: View,
    ) -> Result<(T, View), Refused> {
        let Whose { key, .. } = whose;
        let mut queued = None;
        for _ in 0..MOST_ATTEMPTS {
            if let Some(as_of) = as_of {
                self.admit(key, view.as_of(), as_of).await?;
            }
            match self.tried(whose, &view, as_of, &change)? {
                Decision::Keep((value, _)) => return Ok((value, view)),
                Decision::Write((value, record)) => match self.swap(whose, &view, record).await? {
                    Ok(view) => {
                        self.admit_written(key, view.as_of(), as_of).await?;
                        return Ok((value, view));
                    }
                    Err(other) => view = other,
                },
            }
            if queued.is_none() {
                // There is one for each bucket.
                queued = Some(self.queues[usize::from(key.bucket())].lock().await);
                view = self.view(key).await?;
            }
        }
        Err(overtaken().into())
    }

    /// The change on a copy of the record.
    fn tried<T>(
        &self,
        whose: Whose<'_>,
        view: &View,
        as_of: Option<AsOf>,
        change: &impl Fn(&mut Record, Timestamp) -> Result<Decision<T>, Ended>,
    ) -> Result<Decision<(T, Record)>, Refused> {
        let is_older = whose.made.is_some_and(|made| made < view.born());
        if is_older || as_of.is_some_and(|as_of| as_of.incarnation != view.0.incarnation) {
            return Err(Refused::Ended(Ended::Forgotten));
        }
        let mut record = view.record()?.clone();
        Ok(match change(&mut record, view.now())? {
            Decision::Write(value) => Decision::Write((value, record)),
            Decision::Keep(value) => Decision::Keep((value, record)),
        })
    }

    /// Signs out a subject whose record cannot be read: the new record ends all that it held.
    pub(crate) async fn start_over(&self, key: Key) -> Result<(), StoreError> {
        let mut view = self.view(key).await?;
        for _ in 0..MOST_ATTEMPTS {
            let mut record = Record::default();
            record.sign_out(view.now());
            // A record that cannot be read names no session, and so no client to notify.
            match self.swap(Whose::from(key), &view, record).await? {
                Ok(_) => return Ok(()),
                Err(other) => view = other,
            }
        }
        Err(overtaken())
    }

    /// Replaces the record that was seen; if it has changed by then, returns the current one.
    async fn swap(&self, whose: Whose<'_>, view: &View, record: Record) -> Result<Result<View, View>, StoreError> {
        let Whose { key, .. } = whose;
        let ended = self.ended_by(whose, view, &record);
        let keep = record.keep(view.now());
        let value = keep.map(|_| if self.memory.is_some() { Value::in_memory(record) } else { Value::of(&record) });
        let value = value.transpose()?;
        let Seen { incarnation, born, kept, .. } = &view.0;
        let change = Change {
            incarnation: *incarnation,
            since: kept.as_ref().map(|kept| kept.version),
            value: value.clone(),
            keep: keep.unwrap_or_default(),
        };
        let asked = self.clock.monotonic();
        match self.store.swap(key, change).await? {
            Swap::Done { sequence, now } => {
                if let Some(tell) = self.ended.get() {
                    ended.into_iter().for_each(tell);
                }
                let kept = value.map(|value| Kept { version: sequence, value });
                self.seen(key, Seen { incarnation: *incarnation, born: *born, sequence, now, kept }, asked).map(Ok)
            }
            Swap::Changed(seen) => self.seen(key, seen, asked).map(Err),
        }
    }

    /// From now on, this notifies each client of a session that ends. It can be set once.
    #[cfg(feature = "backchannel-logout")]
    pub(crate) fn tell_ended_by(&self, tell: Box<TellEnded>) {
        // The first stays.
        let _ = self.ended.set(tell);
    }

    /// What to report once a record has replaced the one that was seen.
    fn ended_by(&self, whose: Whose<'_>, before: &View, after: &Record) -> Vec<EndedFor> {
        let subject = whose.subject.unwrap_or_default();
        let ended: Vec<_> = match (self.ended.get(), before.record()) {
            (Some(_), Ok(known)) => known.ended_since(after, subject, before.now()).collect(),
            (None, _) | (_, Err(_)) => Vec::new(),
        };
        debug_assert!(ended.is_empty() || whose.subject.is_some(), "a user's record is changed by their name");
        ended
    }

    /// Spends a name that carries this `as_of`, once in that incarnation of its bucket.
    pub(crate) async fn spend(&self, key: Key, as_of: AsOf, keep: Duration) -> Result<Spent, StoreError> {
        let AsOf { incarnation, .. } = as_of;
        let value = Some(Value::from(b"{}".to_vec()));
        let asked = self.clock.monotonic();
        let (spent, admitted) = match self.store.swap(key, Change { incarnation, since: None, value, keep }).await? {
            Swap::Done { sequence, .. } => {
                (Spent::First, self.admit_written(key, AsOf { incarnation, sequence }, Some(as_of)).await)
            }
            Swap::Changed(seen) => {
                let found = self.seen(key, seen, asked)?.as_of();
                (Spent::Already, self.admit(key, found, as_of).await)
            }
        };
        match admitted {
            Ok(()) => Ok(spent),
            Err(Refused::Ended(_)) => Ok(Spent::Forgotten),
            Err(Refused::Store(error)) => Err(error),
        }
    }

    /// Whether a name was spent.
    pub(crate) async fn is_spent(&self, key: Key) -> Result<bool, StoreError> {
        Ok(self.view(key).await?.0.kept.is_some())
    }

    /// Spends a name that a client made at this time: it must be younger than the memory in which it is spent.
    pub(crate) async fn spend_made_at(&self, key: Key, made: Timestamp, keep: Duration) -> Result<Spent, StoreError> {
        let view = self.view(key).await?;
        match &view.0.kept {
            _ if made <= view.0.born => Ok(Spent::Forgotten),
            Some(_) => Ok(Spent::Already),
            None => self.spend(key, view.as_of(), keep).await,
        }
    }

    /// Spends a name in the current memory: for something that is worthless without a thing issued by that memory.
    pub(crate) async fn spend_now(&self, key: Key, keep: Duration) -> Result<Spent, StoreError> {
        let view = self.view(key).await?;
        if view.0.kept.is_some() { Ok(Spent::Already) } else { self.spend(key, view.as_of(), keep).await }
    }

    /// Draws a new incarnation for every bucket, called by hand after the store was restored.
    pub(crate) async fn renew(&self) -> Result<(), StoreError> {
        // Twice if the clock was ahead: it goes back only once everything has ended, and then buckets are born at the
        // right time.
        self.renew_all().await?;
        if self.clock.accept_earlier() {
            self.renew_all().await?;
        }
        self.held.clear();
        Ok(())
    }

    async fn renew_all(&self) -> Result<(), StoreError> {
        // Some at once: a store syncs together what comes to it in one moment.
        for some in (0..BUCKETS).collect::<Vec<_>>().chunks(32) {
            futures_util::future::try_join_all(some.iter().map(|bucket| self.renew_one(*bucket))).await?;
        }
        Ok(())
    }

    async fn renew_one(&self, bucket: u16) -> Result<(), StoreError> {
        let was = self.view(Key::in_bucket(bucket)).await?.0.incarnation;
        self.store.renew(bucket, was).await.map(drop)
    }

    pub(crate) fn about(&self) -> About {
        self.store.about()
    }

    /// Checks that something was issued by this memory. A sequence from the future shows that the store was restored to
    /// an earlier state, in which something ended may be valid again: the bucket gets a new incarnation.
    async fn admit(&self, key: Key, found: AsOf, as_of: AsOf) -> Result<(), Refused> {
        if as_of.incarnation != found.incarnation {
            return Err(Refused::Ended(Ended::Forgotten));
        }
        if as_of.sequence > found.sequence {
            self.events.tell(Fact::of(EventKind::Rewound));
            let missing = as_of.sequence - found.sequence;
            tracing::debug!(target: "oauth", bucket = key.bucket(), missing, "writes are missing");
            self.store.renew(key.bucket(), found.incarnation).await?;
            self.held.clear();
            return Err(Refused::Ended(Ended::Forgotten));
        }
        Ok(())
    }

    /// The same after a write, perhaps without a read before: it must be later than what is presented.
    async fn admit_written(&self, key: Key, written: AsOf, as_of: Option<AsOf>) -> Result<(), Refused> {
        let Some(as_of) = as_of else { return Ok(()) };
        self.admit(key, written, AsOf { sequence: as_of.sequence.saturating_add(1), ..as_of }).await
    }

    /// What this process knows about a record without asking: its last seen state, or that it is absent.
    fn guess(&self, key: Key, as_of: Option<AsOf>) -> Option<View> {
        if let Some(seen) = self.held.last(key) {
            return Some(View(Seen { now: self.clock.now(), ..seen }));
        }
        if !self.held.is_on() {
            return None;
        }
        let (known, now) = (*self.incarnations[usize::from(key.bucket())].read(), self.clock.now());
        let incarnation = as_of.map(|as_of| as_of.incarnation).or(known.map(|(known, _)| known))?;
        let born = known.filter(|(known, _)| *known == incarnation).map_or(now, |(_, born)| born);
        Some(View(Seen { incarnation, born, sequence: 0, now, kept: None }))
    }

    /// Notes what the store answered, and when it was asked.
    fn seen(&self, key: Key, seen: Seen, asked: Duration) -> Result<View, StoreError> {
        if !self.has_clock {
            self.clock.raise(seen.now);
        } else if let Err(ClocksDiffer { seconds }) =
            self.clock.follow(seen.now, self.clock.monotonic().saturating_sub(asked))
        {
            let why = format!("its clock is {seconds} s away from this machine's: let a time server set both");
            return Err(StoreError::Unavailable(why.into()));
        }
        // There is one for each bucket.
        let known = &self.incarnations[usize::from(key.bucket())];
        let found = Some((seen.incarnation, seen.born));
        if *known.read() != found {
            *known.write() = found;
        }
        self.held.keep(key, &seen, asked);
        Ok(View(seen))
    }
}

/// At guards.
impl Ledger {
    /// Whether something stands, if that is known without waiting; nothing is allocated.
    pub(crate) fn check_now(&self, key: Key, as_of: AsOf, handed: HandedOut<'_>) -> Option<Result<View, Refused>> {
        if self.held.is_on() {
            // Such a store is never asked without waiting.
            return self.held.fresh(key, as_of).map(|seen| judged(View(seen), as_of, handed));
        }
        let view = match self.store.read(key).if_now().ok()? {
            Ok(seen) => View(seen),
            Err(error) => return Some(Err(error.into())),
        };
        // A rewind needs a write.
        (as_of.sequence <= view.0.sequence || as_of.incarnation != view.0.incarnation)
            .then(|| judged(view, as_of, handed))
    }

    /// While this is the same, so are the answers in the same second; `None` if that is not known without asking.
    pub(crate) fn changes(&self, key: Key) -> Option<u64> {
        self.memory.as_ref().map(|changes| changes.of(key))
    }

    /// The same, by asking the store. While it is away, its recent answers count.
    pub(crate) async fn check_at_guard(&self, key: Key, as_of: AsOf, handed: HandedOut<'_>) -> Result<View, Refused> {
        match self.check(key, as_of, handed).await {
            Err(Refused::Store(error)) => match self.held.tolerated(key, as_of, &error) {
                Some(seen) => judged(View(seen), as_of, handed),
                None => Err(error.into()),
            },
            checked => checked,
        }
    }
}

fn judged(view: View, as_of: AsOf, handed: HandedOut<'_>) -> Result<View, Refused> {
    if as_of.incarnation != view.0.incarnation {
        return Err(Refused::Ended(Ended::Forgotten));
    }
    view.record()?.judge(&handed, view.now())?;
    Ok(view)
}

/// Others write the same value, again and again.
fn overtaken() -> StoreError {
    StoreError::Unavailable("others write the same value all the time".into())
}

impl View {
    /// The `as_of` of anything made from this view.
    pub(crate) fn as_of(&self) -> AsOf {
        AsOf { incarnation: self.0.incarnation, sequence: self.0.sequence }
    }

    /// The time of this state, by the clock that lets values expire.
    pub(crate) fn now(&self) -> Timestamp {
        self.0.now
    }

    /// When the store's memory of this began.
    pub(crate) fn born(&self) -> Timestamp {
        self.0.born
    }

    pub(crate) fn record(&self) -> Result<&Record, StoreError> {
        static ABSENT: LazyLock<Record> = LazyLock::new(Record::default);
        self.0.kept.as_ref().map_or(Ok(&ABSENT), |kept| kept.value.record(kept.version))
    }
}

impl Refused {
    /// The reason on the wire; `ended` translates an ending.
    pub(crate) fn into_reason(self, ended: impl FnOnce(Ended) -> Reason) -> Reason {
        match self {
            Refused::Ended(why) => ended(why),
            Refused::Store(error) => error.into(),
        }
    }
}

impl From<Ended> for Refused {
    fn from(ended: Ended) -> Self {
        Refused::Ended(ended)
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Refused::Store(error)
    }
}

/// Overtaken writers wait in a queue of their process, so only this many processes could keep one from writing.
const MOST_ATTEMPTS: usize = 100;

#[cfg(all(test, feature = "testing"))]
#[path = "standing/tests.rs"]
mod tests;

#[cfg(all(test, feature = "testing"))]
mod explored;
