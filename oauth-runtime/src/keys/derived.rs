//! The keys derived from the service's secrets: every process with the secrets has the same keys at the same time.
//!
//! HS256 has one key for each secret. ES256 has one for each secret and period, so that the published keys rotate
//! without any communication between processes.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::RwLock;
use serde::Serialize;
use serde_json::Value;

use crate::error::Reason;
use crate::keys::jwt::{Header, Jwt, Parts};
use crate::keys::signing_key::SigningKey;
use crate::model::Clock;
use crate::model::jwk::Algorithm;
use crate::model::lifetime::DAY;
use crate::model::secret::{Secret, Secrets};
use crate::seal::derive;

/// The keys of one service that are derived from its secrets.
///
/// Both kinds verify, whichever of them signs: when `openid` is added to a service or removed, older tokens are still
/// accepted, even by processes that have not restarted yet.
pub(crate) struct DerivedKeys {
    secrets: Secrets,
    issuer: String,
    clock: Clock,
    /// Whether others verify: then ES256 signs, and its public keys are published.
    are_public: bool,
    /// The keys of the secrets, in their order.
    hs256: Vec<HmacKey>,
    /// `None` until they are needed.
    es256: RwLock<Option<Arc<Periods>>>,
}

/// Set up once: that costs more than a signature.
struct HmacKey {
    header: Header,
    hmac: hmac::Key,
}

/// The ES256 keys of one period and of the ones before and after it.
struct Periods {
    /// The middle one.
    number: u64,
    /// The first signs.
    keys: Vec<Arc<SigningKey>>,
}

impl DerivedKeys {
    /// `None` if the cryptographic library fails.
    pub(crate) fn new(secrets: &Secrets, issuer: &str, are_public: bool, clock: Clock) -> Option<Self> {
        let keys = DerivedKeys {
            hs256: secrets.iter().map(HmacKey::new).collect::<Option<_>>()?,
            secrets: secrets.clone(),
            issuer: issuer.to_owned(),
            clock,
            are_public,
            es256: RwLock::new(None),
        };
        if are_public {
            keys.es256()?;
        }
        Some(keys)
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        if self.are_public { Algorithm::ES256 } else { Algorithm::HS256 }
    }

    /// The published keys, in the same order in every process; `None` if only HS256 signs.
    pub(crate) fn published(&self) -> Option<Vec<Value>> {
        if !self.are_public {
            return None;
        }
        Some(self.es256()?.keys.iter().map(|key| key.published.clone()).collect())
    }

    pub(crate) fn published_ids(&self) -> Option<Vec<String>> {
        if !self.are_public {
            return None;
        }
        Some(self.es256()?.keys.iter().map(|key| key.id().to_owned()).collect())
    }

    pub(crate) fn signs_with(&self) -> Option<String> {
        if self.are_public {
            return Some(self.es256()?.keys.first()?.id().to_owned());
        }
        Some(self.hs256.first()?.header.kid.clone())
    }

    pub(crate) fn sign(&self, typ: &str, claims: &impl Serialize) -> Option<String> {
        if self.are_public {
            return self.es256()?.keys.first()?.sign_jwt(typ, claims);
        }
        let key = self.hs256.first()?;
        key.header.sign(typ, claims, |message| Some(hmac::sign(&key.hmac, message)))
    }

    /// Verifies by the key whose header it has, byte for byte, as all access tokens signed here do; `None` if no key
    /// writes such a header.
    pub(crate) fn verify_own(&self, parts: &Parts<'_>) -> Option<Result<(), Reason>> {
        if let Some(key) = self.hs256.iter().find(|key| key.header.is_of(parts)) {
            return Some(parts.verify(|message, signature| hmac::verify(&key.hmac, message, signature).is_ok()));
        }
        // If none of them signs, they need not be derived for this.
        let periods = self.are_public.then(|| self.es256())??;
        let key = periods.keys.iter().find(|key| key.header.is_of(parts))?;
        Some(key.verify_own(parts))
    }

    /// Whether it has, byte for byte, the header of a secret key.
    pub(crate) fn is_of_secret(&self, parts: &Parts<'_>) -> bool {
        self.hs256.iter().any(|key| key.header.is_of(parts))
    }

    /// The public key of this id.
    pub(crate) fn public(&self, kid: &str) -> Result<Option<Arc<SigningKey>>, Reason> {
        let periods = self.es256().ok_or(Reason::Internal)?;
        Ok(periods.keys.iter().find(|key| key.id() == kid).map(Arc::clone))
    }

    /// Verifies by the key of this id. The key decides on the algorithm (RFC 8725 §3.1).
    pub(crate) fn verify(&self, jwt: &Jwt<'_>, kid: &str) -> Result<(), Reason> {
        if let Some(key) = self.hs256.iter().find(|key| key.header.kid == kid) {
            return jwt
                .verify(key.header.alg, |message, signature| hmac::verify(&key.hmac, message, signature).is_ok());
        }
        self.public(kid)?.ok_or(Reason::TokenSignature)?.verify_jwt(jwt)
    }

    /// The keys of the periods around this moment.
    fn es256(&self) -> Option<Arc<Periods>> {
        let number = self.clock.now().seconds() / PERIOD.as_secs();
        let of_now = |held: &Option<Arc<Periods>>| held.as_ref().filter(|held| held.number == number).map(Arc::clone);
        if let Some(held) = of_now(&self.es256.read()) {
            return Some(held);
        }
        let mut held = self.es256.write();
        if let Some(periods) = of_now(&held) {
            return Some(periods);
        }
        let periods = Arc::new(Periods::around(number, &self.secrets, &self.issuer)?);
        *held = Some(Arc::clone(&periods));
        Some(periods)
    }
}

