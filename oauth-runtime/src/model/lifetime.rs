//! The bounds of all lifetimes.

use std::time::Duration;

/// The longest that an access token may live.
pub(crate) const LONGEST_ACCESS_TOKEN: Duration = Duration::from_secs(DAY);

/// The longest that an authorization code may live (RFC 6749 §4.1.2).
pub(crate) const LONGEST_CODE: Duration = Duration::from_secs(600);

/// The longest that anything from a sign-in may live: sessions and families of refresh tokens.
pub(crate) const LONGEST: Duration = Duration::from_secs(400 * DAY);

/// How long a request may be on its way between two steps: spent things are remembered for that much longer.
pub(crate) const SLOWEST_ANSWER: Duration = Duration::from_secs(60);

/// How long, after its first use, a refresh token may be used again by default: for two tabs that refresh at once, or
/// an answer that was lost on the way. Both get the same generation.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

/// The longest that the builder allows. What has ended and what lives is always remembered for this time, so that the
/// setting can change.
pub(crate) const LONGEST_GRACE: Duration = Duration::from_secs(60);

pub(crate) const DAY: u64 = 24 * 3600;

/// Whether a lifetime is valid: in whole seconds, as in tokens, at least one and at most the longest.
pub(crate) const fn is_lifetime(lifetime: Duration, longest: Duration) -> bool {
    lifetime.subsec_nanos() == 0 && lifetime.as_secs() > 0 && lifetime.as_secs() <= longest.as_secs()
}

/// A time to wait, in whole seconds. Rounded up, because one who returns too early is refused again.
pub(crate) const fn wait_in_seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add((wait.subsec_nanos() > 0) as u64)
}

/// A lifetime as in `90s`, `15m`, `12h` or `14d`.
pub(crate) const fn written(text: &str) -> Option<Duration> {
    let [digits @ .., unit] = text.as_bytes() else { return None };
    let unit = match unit {
        b's' => 1,
        b'm' => 60,
        b'h' => 3600,
        b'd' => DAY,
        _ => return None,
    };
    let (mut number, mut at) = (0, 0);
    while at < digits.len() {
        if !digits[at].is_ascii_digit() || number > LONGEST.as_secs() {
            return None;
        }
        number = 10 * number + (digits[at] - b'0') as u64;
        at += 1;
    }
    let lifetime = Duration::from_secs(number * unit);
    if is_lifetime(lifetime, LONGEST) { Some(lifetime) } else { None }
}

/// How long something that can be used many times is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lifetimes {
    /// Without use.
    pub(crate) idle: Duration,
    /// From the sign-in on, however often it is used.
    pub(crate) absolute: Duration,
}

impl Lifetimes {
    pub(crate) const OF_REFRESH_TOKENS: Lifetimes =
        Lifetimes { idle: Duration::from_secs(14 * DAY), absolute: Duration::from_secs(90 * DAY) };
    pub(crate) const OF_SESSIONS: Lifetimes =
        Lifetimes { idle: Duration::from_secs(DAY), absolute: Duration::from_secs(14 * DAY) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_are_whole_seconds_within_their_bounds() {
        for (text, seconds) in [("1s", 1), ("90s", 90), ("15m", 900), ("12h", 43_200), ("400d", 400 * DAY)] {
            assert_eq!(written(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for bad in ["", "s", "0s", "90", "1.5s", "-1s", "1 s", "1w", "401d", "34560001s", "99999999999999999999d", "é"]
        {
            assert_eq!(written(bad), None, "{bad}");
        }
        let whole = |milliseconds| is_lifetime(Duration::from_millis(milliseconds), LONGEST_CODE);
        assert!(whole(1000) && whole(600_000));
        assert!(!whole(0) && !whole(999) && !whole(1500) && !whole(600_001) && !whole(601_000));
    }
}
