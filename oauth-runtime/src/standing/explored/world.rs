//! Two processes over one store, the requests to them, and what must hold in every order.

use std::collections::hash_map::DefaultHasher;
use std::future::Future;
use std::hash::{Hash as _, Hasher as _};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::bounds::{Action, Bounds};
use super::desk::{Desk, Fault, Request as Asked, Stage};
use super::requests::{Code, GRACE, Request, Slip, Token, Told, handed, name, of_session, serve, subject};
use crate::event::teller::Events;
use crate::model::Clock;
use crate::model::as_of::AsOf;
use crate::standing::{Ledger, Patience};
use crate::store::StoreError;

struct Running {
    request: Request,
    process: usize,
    future: Pin<Box<dyn Future<Output = Told>>>,
    /// A hash of all answers so far, and when they came.
    heard: u64,
    /// How many had begun to sign in when it came.
    signed_in_before: usize,
    /// Whether what it presents had ended when it came, or was from an earlier memory.
    had_ended: bool,
}

/// What is known about a sign-in and its grant.
#[derive(Clone, Default, Hash)]
struct Known {
    code: Option<Code>,
    /// How often its code gave tokens.
    issued: u8,
    /// Whether the end of its grant was acknowledged.
    grant_ended: bool,
    session_ended: bool,
}

pub(super) struct World {
    desk: Desk,
    clock: Clock,
    processes: [Arc<Ledger>; 2],
    onlooker: Ledger,
    slip: Option<Slip>,
    // What follows begins anew with each run.
    left: Bounds,
    running: Vec<Option<Running>>,
    known: Vec<Known>,
    tokens: Vec<Token>,
    /// The incarnation that was restored to an earlier state, if not detected yet.
    put_back: Option<u64>,
    /// The incarnations that should have been renewed.
    renewed: Vec<u64>,
    wrong: Option<String>,
}

impl World {
    pub(super) fn new(fault: Option<Fault>, slip: Option<Slip>) -> Self {
        let clock = Clock::by_hand();
        let desk = Desk::new(clock.clone(), fault);
        let events = Arc::new(Events::new(clock.clone(), Vec::new()).expect("no thread is needed"));
        let ledger = |desk: Desk| Ledger::new(Arc::new(desk), clock.clone(), Patience::default(), Arc::clone(&events));
        World {
            processes: [Arc::new(ledger(desk.clone())), Arc::new(ledger(desk.clone()))],
            onlooker: ledger(desk.onlooker()),
            desk,
            slip,
            left: Bounds::default(),
            running: Vec::new(),
            known: Vec::new(),
            tokens: Vec::new(),
            put_back: None,
            renewed: Vec::new(),
            wrong: None,
            clock,
        }
    }

    /// Begins anew, with the initial steps.
    pub(super) fn begin(&mut self, bounds: &Bounds) {
        (self.running, self.known, self.tokens) = (Vec::new(), Vec::new(), Vec::new());
        (self.put_back, self.renewed, self.wrong) = (None, Vec::new(), None);
        let start = i64::try_from(START).expect("it is small");
        self.clock.accept();
        self.clock.step(start.saturating_sub_unsigned(self.clock.now().seconds()));
        self.clock.accept_earlier();
        self.desk.reset();
        (0..2).for_each(|process| self.forget(process));
        self.left = Bounds { sign_ins: u8::MAX, redemptions: u8::MAX, ..bounds.clone() };
        for number in 0..bounds.signed_in {
            self.alone(Request::SignIn(number));
        }
        for number in 0..bounds.redeemed {
            let code = self.known[number].code.expect("it is signed in");
            self.alone(Request::Redeem(code));
        }
        self.left = bounds.clone();
    }

    fn alone(&mut self, request: Request) {
        self.act(Action::Ask(request, 0));
        while let Some(call) = self.calls(|stage| matches!(stage, Stage::Asked)).first() {
            self.act(Action::Answer(*call));
        }
    }