impl Periods {
    fn around(number: u64, secrets: &Secrets, issuer: &str) -> Option<Self> {
        let mut keys = Vec::new();
        for secret in secrets.iter() {
            // The previous one, for the last tokens that it signed. The next one, for processes whose clock is ahead,
            // and for caches.
            for number in [Some(number), number.checked_add(1), number.checked_sub(1)].into_iter().flatten() {
                keys.push(Arc::new(es256(secret, issuer, number)?));
            }
        }
        Some(Periods { number, keys })
    }
}

/// The key of one period.
fn es256(secret: &Secret, issuer: &str, number: u64) -> Option<SigningKey> {
    let [length, number] = [PERIOD.as_secs(), number].map(u64::to_be_bytes);
    // Fewer than one draw in 2^32 is not a key of the curve: then the next one is tried.
    (0..=u8::MAX).find_map(|draw| {
        let label = [b"sign ES256\0", issuer.as_bytes(), b"\0", &length[..], &number[..], &[draw]].concat();
        SigningKey::from_scalar(&derive(secret, &label)?)
    })
}

impl HmacKey {
    fn new(secret: &Secret) -> Option<Self> {
        let key = derive(secret, b"sign HS256")?;
        let id = derive(secret, b"id of the HS256 key")?;
        let header = Header::new(Algorithm::HS256, URL_SAFE_NO_PAD.encode(&id[..6]))?;
        Some(HmacKey { header, hmac: hmac::Key::new(hmac::HMAC_SHA256, &key) })
    }
}

/// How long one ES256 key signs: far longer than a token lives, and than others cache the published keys.
const PERIOD: Duration = Duration::from_secs(30 * DAY);

#[cfg(all(test, feature = "testing"))]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    fn secrets(texts: &[&str]) -> Secrets {
        let mut secrets = texts.iter().map(|text| Secret::from(*text));
        Secrets::new(secrets.next().expect("a current one"), secrets)
    }

    fn keys(texts: &[&str], clock: &Clock) -> DerivedKeys {
        DerivedKeys::new(&secrets(texts), "https://a.example", true, clock.clone()).expect("keys derive")
    }

    fn ids(keys: &DerivedKeys) -> Vec<String> {
        let published = keys.published().expect("public keys");
        published.iter().map(|key| key["kid"].as_str().expect("a kid").to_owned()).collect()
    }

    /// A clock that was set to the beginning of a period.
    fn at_the_start_of_a_period() -> Clock {
        let clock = Clock::by_hand();
        clock.advance(PERIOD - Duration::from_secs(clock.now().seconds() % PERIOD.as_secs()));
        assert_eq!(clock.now().since(Timestamp::from_seconds(0)).as_secs() % PERIOD.as_secs(), 0);
        clock
    }

    /// Another release has to find the same keys. Other programs give the same with HKDF, P-256 and the thumbprint.
    #[test]
    fn the_key_of_a_secret_an_issuer_and_a_period_is_this_one() {
        let key =
            |secret: &str, issuer, number| es256(&Secret::from(secret), issuer, number).expect("a key").id().to_owned();
        let one = key("a secret", "https://a.example", 700);
        assert_eq!(one, "mLu3EwYPur13yO4lTn_PIml2RAkTBKrmdqv8LC7Iyew");
        for other in [
            key("a secrets", "https://a.example", 700),
            key("a secret", "https://b.example", 700),
            key("a secret", "https://a.example", 701),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn each_period_has_a_key_which_is_published_before_and_after_it() {
        let clock = at_the_start_of_a_period();
        let (keys_of_one, keys_of_two) = (keys(&["one"], &clock), keys(&["two", "one"], &clock));
        let [current, next, previous] = <[String; 3]>::try_from(ids(&keys_of_one)).expect("three");
        assert_eq!(ids(&keys_of_two)[3..], [current.clone(), next.clone(), previous.clone()]);
        let signs = || {
            let token = keys_of_one.sign("at+jwt", &serde_json::Map::new()).expect("signs");
            Jwt::parse(&token).expect("a JWT").header.kid.expect("a kid")
        };
        assert_eq!(signs(), current);
        clock.advance(PERIOD - Duration::from_secs(1));
        assert_eq!((signs(), ids(&keys_of_one)), (current.clone(), vec![current.clone(), next.clone(), previous]));
        clock.advance(Duration::from_secs(1));
        assert_eq!(signs(), next);
        assert_eq!(ids(&keys_of_one)[0], next);
        assert_eq!(ids(&keys_of_one)[2], current);
        assert_eq!(ids(&keys(&["one"], &clock)), ids(&keys_of_one), "a process that begins now");
        clock.advance(PERIOD);
        assert!(!ids(&keys_of_one).contains(&current), "two periods later");
    }

    #[test]
    fn a_clock_at_either_end_of_time_has_keys_too() {
        for (number, count) in [(0, 2), (u64::MAX, 2), (1, 3)] {
            let periods = Periods::around(number, &secrets(&["one"]), "https://a.example").expect("keys derive");
            assert_eq!(periods.keys.len(), count, "{number}");
        }
    }
}
