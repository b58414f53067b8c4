//! What clients and people ask for, as the endpoints do it: with the rules of `Record`, through a `Ledger`.

use std::sync::Arc;
use std::time::Duration;

use crate::model::Timestamp;
use crate::model::as_of::AsOf;
use crate::model::record::{Ended, Family, Grant, HandedOut, HandedOutGrant, Record, Redeemed, Rotated};
use crate::model::resource::Resources;
use crate::model::scope::Scope;
use crate::standing::{Decision, Ledger, Refused};
use crate::store::{Key, Kind};

/// How long a code is valid.
pub(super) const CODE: Duration = Duration::from_secs(60);
/// How long a refresh token may come again.
pub(super) const GRACE: Duration = Duration::from_secs(10);
/// Longer than any exploration.
const LONG: Duration = Duration::from_secs(30 * 24 * 3600);
const CLIENT: &str = "demo";

/// A request. A sign-in, its session, its code and its grant have the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Request {
    SignIn(usize),
    Redeem(Code),
    Refresh(Token),
    /// Whether an access token stands.
    Check(Token),
    Revoke(usize),
    EndSession(usize),
    SignOut,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Code {
    pub(super) number: usize,
    pub(super) as_of: AsOf,
    pub(super) until: Timestamp,
}

/// A refresh token, and the access token that came with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) number: usize,
    pub(super) generation: u64,
    pub(super) as_of: AsOf,
}

impl std::hash::Hash for Code {
    fn hash<H: std::hash::Hasher>(&self, into: &mut H) {
        (self.number, self.as_of.incarnation, self.as_of.sequence, self.until).hash(into);
    }
}

impl std::hash::Hash for Token {
    fn hash<H: std::hash::Hasher>(&self, into: &mut H) {
        (self.number, self.generation, self.as_of.incarnation, self.as_of.sequence).hash(into);
    }
}

/// What was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    SignedIn(Code),
    Issued(Token),
    /// It was reused: the grant has ended.
    Reused,
    /// It stands, as of then.
    Stands(AsOf),
    Done,
    Refused,
    /// The store gave no answer.
    Unknown,
}

/// A fault of an endpoint, to show that it is detected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slip {
    /// A code is redeemed without checking whether it stands.
    CodeNotJudged,
    /// A refresh token has no grace.
    NoGrace,
    /// A code that comes again soon is accepted again.
    CodeHasGrace,
    /// A sign-out leaves the grants.
    GrantsLeft,
}

pub(super) fn subject() -> Key {
    Key::of(Kind::Subject, "alice")
}

pub(super) fn name(number: usize) -> &'static str {
    ["a", "b", "c", "d"][number]
}

/// A token of this grant, for a check.
pub(super) fn handed(token: &Token) -> HandedOut<'static> {
    let grant = HandedOutGrant { id: name(token.number), client: CLIENT, has_family: true };
    HandedOut { grant: Some(grant), ..of_session(token.number, token.as_of) }
}

pub(super) fn of_session(number: usize, as_of: AsOf) -> HandedOut<'static> {
    HandedOut { sequence: as_of.sequence, session: Some(name(number)), grant: None }
}

fn family(number: usize, now: Timestamp) -> Grant {
    Grant {
        id: name(number).to_owned(),
        client: CLIENT.to_owned(),
        name: None,
        session: Some(name(number).to_owned()),
        scope: Scope::default(),
        resources: Resources::default(),
        begun: now,
        used: now,
        family: Family { generation: 0, since: now, until: now + LONG },
    }
}

pub(super) async fn serve(ledger: Arc<Ledger>, request: Request, slip: Option<Slip>) -> Told {
    let told = match request {
        Request::SignIn(number) => sign_in(&ledger, number).await,
        Request::Redeem(code) => redeem(&ledger, code, slip).await,
        Request::Refresh(token) => refresh(&ledger, token, slip).await,
        Request::Check(token) => {
            let checked = ledger.check(subject(), token.as_of, handed(&token)).await;
            checked.map(|view| Told::Stands(view.as_of()))
        }
        Request::Revoke(number) => change(&ledger, |record, now| record.end_grant(name(number), CLIENT, now)).await,
        Request::EndSession(number) => change(&ledger, |record, now| record.end_session(name(number), now)).await,
        Request::SignOut => {
            change(&ledger, |record, now| {
                let before = record.clone();
                record.sign_out(now);
                if slip == Some(Slip::GrantsLeft) {
                    *record = before;
                }
            })
            .await
        }
    };
    told.unwrap_or_else(|why| match why {
        Refused::Ended(_) => Told::Refused,
        Refused::Store(_) => Told::Unknown,
    })
}