    /// A process forgets all it knows.
    fn forget(&self, process: usize) {
        let ledger = &self.processes[process];
        ledger.held.clear();
        *ledger.incarnations[usize::from(subject().bucket())].write() = None;
    }

    fn calls(&self, stage: impl Fn(&Stage) -> bool) -> Vec<usize> {
        self.desk.hub().calls.iter().filter(|(_, call)| stage(&call.stage)).map(|(number, _)| *number).collect()
    }

    /// Everything that may happen now.
    pub(super) fn actions(&self) -> Vec<Action> {
        let mut actions = Vec::new();
        let left = &self.left;
        for call in self.calls(|stage| matches!(stage, Stage::Asked)) {
            actions.push(Action::Answer(call));
            if self.desk.hub().calls[&call].caller.is_some() {
                actions.extend((left.delays > 0).then_some(Action::Reach(call)));
                actions.extend((left.faults > 0).then_some(Action::LoseAnswer(call)));
                // Reading later changes nothing.
                let is_read = matches!(self.desk.hub().calls[&call].request, Asked::Read);
                actions.extend((left.faults > 0 && !is_read).then_some(Action::GiveUp(call)));
            }
        }
        actions.extend(self.calls(|stage| matches!(stage, Stage::Done(_))).into_iter().map(Action::Deliver));
        let at_once = self.running.iter().flatten().count();
        if at_once < left.at_once {
            for process in 0..2 {
                actions.extend(self.requests().into_iter().map(|request| Action::Ask(request, process)));
            }
        }
        if left.faults > 0 {
            let is_busy = |process: &usize| self.running.iter().flatten().any(|it| it.process == *process);
            actions.extend((0..2).filter(is_busy).map(Action::Crash));
        }
        actions.extend(left.passing.iter().map(|seconds| Action::Pass(*seconds)));
        actions.extend((left.losses > 0).then_some(Action::LoseAll));
        actions.extend((left.others > 0).then_some(Action::WriteOther));
        if left.put_backs > 0 {
            let hub = self.desk.hub();
            match &hub.snapshot {
                None => actions.push(Action::Copy),
                Some(copy) if *copy != hub.bucket => actions.push(Action::PutBack),
                Some(_) => {}
            }
        }
        actions
    }

    fn requests(&self) -> Vec<Request> {
        let left = &self.left;
        let mut requests = Vec::new();
        requests.extend((left.sign_ins > 0).then_some(Request::SignIn(self.known.len())));
        let numbers = || 0..self.known.len();
        if left.redemptions > 0 {
            requests.extend(self.known.iter().filter_map(|known| known.code).map(Request::Redeem));
        }
        if left.refreshes > 0 {
            requests.extend(self.tokens.iter().map(|token| Request::Refresh(*token)));
        }
        if left.checks > 0 {
            requests.extend(self.tokens.iter().map(|token| Request::Check(*token)));
        }
        if left.revocations > 0 {
            requests.extend(numbers().filter(|it| self.known[*it].issued > 0).map(Request::Revoke));
        }
        if left.session_ends > 0 {
            requests.extend(numbers().filter(|it| self.known[*it].code.is_some()).map(Request::EndSession));
        }
        requests.extend((left.sign_outs > 0).then_some(Request::SignOut));
        requests
    }

