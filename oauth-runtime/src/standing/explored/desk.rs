//! A store whose answers come when a scheduler says so.

use std::collections::BTreeMap;
use std::future::Future;
use std::hash::{Hash as _, Hasher};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use parking_lot::{Mutex, MutexGuard};

use crate::model::record::{Family, Record};
use crate::model::{Clock, Timestamp};
use crate::store::{
    About, Change, Count, Counted, Incarnation, Kept, Key, Reply, Seen, Store, StoreError, Swap, Value,
};

/// The bucket of one subject, and the calls that are on their way to it. Clones are one.
#[derive(Clone)]
pub(super) struct Desk {
    hub: Arc<Mutex<Hub>>,
    /// Answers at once, and changes nothing: for an observer.
    is_onlooker: bool,
}

pub(super) struct Hub {
    pub(super) clock: Clock,
    pub(super) bucket: Bucket,
    pub(super) snapshot: Option<Bucket>,
    /// Its state before the last write.
    before: Bucket,
    pub(super) calls: BTreeMap<usize, Call>,
    /// Who is calling.
    pub(super) caller: usize,
    next_call: usize,
    drawn: u64,
    fault: Option<Fault>,
}

#[derive(Clone, PartialEq)]
pub(super) struct Bucket {
    pub(super) incarnation: u64,
    pub(super) sequence: u64,
    kept: Option<Held>,
}

/// What the subject's key holds.
#[derive(Clone, PartialEq)]
pub(super) struct Held {
    version: u64,
    until: Timestamp,
    bytes: Vec<u8>,
}

pub(super) struct Call {
    /// `None` if the caller is gone: the call may still be done.
    pub(super) caller: Option<usize>,
    pub(super) request: Request,
    pub(super) stage: Stage,
}

#[derive(Clone, Debug)]
pub(super) enum Request {
    Read,
    Swap(Change),
    Renew(Incarnation),
}

#[derive(Debug)]
pub(super) enum Stage {
    Asked,
    Done(Answer),
    Told(Result<Answer, StoreError>),
}

#[derive(Debug)]
pub(super) enum Answer {
    Seen(Seen),
    Swap(Swap),
    Incarnation(Incarnation),
}

/// A fault of the store, to show that it is detected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A write does not check whether the value is still the same.
    SinceIgnored,
    /// A write does not check the incarnation.
    IncarnationIgnored,
    /// Reads return the state before the last write.
    ReplicaLags,
    /// A write does not raise the sequence.
    NotRaised,
    /// A write is reported as done, but is not.
    NotWritten,
    /// Renewing does nothing, but returns another incarnation.
    NotRenewed,
    /// A part of each record is lost: spent names, endings, or the sign-out.
    Loses(&'static str),
}

impl Bucket {
    fn seen(&self, now: Timestamp) -> Seen {
        let kept = self.kept.as_ref().filter(|held| held.until > now);
        Seen {
            incarnation: Incarnation::from_bits(self.incarnation),
            born: Timestamp::from_seconds(0),
            sequence: self.sequence,
            now,
            kept: kept.map(|held| Kept { version: held.version, value: Value::from(held.bytes.clone()) }),
        }
    }

    /// The family of a grant.
    pub(super) fn family(&self, grant: &str, now: Timestamp) -> Option<Family> {
        let held = self.kept.as_ref()?;
        let record = Record::decode(&held.bytes, held.version).ok()?;
        record.grants(now).find(|found| found.id == grant).map(|found| found.family)
    }

    pub(super) fn fingerprint(&self, into: &mut impl Hasher) {
        (self.incarnation, self.sequence).hash(into);
        if let Some(held) = &self.kept {
            (held.version, held.until, &held.bytes).hash(into);
        }
    }
}

impl Hub {
    /// Does what a call asks, and keeps the answer for its caller, if there is one.
    pub(super) fn perform(&mut self, call: usize) {
        let request = self.calls[&call].request.clone();
        let answer = match request {
            Request::Read => Answer::Seen(self.read_now()),
            Request::Swap(change) => Answer::Swap(self.swap_now(change)),
            Request::Renew(was) => Answer::Incarnation(self.renew_now(was)),
        };
        match self.calls.get_mut(&call) {
            Some(call) if call.caller.is_some() => call.stage = Stage::Done(answer),
            Some(_) | None => _ = self.calls.remove(&call),
        }
    }

    fn read_now(&self) -> Seen {
        let lags = self.fault == Some(Fault::ReplicaLags);
        if lags { self.before.seen(self.clock.now()) } else { self.bucket.seen(self.clock.now()) }
    }

