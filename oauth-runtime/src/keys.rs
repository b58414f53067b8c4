//! Access tokens: signing and verifying them (RFC 9068).

mod jwk;
mod signing_key;

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::Reason;
use crate::model::secret::Secret;
use crate::model::{Scope, Timestamp};
use crate::seal::derive;

pub(crate) use jwk::PublicKey;
pub use signing_key::{KeyError, Keys, SigningKey};

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

/// What a token must have been made for.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    pub(crate) issuer: String,
    pub(crate) audience: String,
    /// By how much the clock of who signs may differ: not at all where that is who verifies.
    pub(crate) leeway: Duration,
}

impl Expected {
    /// Of tokens that are signed here.
    pub(crate) fn own(issuer: &str, audience: &str) -> Self {
        Expected { issuer: issuer.to_owned(), audience: audience.to_owned(), leeway: Duration::ZERO }
    }
}

/// A token that was verified: its registered claims, typed, and all of them as JSON.
#[derive(Debug)]
pub(crate) struct Verified {
    pub(crate) registered: Registered,
    pub(crate) claims: Map<String, Value>,
}

/// The registered claims of an access token (RFC 9068 §2.2).
#[derive(Clone, Debug)]
pub(crate) struct Registered {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) audience: Vec<String>,
    pub(crate) expires_at: Timestamp,
    pub(crate) issued_at: Timestamp,
    pub(crate) id: String,
    pub(crate) client_id: String,
    pub(crate) scope: Scope,
    /// The grant that the token was issued from.
    pub(crate) grant: Option<String>,
    /// The session that the grant was made in.
    pub(crate) session: Option<String>,
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
            KeyRing::Own(keys) => keys.signing().public.algorithm,
        }
    }

    /// Signs claims as an access token.
    pub(crate) fn sign(&self, claims: &Map<String, Value>) -> Option<String> {
        self.sign_as(ACCESS_TOKEN, claims)
    }

    /// Signs claims as a JWT of this type.
    pub(crate) fn sign_as(&self, typ: &str, claims: &Map<String, Value>) -> Option<String> {
        let claims = URL_SAFE_NO_PAD.encode(serde_json::to_vec(claims).ok()?);
        match self {
            KeyRing::Derived(keys) => {
                let key = keys.first()?;
                let message = format!("{}.{claims}", key.header.encoded(typ)?);
                let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&key.hmac, message.as_bytes()));
                Some(format!("{message}.{signature}"))
            }
            KeyRing::Own(keys) => {
                let key = keys.signing();
                let message = format!("{}.{claims}", key.public.header().encoded(typ)?);
                let signature = URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes())?);
                Some(format!("{message}.{signature}"))
            }
        }
    }

    /// Verifies an access token: signature, type, issuer, audience and expiry (RFC 9068 §4). No leeway is given: who
    /// signs is who verifies.
    pub(crate) fn verify(&self, token: &str, expected: &Expected, now: Timestamp) -> Result<Verified, Reason> {
        let jwt = Jwt::parse(token)?;
        // RFC 9068 §4: an ID token or any other JWT is not an access token
        if !jwt.header.typ.as_deref().is_some_and(is_access_token_type) {
            return Err(Reason::TokenType);
        }
        let kid = jwt.header.kid.as_deref().ok_or(Reason::TokenSignature)?;
        match self {
            KeyRing::Derived(keys) => {
                let key = keys.iter().find(|key| key.header.kid == kid).ok_or(Reason::TokenSignature)?;
                // RFC 8725 §3.1: the key decides on the algorithm, not the token
                if jwt.header.alg != key.header.alg {
                    return Err(Reason::TokenSignature);
                }
                hmac::verify(&key.hmac, jwt.message.as_bytes(), &jwt.signature).map_err(|_| Reason::TokenSignature)?;
            }
            KeyRing::Own(keys) => jwt.verify(&keys.verifying(kid).ok_or(Reason::TokenSignature)?.public)?,
        }
        Verified::parse(jwt.claims()?, expected, now)
    }

    /// An ID token that comes back as a hint, however old it is. Its key may be gone by now: then it proves nothing.
    pub(crate) fn id_token(&self, token: &str, issuer: &str) -> Result<IdTokenHint, Reason> {
        let jwt = Jwt::parse(token)?;
        let claims = jwt.claims()?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        let is_ours = match self {
            // ID tokens are for others to verify: a derived key signs none.
            KeyRing::Derived(_) => false,
            KeyRing::Own(keys) => {
                let key = jwt.header.kid.as_deref().and_then(|kid| keys.verifying(kid));
                key.is_some_and(|key| jwt.verify(&key.public).is_ok())
            }
        };
        let is_ours =
            is_ours && jwt.header.typ.as_deref() == Some(ID_TOKEN) && text("iss").is_some_and(|named| named == issuer);
        let proven = match (is_ours, text("sub")) {
            (true, Some(subject)) => Some(SignedInAs { subject, session: text("sid") }),
            _ => None,
        };
        Ok(IdTokenHint { client_id: text("aud"), proven })
    }
}

/// What is read of an ID token that comes back as a hint.
#[derive(Debug)]
pub(crate) struct IdTokenHint {
    /// As it says, proven or not.
    pub(crate) client_id: Option<String>,
    /// None where it is not of this server, or of a key that is gone.
    pub(crate) proven: Option<SignedInAs>,
}

