//! The bounds of all lifetimes.

use std::time::Duration;

/// The longest that an access token may live.
pub(crate) const LONGEST_ACCESS_TOKEN: Duration = Duration::from_secs(DAY);

/// The longest that an authorization code may live (RFC 6749 §4.1.2).
pub(crate) const LONGEST_CODE: Duration = Duration::from_secs(600);

/// The longest that anything may live that a sign-in gives: sessions and families of refresh tokens.
pub(crate) const LONGEST: Duration = Duration::from_secs(400 * DAY);

/// How long a request may be on its way between two steps: for as much longer something spent is remembered.
pub(crate) const SLOWEST_ANSWER: Duration = Duration::from_secs(60);

/// How long, after its first use, a refresh token may be used again unless the builder says otherwise: two tabs that refresh
/// at once, or an answer that was lost on the way. Both get the same generation.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

/// The longest that the builder may say. What has ended and what lives is remembered for this, whatever it says, so that it
/// may say otherwise tomorrow.
pub(crate) const LONGEST_GRACE: Duration = Duration::from_secs(60);

pub(crate) const DAY: u64 = 24 * 3600;

/// How long something is good that can be used many times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lifetimes {
    /// Without use.
    pub(crate) idle: Duration,
    /// From the sign-in on, with any use.
    pub(crate) absolute: Duration,
}

impl Lifetimes {
    pub(crate) const OF_REFRESH_TOKENS: Lifetimes =
        Lifetimes { idle: Duration::from_secs(14 * DAY), absolute: Duration::from_secs(90 * DAY) };
    pub(crate) const OF_SESSIONS: Lifetimes =
        Lifetimes { idle: Duration::from_secs(DAY), absolute: Duration::from_secs(14 * DAY) };
}