    fn swap_now(&mut self, change: Change) -> Swap {
        let now = self.clock.now();
        let seen = self.bucket.seen(now);
        let is_other = change.incarnation != seen.incarnation && self.fault != Some(Fault::IncarnationIgnored);
        let is_changed = change.since != seen.kept.as_ref().map(|kept| kept.version);
        if is_other || (is_changed && self.fault != Some(Fault::SinceIgnored)) {
            return Swap::Changed(seen);
        }
        self.before = self.bucket.clone();
        self.bucket.sequence += u64::from(self.fault != Some(Fault::NotRaised));
        let sequence = self.bucket.sequence;
        if self.fault != Some(Fault::NotWritten) {
            let until = now + change.keep;
            self.bucket.kept =
                change.value.map(|value| Held { version: sequence, until, bytes: self.written(value.as_bytes()) });
        }
        Swap::Done { sequence, now }
    }

    fn written(&self, bytes: &[u8]) -> Vec<u8> {
        let Some(Fault::Loses(part)) = self.fault else { return bytes.to_vec() };
        let mut record: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(bytes).expect("JSON");
        record.remove(part);
        serde_json::to_vec(&record).expect("JSON")
    }

    fn renew_now(&mut self, was: Incarnation) -> Incarnation {
        if self.fault == Some(Fault::NotRenewed) {
            return Incarnation::from_bits(u64::MAX >> 1);
        }
        if was.bits() == self.bucket.incarnation {
            self.lose();
        }
        Incarnation::from_bits(self.bucket.incarnation)
    }

    /// Everything is gone.
    pub(super) fn lose(&mut self) {
        self.drawn += 1;
        self.bucket = Bucket { incarnation: self.drawn, sequence: 0, kept: None };
        self.before = self.bucket.clone();
    }
}

impl Desk {
    pub(super) fn new(clock: Clock, fault: Option<Fault>) -> Self {
        let bucket = Bucket { incarnation: 1, sequence: 0, kept: None };
        let hub = Hub {
            clock,
            before: bucket.clone(),
            bucket,
            snapshot: None,
            calls: BTreeMap::new(),
            caller: 0,
            next_call: 0,
            drawn: 1,
            fault,
        };
        Desk { hub: Arc::new(Mutex::new(hub)), is_onlooker: false }
    }

    pub(super) fn onlooker(&self) -> Self {
        Desk { hub: Arc::clone(&self.hub), is_onlooker: true }
    }

    /// Begins anew.
    pub(super) fn reset(&self) {
        let mut hub = self.hub();
        let new = Desk::new(hub.clock.clone(), hub.fault);
        *hub = Arc::into_inner(new.hub).expect("it is the only one").into_inner();
    }

    pub(super) fn hub(&self) -> MutexGuard<'_, Hub> {
        self.hub.lock()
    }

    fn ask<T: Send + Unpin + 'static>(&self, request: Request, read: fn(Answer) -> Option<T>) -> Reply<'_, T> {
        Reply::later(Waiting { hub: Arc::clone(&self.hub), request: Some(request), call: 0, read })
    }
}

/// A call, from its first poll on.
struct Waiting<T> {
    hub: Arc<Mutex<Hub>>,
    request: Option<Request>,
    call: usize,
    read: fn(Answer) -> Option<T>,
}

impl<T> Future for Waiting<T> {
    type Output = Result<T, StoreError>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let mut hub = this.hub.lock();
        if let Some(request) = this.request.take() {
            let (call, caller) = (hub.next_call, hub.caller);
            hub.next_call += 1;
            hub.calls.insert(call, Call { caller: Some(caller), request, stage: Stage::Asked });
            this.call = call;
            return Poll::Pending;
        }
        if !matches!(hub.calls.get(&this.call), Some(Call { stage: Stage::Told(_), .. })) {
            return Poll::Pending;
        }
        match hub.calls.remove(&this.call).map(|call| call.stage) {
            Some(Stage::Told(told)) => Poll::Ready(told.map(|answer| (this.read)(answer).expect("its own answer"))),
            _ => Poll::Pending,
        }
    }
}

impl Store for Desk {
    fn read(&self, _: Key) -> Reply<'_, Seen> {
        if self.is_onlooker {
            return Reply::now(Ok(self.hub().read_now()));
        }
        self.ask(Request::Read, |answer| match answer {
            Answer::Seen(seen) => Some(seen),
            Answer::Swap(_) | Answer::Incarnation(_) => None,
        })
    }

    fn swap(&self, _: Key, change: Change) -> Reply<'_, Swap> {
        self.ask(Request::Swap(change), |answer| match answer {
            Answer::Swap(swap) => Some(swap),
            Answer::Seen(_) | Answer::Incarnation(_) => None,
        })
    }

    fn count<'a>(&'a self, _: &'a [Count]) -> Reply<'a, Vec<Counted>> {
        Reply::now(Ok(Vec::new()))
    }

    fn renew(&self, _: u16, was: Incarnation) -> Reply<'_, Incarnation> {
        if self.is_onlooker {
            return Reply::now(Ok(was));
        }
        self.ask(Request::Renew(was), |answer| match answer {
            Answer::Incarnation(incarnation) => Some(incarnation),
            Answer::Seen(_) | Answer::Swap(_) => None,
        })
    }

    fn about(&self) -> About {
        About { engine: "desk", schema: None, has_clock: false }
    }
}