    pub(super) fn act(&mut self, action: Action) {
        match action {
            Action::Ask(request, process) => self.ask(request, process),
            Action::Answer(call) => {
                self.perform(call);
                self.deliver(call);
            }
            Action::Reach(call) => {
                self.left.delays -= 1;
                self.perform(call);
            }
            Action::Deliver(call) => self.deliver(call),
            Action::LoseAnswer(call) => {
                self.left.faults -= 1;
                self.perform(call);
                self.fail(call);
            }
            Action::GiveUp(call) => {
                self.left.faults -= 1;
                let mut hub = self.desk.hub();
                let request = hub.calls[&call].request.clone();
                let orphan = hub.calls.keys().max().map_or(0, |last| last + 1) + ORPHANS;
                hub.calls.insert(orphan, super::desk::Call { caller: None, request, stage: Stage::Asked });
                drop(hub);
                self.fail(call);
            }
            Action::Crash(process) => {
                self.left.faults -= 1;
                self.crash(process);
            }
            Action::Pass(seconds) => {
                self.left.passing.retain(|it| *it != seconds);
                self.clock.advance(Duration::from_secs(seconds));
            }
            Action::LoseAll => {
                self.left.losses -= 1;
                self.desk.hub().lose();
            }
            Action::Copy => {
                let mut hub = self.desk.hub();
                hub.snapshot = Some(hub.bucket.clone());
            }
            Action::PutBack => {
                self.left.put_backs -= 1;
                let mut hub = self.desk.hub();
                let copy = hub.snapshot.clone().expect("it is offered where there is one");
                self.put_back = Some(copy.incarnation);
                hub.bucket = copy;
            }
            Action::WriteOther => {
                self.left.others -= 1;
                self.desk.hub().bucket.sequence += 1;
            }
        }
        if self.put_back.is_some_and(|it| it != self.desk.hub().bucket.incarnation) {
            self.put_back = None;
        }
    }

    fn ask(&mut self, request: Request, process: usize) {
        let had_ended = match request {
            Request::Redeem(Code { number, as_of, .. })
            | Request::Refresh(Token { number, as_of, .. })
            | Request::Check(Token { number, as_of, .. }) => self.known[number].grant_ended || !self.is_now(as_of),
            Request::SignIn(_) | Request::Revoke(_) | Request::EndSession(_) | Request::SignOut => false,
        };
        let left = &mut self.left;
        match request {
            Request::SignIn(_) => {
                left.sign_ins -= 1;
                self.known.push(Known::default());
            }
            Request::Redeem(_) => left.redemptions -= 1,
            Request::Refresh(_) => left.refreshes -= 1,
            Request::Check(_) => left.checks -= 1,
            Request::Revoke(_) => left.revocations -= 1,
            Request::EndSession(_) => left.session_ends -= 1,
            Request::SignOut => left.sign_outs -= 1,
        }
        let future = Box::pin(serve(Arc::clone(&self.processes[process]), request, self.slip));
        let signed_in_before = self.known.len();
        self.running.push(Some(Running { request, process, future, heard: 0, signed_in_before, had_ended }));
        self.go_on();
    }

    /// Does what a call asks. A refresh must not end a family by this within its grace.
    fn perform(&mut self, call: usize) {
        let mut hub = self.desk.hub();
        let by = hub.calls[&call].caller;
        let (before, now) = (hub.bucket.clone(), self.clock.now());
        if let Asked::Renew(was) = hub.calls[&call].request
            && was.bits() == before.incarnation
        {
            self.put_back = None;
            self.renewed.push(was.bits());
        }
        hub.perform(call);
        let after = hub.bucket.clone();
        drop(hub);
        let request = by.and_then(|by| self.running[by].as_ref()).map(|running| running.request);
        if let Some(Request::Refresh(token)) = request
            && let (Some(family), None) =
                (before.family(name(token.number), now), after.family(name(token.number), now))
            && before.incarnation == after.incarnation
        {
            let in_grace = token.generation + 1 == family.generation && now.since(family.since) < GRACE;
            if in_grace || token.generation == family.generation {
                self.wrong(format!("a refresh with {token:?} ended the family in its grace"));
            }
        }
    }

    fn deliver(&mut self, call: usize) {
        let mut hub = self.desk.hub();
        if let Some(call) = hub.calls.get_mut(&call)
            && let Stage::Done(answer) = std::mem::replace(&mut call.stage, Stage::Asked)
        {
            call.stage = Stage::Told(Ok(answer));
        }
        drop(hub);
        self.go_on();
    }

