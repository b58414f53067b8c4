//! A proof of possession, checked for the request that it came with (RFC 9449 §4.3).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Number, Value};

use crate::error::Reason;
use crate::keys::jwt::Jwt;
use crate::model::Timestamp;
use crate::model::hash::sha256;
use crate::model::jwk::{Algorithm, InvalidJwk, PublicKey};
use crate::model::numeric_date::NumericDate;
use crate::model::proof::{Flaw, Thumbprint, is_url_of};
use crate::store::{Key, Kind};

/// The request for which a proof must be made.
pub(crate) struct ProofOf<'a> {
    pub(crate) method: &'a str,
    /// As configured, never as the request has it.
    pub(crate) origin: &'a str,
    pub(crate) path: &'a str,
    /// The access token that comes with it, if any.
    pub(crate) token: Option<&'a [u8]>,
}

/// A valid proof, not spent yet.
pub(crate) struct Proof {
    pub(crate) key: Thumbprint,
    pub(crate) nonce: Option<String>,
    /// The name under which its `jti` is kept. The key is part of it, so that a stranger cannot spend the names of
    /// others.
    pub(crate) id: Key,
    /// The time from which it is too old.
    pub(crate) until: Timestamp,
}

#[derive(Deserialize)]
struct Header {
    jwk: Value,
}

#[derive(Deserialize)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    iat: Number,
    #[serde(default)]
    ath: Option<String>,
    #[serde(default)]
    nonce: Option<String>,
}

impl Proof {
    pub(crate) fn verify(text: &str, of: &ProofOf<'_>, now: Timestamp) -> Result<Proof, Flaw> {
        // RFC 9449 §4.3, 2 and 3: a JWT, with all that it needs
        let jwt = Jwt::parse_within(MAX_BYTES, text).map_err(flaw)?;
        let Header { jwk } = jwt.header_as().map_err(flaw)?;
        let Claims { jti, htm, htu, iat, ath, nonce } = jwt.claims().map_err(flaw)?;
        // 4
        if !jwt.header.is_type("dpop+jwt") {
            return Err(Flaw::Type);
        }
        // 5: the algorithm of a key pair
        let algorithm = jwt.header.alg.filter(|alg| *alg != Algorithm::HS256).ok_or(Flaw::Algorithm)?;
        // 7: before the key is used for anything
        let key = PublicKey::from_jwk(jwk).map_err(|why| match why {
            InvalidJwk::Private => Flaw::Private,
            InvalidJwk::NotAKey
            | InvalidJwk::Kind
            | InvalidJwk::Encoding
            | InvalidJwk::Numbers
            | InvalidJwk::Use
            | InvalidJwk::SameId => Flaw::Key,
        })?;
        if key.algorithm != algorithm {
            return Err(Flaw::Algorithm);
        }
        // 6
        jwt.verify(algorithm, |message, signature| key.verifies(message, signature)).map_err(|_| Flaw::Signature)?;
        // 8
        if htm != of.method {
            return Err(Flaw::Method);
        }
        // 9
        if !is_url_of(&htu, of.origin, of.path) {
            return Err(Flaw::Url);
        }
        // 11
        let issued_at = NumericDate::of_number(&iat).ok_or(Flaw::Time)?.down();
        if issued_at > now + SKEW || now.since(issued_at) > LIFETIME {
            return Err(Flaw::Time);
        }
        // §11.1: its name is kept, so it must not be long
        if !(1..=MAX_ID_BYTES).contains(&jti.len()) {
            return Err(Flaw::Id);
        }
        // 12, a: no other token
        if of.token.is_some_and(|token| ath.is_none_or(|ath| ath != URL_SAFE_NO_PAD.encode(sha256(token)))) {
            return Err(Flaw::TokenHash);
        }
        let key = key.thumbprint().ok_or(Flaw::Key)?;
        let id = Key::of(Kind::Proof, &format!("{}\0{jti}", key.as_str()));
        Ok(Proof { key, nonce, id, until: issued_at + LIFETIME + Duration::from_secs(1) })
    }
}

fn flaw(why: Reason) -> Flaw {
    if why == Reason::TokenTooLong {
        Flaw::TooLong
    } else if why == Reason::TokenSignature {
        Flaw::Signature
    } else {
        Flaw::Malformed
    }
}

/// How long ago a proof may have been made (RFC 9449 §11.1).
const LIFETIME: Duration = Duration::from_secs(60);
/// How far a client's clock may be ahead.
const SKEW: Duration = Duration::from_secs(10);
/// How long it must be remembered at most that a proof was used.
pub(crate) const REMEMBERED: Duration = Duration::from_secs(LIFETIME.as_secs() + SKEW.as_secs() + 1);
/// With an RSA key of 8192 bits and a signature by it, it has more than 3 KiB.
const MAX_BYTES: usize = 4 * 1024;
const MAX_ID_BYTES: usize = 256;
