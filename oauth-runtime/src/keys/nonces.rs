//! Nonces for proofs of possession (RFC 9449 §8, §9): every process with the secrets issues and accepts the same ones.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::model::Timestamp;
use crate::model::secret::{Secret, Secrets, constant_time_eq};
use crate::seal::derive;

/// The nonces of one service: one for each period.
pub(crate) struct Nonces {
    /// The keys of the secrets, in their order: the first makes nonces, each recognizes its own.
    keys: Vec<hmac::Key>,
    issuer: String,
}

impl Nonces {
    /// `None` if the cryptographic library fails.
    pub(crate) fn new(secrets: &Secrets, issuer: &str) -> Option<Self> {
        let key = |secret: &Secret| Some(hmac::Key::new(hmac::HMAC_SHA256, &derive(secret, b"DPoP nonce")?));
        Some(Nonces { keys: secrets.iter().map(key).collect::<Option<_>>()?, issuer: issuer.to_owned() })
    }

    /// The current nonce.
    pub(crate) fn current(&self, now: Timestamp) -> String {
        self.keys.first().map_or_else(String::new, |key| self.nonce(key, period(now)))
    }

    /// Whether a nonce is of the current period, the one before, or the next one, in case of a process whose clock is
    /// ahead.
    pub(crate) fn is_good(&self, nonce: &str, now: Timestamp) -> bool {
        let number = period(now);
        let periods = [number.checked_sub(1), Some(number), number.checked_add(1)];
        let is = |key: &hmac::Key, number| constant_time_eq(self.nonce(key, number).as_bytes(), nonce.as_bytes());
        self.keys.iter().any(|key| periods.into_iter().flatten().any(|number| is(key, number)))
    }

    fn nonce(&self, key: &hmac::Key, number: u64) -> String {
        let tag = hmac::sign(key, &[&number.to_be_bytes(), self.issuer.as_bytes()].concat());
        let tag = tag.as_ref();
        URL_SAFE_NO_PAD.encode(tag.get(..16).unwrap_or(tag))
    }
}

fn period(now: Timestamp) -> u64 {
    now.seconds() / PERIOD.as_secs()
}

/// A nonce is valid for at least this long, and for at most twice as long.
const PERIOD: Duration = Duration::from_secs(120);

#[cfg(test)]
mod tests {
    use super::*;

    fn nonces(texts: &[&str], issuer: &str) -> Nonces {
        let mut secrets = texts.iter().map(|text| Secret::from(*text));
        Nonces::new(&Secrets::new(secrets.next().expect("a current one"), secrets), issuer).expect("keys derive")
    }

    #[test]
    fn c52_a_nonce_is_good_for_its_period_and_the_next_in_each_process_with_the_secret() {
        let (one, other) = (nonces(&["one"], "https://a.example"), nonces(&["two", "one"], "https://a.example"));
        let now = Timestamp::from_seconds(1_000 * PERIOD.as_secs());
        let nonce = one.current(now);
        assert_eq!(nonce, one.current(now + (PERIOD - Duration::from_secs(1))));
        assert_ne!(nonce, one.current(now + PERIOD));
        for (later, good) in [(0, true), (PERIOD.as_secs(), true), (2 * PERIOD.as_secs() - 1, true)] {
            assert_eq!(one.is_good(&nonce, now + Duration::from_secs(later)), good, "{later}");
        }
        assert!(!one.is_good(&nonce, now + 2 * PERIOD), "two periods later");
        assert!(one.is_good(&one.current(now + PERIOD), now), "of a clock that is ahead");
        assert!(other.is_good(&nonce, now), "of the secret from before");
        assert_ne!(other.current(now), nonce);
        for foreign in [nonces(&["two"], "https://a.example"), nonces(&["one"], "https://b.example")] {
            assert!(!foreign.is_good(&nonce, now));
        }
        for forged in ["", "x", &nonce[..21], &format!("{nonce}A")] {
            assert!(!one.is_good(forged, now), "{forged}");
        }
    }
}