    fn fail(&mut self, call: usize) {
        if let Some(call) = self.desk.hub().calls.get_mut(&call) {
            call.stage = Stage::Told(Err(StoreError::Unavailable("lost".into())));
        }
        self.go_on();
    }

    fn crash(&mut self, process: usize) {
        let mut hub = self.desk.hub();
        for (number, running) in self.running.iter_mut().enumerate() {
            if running.as_ref().is_some_and(|it| it.process == process) {
                hub.calls.retain(|_, call| call.caller != Some(number) || matches!(call.stage, Stage::Asked));
                hub.calls.values_mut().filter(|it| it.caller == Some(number)).for_each(|it| it.caller = None);
                *running = None;
            }
        }
        drop(hub);
        self.forget(process);
    }

    /// Continues all requests that wait for nothing.
    fn go_on(&mut self) {
        for _ in 0..2 {
            for number in 0..self.running.len() {
                let waits =
                    |call: &super::desk::Call| call.caller == Some(number) && !matches!(call.stage, Stage::Told(_));
                if self.desk.hub().calls.values().any(waits) {
                    continue;
                }
                let Some(mut running) = self.running[number].take() else { continue };
                let mut heard = DefaultHasher::new();
                running.heard.hash(&mut heard);
                self.clock.now().hash(&mut heard);
                self.known_to(running.process, &mut heard);
                for call in self.desk.hub().calls.values().filter(|call| call.caller == Some(number)) {
                    format!("{:?}", call.stage).hash(&mut heard);
                }
                running.heard = heard.finish();
                self.desk.hub().caller = number;
                match running.future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                    Poll::Pending => self.running[number] = Some(running),
                    Poll::Ready(told) => {
                        drop(running.future);
                        self.told(running.request, told, running.signed_in_before, running.had_ended);
                    }
                }
            }
        }
    }

    /// Takes an answer.
    fn told(&mut self, request: Request, told: Told, signed_in_before: usize, had_ended: bool) {
        match told {
            Told::SignedIn(code) => self.known[code.number].code = Some(code),
            Told::Issued(token) => {
                if !self.tokens.contains(&token) {
                    self.tokens.push(token);
                }
            }
            Told::Stands(_) | Told::Reused | Told::Done | Told::Refused | Told::Unknown => {}
        }
        if had_ended && self.put_back.is_none() && matches!(told, Told::Issued(_) | Told::Stands(_)) {
            self.wrong(format!("{request:?} was accepted after its end, or by another memory"));
        }
        match (request, told) {
            (Request::Redeem(code), Told::Issued(token)) => {
                self.known[code.number].issued += 1;
                // This needed a write.
                self.not_older(request, AsOf { sequence: code.as_of.sequence + 1, ..code.as_of }, token.as_of);
                if self.known[code.number].issued > 1 && self.put_back.is_none() && self.is_now(code.as_of) {
                    self.wrong(format!("{code:?} gave tokens twice"));
                }
            }
            (Request::Refresh(Token { as_of, .. }), Told::Issued(token)) => {
                self.not_older(request, as_of, token.as_of);
            }
            (Request::Check(Token { as_of, .. }), Told::Stands(since)) => self.not_older(request, as_of, since),
            (Request::Redeem(Code { number, .. }) | Request::Refresh(Token { number, .. }), Told::Reused)
            | (Request::Revoke(number), Told::Done) => self.known[number].grant_ended = true,
            (Request::EndSession(number), Told::Done) => {
                (self.known[number].grant_ended, self.known[number].session_ended) = (true, true);
            }
            (Request::SignOut, Told::Done) => {
                for known in &mut self.known[..signed_in_before] {
                    (known.grant_ended, known.session_ended) = (true, true);
                }
            }
            _ => {}
        }
    }

    fn is_now(&self, as_of: AsOf) -> bool {
        let bits = as_of.incarnation.bits();
        bits == self.desk.hub().bucket.incarnation && !self.renewed.contains(&bits)
    }

    /// The answer must not be older than what was presented: otherwise a restored store was not detected.
    fn not_older(&mut self, request: Request, presented: AsOf, answered: AsOf) {
        if presented.incarnation != answered.incarnation || presented.sequence > answered.sequence {
            self.wrong(format!("{request:?} was accepted by an earlier state: {answered:?}"));
        }
    }

    /// Checks whether a fresh check accepts only what it should.
    pub(super) fn look(&mut self) {
        if self.put_back.is_some() {
            return;
        }
        let is_accepted = |as_of: AsOf, handed| {
            let check = std::pin::pin!(self.onlooker.check(subject(), as_of, handed));
            match check.poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(checked) => checked.ok(),
                Poll::Pending => unreachable!("the onlooker's store answers at once"),
            }
        };
        let mut wrong = None;
        for token in &self.tokens {
            let is_lost = !self.is_now(token.as_of);
            if (is_lost || self.known[token.number].grant_ended) && is_accepted(token.as_of, handed(token)).is_some() {
                wrong = Some(format!("{token:?} is accepted after its end (of another memory: {is_lost})"));
            }
        }
        for known in &self.known {
            let Some(code) = known.code else { continue };
            let is_lost = !self.is_now(code.as_of);
            if !is_lost && !known.session_ended {
                continue;
            }
            if let Some(view) = is_accepted(code.as_of, of_session(code.number, code.as_of))
                && view.record().is_ok_and(|record| record.has_session(name(code.number), view.now()))
            {
                wrong = Some(format!("the session of {code:?} is accepted after its end"));
            }
        }
        if let Some(wrong) = wrong {
            self.wrong(wrong);
        }
    }

    fn wrong(&mut self, what: String) {
        self.wrong.get_or_insert(what);
    }

    pub(super) fn is_wrong(&self) -> Option<&str> {
        self.wrong.as_deref()
    }

    fn known_to(&self, process: usize, into: &mut DefaultHasher) {
        let ledger = &self.processes[process];
        (*ledger.incarnations[usize::from(subject().bucket())].read()).hash(into);
        if let Some(seen) = ledger.held.last(subject()) {
            (seen.incarnation, seen.sequence).hash(into);
            if let Some(kept) = seen.kept {
                (kept.version, kept.value.as_bytes()).hash(into);
            }
        }
    }

    /// A hash of everything that decides what can come next.
    pub(super) fn fingerprint(&self) -> u64 {
        let mut hash = DefaultHasher::new();
        (0..2).for_each(|process| self.known_to(process, &mut hash));
        let hub = self.desk.hub();
        hub.bucket.fingerprint(&mut hash);
        hub.snapshot.is_some().hash(&mut hash);
        hub.snapshot.iter().for_each(|copy| copy.fingerprint(&mut hash));
        for running in self.running.iter().flatten() {
            (running.request, running.process, running.heard).hash(&mut hash);
            (running.signed_in_before, running.had_ended).hash(&mut hash);
        }
        for call in hub.calls.values() {
            let by = call.caller.and_then(|by| self.running[by].as_ref()).map(|it| it.request);
            by.hash(&mut hash);
            match &call.request {
                Asked::Swap(change) => {
                    (1, change.incarnation, change.since, change.keep).hash(&mut hash);
                    change.value.as_ref().map(|value| value.as_bytes()).hash(&mut hash);
                }
                Asked::Read => 2.hash(&mut hash),
                Asked::Renew(was) => (3, was).hash(&mut hash),
            }
            format!("{:?}", call.stage).hash(&mut hash);
        }
        (self.clock.now(), &self.left, &self.known, &self.tokens, self.put_back, &self.renewed).hash(&mut hash);
        hash.finish()
    }
}

/// When each run begins.
const START: u64 = 2_000_000_000 / 3600 * 3600;
/// Abandoned calls have numbers of their own.
const ORPHANS: usize = 1_000;
