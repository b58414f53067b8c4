//! Why the author's function gave no answer.

use crate::limit::TooMany;

/// Why there is no answer. All but one mean 503: a guesser learns nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// Too many wait for a place, or this one has for too long.
    Busy,
    /// It was not asked: meanwhile too many others failed.
    HeldUp(TooMany),
    TimedOut,
    Panicked,
    Failed(String),
}
