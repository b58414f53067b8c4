//! The keys of one service: what signs its tokens and verifies them (RFC 9068).

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::error::Reason;
use crate::keys::jwt::{ACCESS_TOKEN, Expected, Header, ID_TOKEN, Jwt, Verified};
use crate::keys::rotation::Keys;
use crate::model::Timestamp;
use crate::model::jwk::Algorithm;
use crate::model::secret::Secret;
use crate::seal::derive;

/// The keys of one service. Callers see neither how many there are nor of what kind.
pub(crate) enum KeyRing {
    /// HS256 under keys derived from the service's secrets: the first signs, all verify.
    Derived(Vec<DerivedKey>),
    /// The author's own.
    Own(Keys),
}

/// Set up once: that costs more than a signature.
pub(crate) struct DerivedKey {
    header: Header,
    hmac: hmac::Key,
}

impl KeyRing {
    /// HS256 under keys derived from the service's secrets; the previous ones verify only.
    pub(crate) fn hs256(secret: &Secret, previous: &[Secret]) -> Option<Self> {
        let keys = std::iter::once(secret).chain(previous).map(DerivedKey::new).collect::<Option<Vec<_>>>()?;
        Some(KeyRing::Derived(keys))
    }

    /// Changes whenever a key stops to verify before its time: what was verified before has to be verified again.
    pub(crate) fn generation(&self) -> u64 {
        match self {
            KeyRing::Derived(_) => 0,
            KeyRing::Own(keys) => keys.generation(),
        }
    }

    /// The public keys, as a JWK set (RFC 7517 §5); none where there are only secret ones.
    pub(crate) fn published(&self) -> Option<Value> {
        match self {
            KeyRing::Derived(_) => None,
            KeyRing::Own(keys) => Some(keys.published()),
        }
    }

    /// The algorithm that signs.
    pub(crate) fn algorithm(&self) -> Algorithm {
        match self {
            KeyRing::Derived(_) => Algorithm::HS256,
            KeyRing::Own(keys) => keys.signing().header.alg,
        }
    }

    /// Signs claims as an access token.
    pub(crate) fn sign(&self, claims: &Map<String, Value>) -> Option<String> {
        self.sign_as(ACCESS_TOKEN, claims)
    }

    /// Signs claims as a JWT of this type.
    pub(crate) fn sign_as(&self, typ: &str, claims: &Map<String, Value>) -> Option<String> {
        match self {
            KeyRing::Derived(keys) => {
                let key = keys.first()?;
                key.header.sign(typ, claims, |message| Some(hmac::sign(&key.hmac, message)))
            }
            KeyRing::Own(keys) => {
                let key = keys.signing();
                key.header.sign(typ, claims, |message| key.sign(message))
            }
        }
    }

    /// Verifies an access token: signature, type, issuer, audience and expiry (RFC 9068 §4). No leeway is given: who
    /// signs is who verifies.
    pub(crate) fn verify(&self, token: &str, expected: &Expected, now: Timestamp) -> Result<Verified, Reason> {
        let jwt = Jwt::parse(token)?;
        // RFC 9068 §4: an ID token or any other JWT is not an access token
        if !jwt.header.is_type(ACCESS_TOKEN) {
            return Err(Reason::TokenType);
        }
        self.verify_signature(&jwt)?;
        Verified::parse(jwt.claims()?, expected, now)
    }

    /// Under the key that the token names.
    fn verify_signature(&self, jwt: &Jwt<'_>) -> Result<(), Reason> {
        let kid = jwt.header.kid.as_deref().ok_or(Reason::TokenSignature)?;
        match self {
            KeyRing::Derived(keys) => {
                let key = keys.iter().find(|key| key.header.kid == kid).ok_or(Reason::TokenSignature)?;
                jwt.verify(key.header.alg, |message, signature| hmac::verify(&key.hmac, message, signature).is_ok())
            }
            KeyRing::Own(keys) => {
                let key = keys.verifying(kid).ok_or(Reason::TokenSignature)?;
                jwt.verify(key.header.alg, |message, signature| key.verifies(message, signature))
            }
        }
    }

    /// An ID token that comes back as a hint, however old it is. Its key may be gone by now: then it proves nothing.
    pub(crate) fn id_token(&self, token: &str, issuer: &str) -> Result<IdTokenHint, Reason> {
        let jwt = Jwt::parse(token)?;
        let claims = jwt.claims()?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        // ID tokens are for others to verify: a derived key signs none.
        let is_ours = matches!(self, KeyRing::Own(_))
            && self.verify_signature(&jwt).is_ok()
            && jwt.header.is_type(ID_TOKEN)
            && claims.get("iss").is_some_and(|named| named == issuer);
        let verified = match (is_ours, text("sub")) {
            (true, Some(subject)) => Some(SignedInAs { subject, session: text("sid") }),
            _ => None,
        };
        Ok(IdTokenHint { client_id: text("aud"), verified })
    }
}

