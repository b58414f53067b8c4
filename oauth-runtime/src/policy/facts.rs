//! What a rule is decided over.

use std::borrow::Cow;
use std::fmt;

use serde_json::{Map, Value as Json};

use crate::model::claims::SEALED;
use crate::model::sealed_claims::Hidden;
use crate::model::{Clock, Timestamp};
use crate::policy::claimed::Claimed;
use crate::policy::shapes::Shapes;

/// What a rule is decided over: a token's claims, the time, and the parameters of the route.
pub struct Facts<'a> {
    pub(super) claimed: Claimed<'a>,
    now: Now<'a>,
    pub(super) parameter: &'a dyn Fn(&str) -> Option<Cow<'a, str>>,
    pub(crate) shapes: Shapes,
    hidden: &'a Hidden,
}

/// Read only by the term that needs it.
#[derive(Clone, Copy, Debug)]
enum Now<'a> {
    At(Timestamp),
    By(&'a Clock),
}

impl<'a> Facts<'a> {
    /// Only claims: at time zero, on a route without parameters.
    #[must_use]
    pub fn new(claims: &'a Map<String, Json>) -> Self {
        Facts::of(Claimed { claims, beside: None })
    }

    /// The same, for claims some of which are kept elsewhere.
    pub(crate) fn of(claimed: Claimed<'a>) -> Self {
        Facts {
            claimed,
            now: Now::At(Timestamp::from_seconds(0)),
            parameter: &|_| None,
            shapes: Shapes::default(),
            hidden: &Hidden::Nothing,
        }
    }

    /// At this time, for `fresh`.
    #[must_use]
    pub fn at(self, now: Timestamp) -> Self {
        Facts { now: Now::At(now), ..self }
    }

    pub(crate) fn by(self, clock: &'a Clock) -> Self {
        Facts { now: Now::By(clock), ..self }
    }

    /// On a route with these parameters, percent-decoded.
    #[must_use]
    pub fn with_parameters(self, parameter: &'a dyn Fn(&str) -> Option<Cow<'a, str>>) -> Self {
        Facts { parameter, ..self }
    }

    /// With what an earlier guard has parsed.
    pub(crate) fn with_shapes(self, shapes: Shapes) -> Self {
        Facts { shapes, ..self }
    }

    /// With claims that the client of the token cannot read.
    pub(crate) fn hiding(self, hidden: &'a Hidden) -> Self {
        Facts { hidden, ..self }
    }

    /// Whether the client of the token cannot read this claim.
    pub(super) fn hides(&self, claim: &str) -> bool {
        self.hidden.has(claim)
    }

    /// Whether it cannot read the user's claims as a whole.
    pub(crate) fn hides_the_user(&self) -> bool {
        matches!(self.hidden, Hidden::AllBut(_))
    }

    /// Whether the token is a client's in its own name: its subject is the client (RFC 9068 §2.2), and no one signed in.
    ///
    /// Another issuer may leave out when its user signed in, and may count users and clients alike: neither is enough.
    pub(super) fn are_of_no_user(&self) -> bool {
        let subject = self.claim(&["sub"]);
        subject.is_some() && subject == self.claim(&["client_id"]) && self.claim(&["auth_time"]).is_none()
    }

    /// Whether the token has this scope.
    pub(super) fn is_granted(&self, scope: &str) -> bool {
        let granted = self.claim(&["scope"]);
        granted.as_deref().and_then(Json::as_str).unwrap_or_default().split(' ').any(|granted| granted == scope)
    }

    pub(super) fn now(&self) -> Timestamp {
        match self.now {
            Now::At(now) => now,
            Now::By(clock) => clock.now(),
        }
    }

    pub(super) fn claim(&self, name: &[&str]) -> Option<Cow<'a, Json>> {
        self.claimed.get(name)
    }

    /// Whether an absent claim may be among those that are sealed, and were not opened here.
    pub(super) fn may_be_sealed(&self) -> bool {
        self.claimed.claims.contains_key(SEALED)
    }
}

impl fmt::Debug for Facts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Facts").field("now", &self.now).finish_non_exhaustive()
    }
}
