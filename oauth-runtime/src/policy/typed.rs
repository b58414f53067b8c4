//! Claims as a type of the application, matched by a Rust pattern.

use std::any::{TypeId, type_name};
use std::fmt;

use serde::Deserialize;

use crate::policy::bound::Binds;
use crate::policy::{Claimed, Decision, Facts, Shapes};

/// A Rust pattern over the application's own claims type.
#[derive(Clone, Copy)]
pub struct Typed {
    /// As written.
    pub pattern: &'static str,
    /// Knows the type, which a rule cannot name, and answers with `question.ask(|claims: &_| ..)`.
    pub answer: fn(Inquiry<'_>) -> Verdict,
}

/// What the runtime asks a [`Typed`].
pub struct Inquiry<'a>(Kind<'a>);

enum Kind<'a> {
    Type,
    Match(Claimed<'a>, &'a Shapes),
}

/// What a [`Typed`] answers.
#[derive(Debug)]
pub struct Verdict(Ruling);

#[derive(Debug)]
enum Ruling {
    Type(TypeId, &'static str),
    Decided(Decision),
}

impl Inquiry<'_> {
    /// Answers, given whether claims match.
    #[must_use]
    pub fn ask<T: for<'de> Deserialize<'de> + 'static>(self, matches: fn(&T) -> bool) -> Verdict {
        Verdict(match self.0 {
            Kind::Type => Ruling::Type(TypeId::of::<T>(), type_name::<T>()),
            Kind::Match(claims, shapes) => Ruling::Decided(shapes.matches(claims, matches)),
        })
    }
}

impl Inquiry<'_> {
    /// Like [`ask`](Inquiry::ask), where the claims of the crate are of this type.
    #[doc(hidden)]
    #[must_use]
    pub fn ask_bound<T: for<'de> Deserialize<'de> + 'static, B: Binds<T>>(
        self,
        _: B,
        matches: fn(&T) -> bool,
    ) -> Verdict {
        self.ask(matches)
    }
}

impl Typed {
    pub(crate) fn decide(&self, facts: &Facts<'_>) -> Decision {
        match (self.answer)(Inquiry(Kind::Match(facts.claimed, &facts.shapes))).0 {
            Ruling::Decided(decision) => decision,
            // Each kind of question gets its kind of answer, since only `ask` answers.
            Ruling::Type(..) => Decision::Unknown,
        }
    }

    /// The type of claims that it needs, and its name.
    pub(crate) fn claims_type(&self) -> Option<(TypeId, &'static str)> {
        match (self.answer)(Inquiry(Kind::Type)).0 {
            Ruling::Type(id, name) => Some((id, name)),
            Ruling::Decided(_) => None,
        }
    }
}

impl fmt::Debug for Inquiry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inquiry")
    }
}

impl fmt::Debug for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Typed").field(&self.pattern).finish()
    }
}