/// What is read of an ID token that comes back as a hint.
#[derive(Debug)]
pub(crate) struct IdTokenHint {
    /// As it says, verified or not.
    pub(crate) client_id: Option<String>,
    /// None where it is not of this server, or of a key that is gone.
    pub(crate) verified: Option<SignedInAs>,
}

impl IdTokenHint {
    /// Whether it proves that it was issued for this user.
    pub(crate) fn names(&self, subject: &str) -> bool {
        self.verified.as_ref().is_some_and(|verified| verified.subject == subject)
    }
}

/// Whom an ID token was issued for.
#[derive(Debug)]
pub(crate) struct SignedInAs {
    pub(crate) subject: String,
    pub(crate) session: Option<String>,
}

impl DerivedKey {
    fn new(secret: &Secret) -> Option<Self> {
        let key = derive(secret, b"sign HS256")?;
        let id = derive(secret, b"id of the HS256 key")?;
        let header = Header { alg: Algorithm::HS256, kid: URL_SAFE_NO_PAD.encode(&id[..6]) };
        Some(DerivedKey { header, hmac: hmac::Key::new(hmac::HMAC_SHA256, &key) })
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::*;
    use crate::keys::jwt::MAX_BYTES;
    use crate::keys::signing_key::SigningKey;

    const NOW: Timestamp = Timestamp::from_seconds(1_000);

    fn ring(secret: &str) -> KeyRing {
        KeyRing::hs256(&Secret::from(secret), &[]).expect("keys derive from any secret")
    }

    fn derived() -> DerivedKey {
        DerivedKey::new(&Secret::from("secret")).expect("keys derive from any secret")
    }

    fn claims(change: Value) -> Map<String, Value> {
        let mut claims = json!({
            "iss": "https://a.example", "aud": "https://a.example", "sub": "alice", "client_id": "spa", "iat": 900,
            "exp": 1100, "jti": "1", "role": "admin"
        });
        for (name, value) in change.as_object().expect("an object") {
            claims[name] = value.clone();
        }
        claims
            .as_object()
            .expect("an object")
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    fn verify(token: &str) -> Result<Verified, Reason> {
        let expected = Expected::own("https://a.example", "https://a.example");
        ring("secret").verify(token, &expected, NOW)
    }

    fn refusal(change: Value) -> Option<Reason> {
        verify(&ring("secret").sign(&claims(change)).expect("signs")).err()
    }

    #[test]
    fn c26_expiry_audience_issuer_and_presence_are_checked() {
        assert_eq!(refusal(json!({})), None);
        assert_eq!(refusal(json!({ "aud": ["other", "https://a.example"] })), None);
        assert_eq!(refusal(json!({ "exp": 1000 })), Some(Reason::TokenExpired));
        assert_eq!(refusal(json!({ "iss": "https://b.example" })), Some(Reason::TokenIssuer));
        assert_eq!(refusal(json!({ "aud": "other" })), Some(Reason::TokenAudience));
        assert_eq!(refusal(json!({ "aud": [] })), Some(Reason::TokenAudience));
        assert_eq!(refusal(json!({ "nbf": 1001 })), Some(Reason::TokenMalformed));
        assert!(
            verify(&ring("secret").sign(&claims(json!({}))).expect("signs"))
                .is_ok_and(|it| it.registered.signed_in_at.is_none())
        );
        let token = ring("secret").sign(&claims(json!({ "auth_time": 800 }))).expect("signs");
        let signed_in_at = verify(&token).expect("good").registered.signed_in_at;
        assert_eq!(signed_in_at, Some(Timestamp::from_seconds(800)));
        for required in ["iss", "aud", "sub", "exp", "iat", "jti", "client_id"] {
            assert_eq!(refusal(json!({ required: null })), Some(Reason::TokenMalformed), "{required}");
        }
    }

    #[test]
    fn c26_type_algorithm_and_key_are_pinned() {
        let good = ring("secret").sign(&claims(json!({}))).expect("signs");
        let kid = derived().header.kid;
        let payload = good.split('.').nth(1).expect("three parts").to_owned();
        let with = |header: Value| {
            let message = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(header.to_string()));
            let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&derived().hmac, message.as_bytes()));
            verify(&format!("{message}.{signature}")).err()
        };
        assert_eq!(with(json!({ "alg": "HS256", "typ": "AT+JWT", "kid": kid })), None);
        assert_eq!(with(json!({ "alg": "HS256", "typ": "application/at+jwt", "kid": kid })), None);
        assert_eq!(with(json!({ "alg": "HS256", "typ": "JWT", "kid": kid })), Some(Reason::TokenType));
        assert_eq!(with(json!({ "alg": "HS256", "kid": kid })), Some(Reason::TokenType));
        assert_eq!(with(json!({ "alg": "HS384", "typ": "at+jwt", "kid": kid })), Some(Reason::TokenSignature));
        assert_eq!(with(json!({ "alg": "none", "typ": "at+jwt", "kid": kid })), Some(Reason::TokenMalformed));
        assert_eq!(with(json!({ "alg": "HS256", "typ": "at+jwt" })), Some(Reason::TokenSignature));
        assert_eq!(with(json!({ "alg": "HS256", "typ": "at+jwt", "kid": "x" })), Some(Reason::TokenSignature));
        assert_eq!(
            with(json!({ "alg": "HS256", "typ": "at+jwt", "kid": kid, "crit": ["x"] })),
            Some(Reason::TokenMalformed)
        );
        let stripped = format!("{}.", good.rsplit_once('.').expect("three parts").0);
        assert_eq!(verify(&stripped).err(), Some(Reason::TokenSignature));
        let foreign = ring("other").sign(&claims(json!({}))).expect("signs");
        assert_eq!(verify(&foreign).err(), Some(Reason::TokenSignature));
        assert_eq!(verify(&"a".repeat(MAX_BYTES + 1)).err(), Some(Reason::TokenTooLong));
    }

    #[test]
    fn c26_a_public_key_is_no_secret_and_a_token_brings_no_key() {
        let own = Keys::generate().expect("a key");
        let ring = KeyRing::Own(own.clone());
        let expected = Expected::own("https://a.example", "https://a.example");
        let good = ring.sign(&claims(json!({}))).expect("signs");
        assert!(ring.verify(&good, &expected, NOW).is_ok());
        let payload = good.split('.').nth(1).expect("three parts").to_owned();
        let kid = own.signs_with();
        let published = own.published()["keys"][0].clone();
        let point = |name: &str| URL_SAFE_NO_PAD.decode(published[name].as_str().expect("text")).expect("base64url");
        let secrets = [
            serde_json::to_vec(&published).expect("JSON"),
            [[4].as_slice(), &point("x"), &point("y")].concat(),
            kid.clone().into_bytes(),
        ];
        for secret in secrets {
            let header = json!({ "alg": "HS256", "typ": "at+jwt", "kid": kid });
            let message = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(header.to_string()));
            let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), message.as_bytes());
            let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature));
            assert_eq!(ring.verify(&token, &expected, NOW).err(), Some(Reason::TokenSignature));
        }

        // A key of the attacker's own, offered in each place that a header has for one.
        let theirs = SigningKey::generate().expect("a key");
        for (name, value) in [
            ("jwk", theirs.published.clone()),
            ("jku", json!("https://evil.example/jwks.json")),
            ("x5u", json!("https://evil.example/cert.pem")),
            ("x5c", json!(["MIIB"])),
            ("kid", json!("../../../../dev/null")),
            ("kid", json!(theirs.id())),
            ("kid", json!("' OR 1=1 --")),
        ] {
            let mut header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": kid });
            header[name] = value;
            let message = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(header.to_string()));
            let signature = URL_SAFE_NO_PAD.encode(theirs.sign(message.as_bytes()).expect("signs"));
            let token = format!("{message}.{signature}");
            assert_eq!(ring.verify(&token, &expected, NOW).err(), Some(Reason::TokenSignature), "{name}");
        }
        // What the derived key signs is nothing to it, and the other way round.
        let other = KeyRing::hs256(&Secret::from("secret"), &[]).expect("keys derive from any secret");
        let token = other.sign(&claims(json!({}))).expect("signs");
        assert_eq!(ring.verify(&token, &expected, NOW).err(), Some(Reason::TokenSignature));
        assert_eq!(other.verify(&good, &expected, NOW).err(), Some(Reason::TokenSignature));
        // An ID token of the same key is no access token (RFC 9068 §4).
        let id_token = ring.sign_as("JWT", &claims(json!({}))).expect("signs");
        assert_eq!(ring.verify(&id_token, &expected, NOW).err(), Some(Reason::TokenType));
    }
}