impl IdTokenHint {
    /// Whether it proves that it was issued for this user.
    pub(crate) fn names(&self, subject: &str) -> bool {
        self.proven.as_ref().is_some_and(|proven| proven.subject == subject)
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

/// What a key writes into the header of what it signs.
pub(crate) struct Header {
    alg: Algorithm,
    kid: String,
}

impl Header {
    fn encoded(&self, typ: &str) -> Option<String> {
        let header = JwtHeader { alg: self.alg, typ: Some(typ.to_owned()), kid: Some(self.kid.clone()), crit: None };
        Some(URL_SAFE_NO_PAD.encode(serde_json::to_vec(&header).ok()?))
    }
}

impl Verified {
    pub(crate) fn parse(claims: Map<String, Value>, expected: &Expected, now: Timestamp) -> Result<Self, Reason> {
        let text = |name: &str| match claims.get(name) {
            Some(Value::String(text)) => Ok(text.as_str()),
            Some(_) | None => Err(Reason::TokenMalformed),
        };
        let moment = |name: &str| {
            claims.get(name).and_then(Value::as_u64).map(Timestamp::from_seconds).ok_or(Reason::TokenMalformed)
        };
        let audience = match claims.get("aud") {
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            Some(_) | None => return Err(Reason::TokenMalformed),
        };
        let registered = Registered {
            issuer: text("iss")?.to_owned(),
            subject: text("sub")?.to_owned(),
            audience,
            expires_at: moment("exp")?,
            issued_at: moment("iat")?,
            id: text("jti")?.to_owned(),
            client_id: text("client_id")?.to_owned(),
            scope: match claims.get("scope") {
                Some(Value::String(scope)) => scope.parse().map_err(|_| Reason::TokenMalformed)?,
                Some(_) => return Err(Reason::TokenMalformed),
                None => Scope::default(),
            },
            grant: claims.get("gid").and_then(Value::as_str).map(str::to_owned),
            session: claims.get("sid").and_then(Value::as_str).map(str::to_owned),
        };
        if registered.issuer != expected.issuer {
            return Err(Reason::TokenIssuer);
        }
        if !registered.audience.contains(&expected.audience) {
            return Err(Reason::TokenAudience);
        }
        // RFC 7519 §4.1.4: on or after the expiry
        if registered.expires_at + expected.leeway <= now {
            return Err(Reason::TokenExpired);
        }
        if claims.contains_key("nbf") && moment("nbf")? > now + expected.leeway {
            return Err(Reason::TokenMalformed);
        }
        Ok(Verified { registered, claims })
    }
}

/// A JWT in its parts, none of them believed yet.
pub(crate) struct Jwt<'a> {
    pub(crate) header: JwtHeader,
    message: &'a str,
    payload: &'a str,
    signature: Vec<u8>,
}

impl<'a> Jwt<'a> {
    pub(crate) fn parse(token: &'a str) -> Result<Self, Reason> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Reason::TokenTooLong);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(Reason::TokenMalformed)?;
        let (header, payload) = message.split_once('.').ok_or(Reason::TokenMalformed)?;
        let header: JwtHeader = decode(header)?;
        // RFC 7515 §4.1.11: an extension that is not understood
        if header.crit.is_some() {
            return Err(Reason::TokenMalformed);
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Reason::TokenSignature)?;
        Ok(Jwt { header, message, payload, signature })
    }

    /// Under a public key that was found by its id.
    pub(crate) fn verify(&self, key: &PublicKey) -> Result<(), Reason> {
        // RFC 8725 §3.1: the key decides on the algorithm, not the token
        if self.header.alg != key.algorithm {
            return Err(Reason::TokenSignature);
        }
        if key.verifies(self.message.as_bytes(), &self.signature) { Ok(()) } else { Err(Reason::TokenSignature) }
    }

    /// To be asked after [`Jwt::verify`].
    pub(crate) fn claims(&self) -> Result<Map<String, Value>, Reason> {
        decode(self.payload)
    }
}

/// What is read of a header. `jku`, `jwk`, `x5u` and `x5c` are not: a token does not bring its own key (RFC 8725 §3.10).
#[derive(Serialize, Deserialize)]
pub(crate) struct JwtHeader {
    pub(crate) alg: Algorithm,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) typ: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crit: Option<Value>,
}

fn decode<T: serde::de::DeserializeOwned>(part: &str) -> Result<T, Reason> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| Reason::TokenMalformed)?;
    serde_json::from_slice(&bytes).map_err(|_| Reason::TokenMalformed)
}

/// RFC 7515 §4.1.9: a media type, compared without case; `application/` may be left out.
pub(crate) fn is_access_token_type(typ: &str) -> bool {
    typ.eq_ignore_ascii_case("at+jwt") || typ.eq_ignore_ascii_case("application/at+jwt")
}

const ACCESS_TOKEN: &str = "at+jwt";
pub(crate) const ID_TOKEN: &str = "JWT";
/// A longer token was not made here.
const MAX_TOKEN_BYTES: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
        assert_eq!(verify(&"a".repeat(MAX_TOKEN_BYTES + 1)).err(), Some(Reason::TokenTooLong));
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
            ("jwk", theirs.public.jwk()),
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