/// As `Server::end_grant` and `OAuthService::sign_out` do.
async fn change(ledger: &Ledger, change: impl Fn(&mut Record, Timestamp)) -> Result<Told, Refused> {
    let decide = |record: &mut Record, now| {
        change(record, now);
        Ok(Decision::Write(()))
    };
    ledger.change(subject(), None, decide).await.map(|_| Told::Done)
}

/// As `sign_in::finish`.
async fn sign_in(ledger: &Ledger, number: usize) -> Result<Told, Refused> {
    let began = ledger.clock.now();
    let begin = |record: &mut Record, now: Timestamp| {
        record.judge_sign_in(began, None, Duration::ZERO, now)?;
        record.begin_session(name(number), now + LONG, now + LONG, now);
        Ok(Decision::Write(()))
    };
    let ((), view) = ledger.change(subject(), None, begin).await?;
    Ok(Told::SignedIn(Code { number, as_of: view.as_of(), until: ledger.clock.now() + CODE }))
}

/// As `endpoints::token::authorization_code`.
async fn redeem(ledger: &Ledger, code: Code, slip: Option<Slip>) -> Result<Told, Refused> {
    if code.until <= ledger.clock.now() {
        return Ok(Told::Refused);
    }
    let Code { number, as_of, until } = code;
    let redeem = |record: &mut Record, now: Timestamp| {
        if slip != Some(Slip::CodeNotJudged) {
            record.judge(&of_session(number, as_of), now)?;
        }
        let before = record.clone();
        let redeemed = record.redeem(name(number), CLIENT, until, Some(family(number, now)), now);
        if slip == Some(Slip::CodeHasGrace) && redeemed == Ok(Redeemed::Replayed) {
            *record = before;
            return Ok(Decision::Keep(Ok(Redeemed::First)));
        }
        Ok(match redeemed {
            Ok(Redeemed::First | Redeemed::Replayed) => Decision::Write(redeemed),
            Ok(Redeemed::Expired) | Err(_) => Decision::Keep(redeemed),
        })
    };
    let (redeemed, view) = ledger.change(subject(), Some(as_of), redeem).await?;
    Ok(match redeemed {
        Ok(Redeemed::First) => Told::Issued(Token { number, generation: 0, as_of: view.as_of() }),
        Ok(Redeemed::Replayed) => Told::Reused,
        Ok(Redeemed::Expired) | Err(_) => Told::Refused,
    })
}

/// As `endpoints::token::refresh_token`.
async fn refresh(ledger: &Ledger, token: Token, slip: Option<Slip>) -> Result<Told, Refused> {
    ledger.check(subject(), token.as_of, handed(&token)).await?;
    let grace = if slip == Some(Slip::NoGrace) { Duration::ZERO } else { GRACE };
    let rotate = |record: &mut Record, now: Timestamp| -> Result<_, Ended> {
        record.judge(&of_session(token.number, token.as_of), now)?;
        Ok(match record.rotate(name(token.number), token.generation, grace, now + LONG, now) {
            rotated @ (Rotated::Next(_) | Rotated::Reused) => Decision::Write(rotated),
            rotated @ (Rotated::Grace(_) | Rotated::Ended) => Decision::Keep(rotated),
        })
    };
    let (rotated, view) = ledger.change(subject(), Some(token.as_of), rotate).await?;
    Ok(match rotated {
        Rotated::Next(generation) | Rotated::Grace(generation) => {
            Told::Issued(Token { generation, as_of: view.as_of(), ..token })
        }
        Rotated::Reused => Told::Reused,
        Rotated::Ended => Told::Refused,
    })
}
