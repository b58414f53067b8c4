//! How a confidential client proves who it is.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::model::Secret;
use crate::model::secret::constant_time_eq;

/// What a confidential client can be known by: its secrets, its keys, or both while it changes from one to the other.
pub(crate) struct Credentials {
    pub(crate) secrets: Vec<SecretHash>,
    pub(crate) keys: Vec<AssertionKey>,
}

/// The SHA-256 of a secret: enough to recognise it, and nothing that could be sent in its place.
pub(crate) struct SecretHash([u8; 32]);

impl SecretHash {
    pub(crate) fn of(secret: &Secret) -> Self {
        SecretHash(Sha256::digest(secret.bytes()).into())
    }
}

impl Credentials {
    /// All are compared, whichever it is.
    pub(crate) fn has_secret(&self, secret: &str) -> bool {
        let hash = Sha256::digest(secret.as_bytes());
        self.secrets.iter().fold(false, |found, known| constant_time_eq(&known.0, &hash) | found)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({} secrets, {} keys)", self.secrets.len(), self.keys.len())
    }
}

/// A public key that signs a client's assertions (RFC 7523 §3).
pub(crate) struct AssertionKey {
    pub(crate) id: Option<String>,
    pub(crate) algorithm: Algorithm,
    pub(crate) key: DecodingKey,
}

/// The algorithms of assertions, as metadata names them.
pub(crate) const ASSERTION_ALGORITHMS: [&str; 3] = ["ES256", "EdDSA", "RS256"];

/// Why a text gives no keys.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidJwk {
    /// It is no JSON object, or a set without keys.
    #[error("it must be a JWK or a JWK set, as JSON")]
    NotAKey,
    /// It has the private part in it.
    #[error("it has a private key in it: give the public part alone, and keep the rest with the client")]
    Private,
    /// It is of another kind than P-256, Ed25519 or RSA of 2048 bits and more, or its numbers are of another length.
    #[error("it must be of kind P-256 (ES256), Ed25519 (EdDSA) or RSA of 2048 to 8192 bits (RS256)")]
    Kind,
    /// Its `alg` or `use` says that it is for something else.
    #[error("its `use` must be sig and its `alg` that of its kind, or they must be left out")]
    Use,
}

crate::model::debug_as_text!(InvalidJwk);

impl AssertionKey {
    /// From a JWK or a set of them (RFC 7517).
    pub(crate) fn parse(text: &str) -> Result<Vec<Self>, InvalidJwk> {
        let json: Value = serde_json::from_str(text).map_err(|_| InvalidJwk::NotAKey)?;
        let keys = match json.get("keys") {
            Some(Value::Array(keys)) => keys.clone(),
            Some(_) => return Err(InvalidJwk::NotAKey),
            None => vec![json],
        };
        if keys.is_empty() {
            return Err(InvalidJwk::NotAKey);
        }
        keys.into_iter().map(AssertionKey::of).collect()
    }

    fn of(jwk: Value) -> Result<Self, InvalidJwk> {
        if !jwk.is_object() {
            return Err(InvalidJwk::NotAKey);
        }
        // RFC 7518 §6: of all three kinds, and of a symmetric key
        if jwk.get("d").is_some() || jwk.get("k").is_some() {
            return Err(InvalidJwk::Private);
        }
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let bytes = |name: &str| text(name).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()).map_or(0, |it| it.len());
        let algorithm = match (text("kty"), text("crv")) {
            (Some("EC"), Some("P-256")) if (bytes("x"), bytes("y")) == (32, 32) => Algorithm::ES256,
            (Some("OKP"), Some("Ed25519")) if bytes("x") == 32 => Algorithm::EdDSA,
            (Some("RSA"), None) if (256..=1024).contains(&bytes("n")) && bytes("e") > 0 => Algorithm::RS256,
            _ => return Err(InvalidJwk::Kind),
        };
        // RFC 7517 §4.2, §4.4
        if text("use").is_some_and(|purpose| purpose != "sig")
            || text("alg").is_some_and(|named| named != format!("{algorithm:?}"))
        {
            return Err(InvalidJwk::Use);
        }
        let id = text("kid").map(str::to_owned);
        let parsed: Jwk = serde_json::from_value(jwk).map_err(|_| InvalidJwk::Kind)?;
        let key = DecodingKey::from_jwk(&parsed).map_err(|_| InvalidJwk::Kind)?;
        Ok(AssertionKey { id, algorithm, key })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_are_public_of_three_kinds_and_for_signatures() {
        let x = URL_SAFE_NO_PAD.encode([1; 32]);
        let ec = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": x });
        let ed = json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "use": "sig", "alg": "EdDSA", "kid": "a" });
        let n = URL_SAFE_NO_PAD.encode([0x81; 256]);
        let rsa = json!({ "kty": "RSA", "n": n, "e": "AQAB" });
        let set = json!({ "keys": [ec, ed, rsa] }).to_string();
        let keys = AssertionKey::parse(&set).expect("three good keys");
        let algorithms: Vec<Algorithm> = keys.iter().map(|key| key.algorithm).collect();
        assert_eq!(algorithms, [Algorithm::ES256, Algorithm::EdDSA, Algorithm::RS256]);
        assert_eq!(keys[1].id.as_deref(), Some("a"));

        let with = |name: &str, value: Value| {
            let mut changed = ed.clone();
            changed[name] = value;
            AssertionKey::parse(&changed.to_string()).err()
        };
        for (name, value, why) in [
            ("d", json!(x), InvalidJwk::Private),
            ("k", json!(x), InvalidJwk::Private),
            ("x", json!("AA"), InvalidJwk::Kind),
            ("crv", json!("X25519"), InvalidJwk::Kind),
            ("kty", json!("oct"), InvalidJwk::Kind),
            ("use", json!("enc"), InvalidJwk::Use),
            ("alg", json!("ES256"), InvalidJwk::Use),
        ] {
            assert_eq!(with(name, value), Some(why), "{name}");
        }
        let short = json!({ "kty": "RSA", "n": URL_SAFE_NO_PAD.encode([0x81; 128]), "e": "AQAB" });
        assert_eq!(AssertionKey::parse(&short.to_string()).err(), Some(InvalidJwk::Kind));
        for text in ["", "[]", "{\"keys\":[]}", "{\"keys\":1}", "{\"keys\":[1]}", "1"] {
            assert_eq!(AssertionKey::parse(text).err(), Some(InvalidJwk::NotAKey), "{text}");
        }
    }

    #[test]
    fn a_secret_is_recognised_and_not_kept() {
        let secrets = ["one", "two"].map(|text| SecretHash::of(&Secret::from(text))).into();
        let credentials = Credentials { secrets, keys: Vec::new() };
        assert!(credentials.has_secret("one") && credentials.has_secret("two"));
        assert!(!credentials.has_secret("three") && !credentials.has_secret(""));
        assert_eq!(format!("{credentials:?}"), "Credentials(2 secrets, 0 keys)");
    }
}
