//! JWTs (RFC 7519): written, split and verified in one place, by the rules of RFC 8725.

use std::borrow::Cow;
use std::time::Duration;

use base64::Engine as _;
use serde::de::{DeserializeOwned, Error as _, IgnoredAny, IntoDeserializer as _};
use serde::{Deserialize, Deserializer, Serialize};

use crate::error::{Audiences, Reason};
use crate::model::base64url::{BASE64URL, push_encoded};
use crate::model::jwk::Algorithm;

/// The header that a key writes into what it signs.
pub(crate) struct Header {
    pub(crate) alg: Algorithm,
    pub(crate) kid: String,
    /// The encoded header of its access tokens.
    of_access_tokens: String,
}

impl Header {
    /// `None` if it cannot be written.
    pub(crate) fn new(alg: Algorithm, kid: String) -> Option<Self> {
        let header = Header { alg, kid, of_access_tokens: String::new() };
        Some(Header { of_access_tokens: header.encoded(ACCESS_TOKEN)?, ..header })
    }

    fn encoded(&self, typ: &str) -> Option<String> {
        let (alg, kid) = (Some(self.alg), Some(self.kid.clone()));
        encode(&JwtHeader { alg, typ: Some(typ.to_owned()), kid, has_crit: false })
    }

    /// Whether a token begins with exactly this header: then it claims to be an access token of this very key.
    pub(crate) fn is_of(&self, parts: &Parts<'_>) -> bool {
        parts.header == self.of_access_tokens
    }

    /// Signs claims as a JWT of this type.
    pub(crate) fn sign<S: AsRef<[u8]>>(
        &self,
        typ: &str,
        claims: &impl Serialize,
        sign: impl FnOnce(&[u8]) -> Option<S>,
    ) -> Option<String> {
        let header = match typ {
            ACCESS_TOKEN => Cow::Borrowed(&self.of_access_tokens),
            other => Cow::Owned(self.encoded(other)?),
        };
        let claims = json(claims)?;
        // All of it in one buffer.
        let mut token = Vec::with_capacity(header.len() + claims.len() / 3 * 4 + ROOM_FOR_SIGNATURE);
        token.extend_from_slice(header.as_bytes());
        token.push(b'.');
        push_encoded(&mut token, &claims);
        let signature = sign(&token)?;
        token.push(b'.');
        push_encoded(&mut token, signature.as_ref());
        String::from_utf8(token).ok()
    }
}

/// A JWT in its parts, nothing of which is read yet.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'a> {
    header: &'a str,
    message: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> Parts<'a> {
    pub(crate) fn of(token: &'a str) -> Result<Self, Reason> {
        Parts::within(MAX_BYTES, token)
    }

    fn within(max_bytes: usize, token: &'a str) -> Result<Self, Reason> {
        if token.len() > max_bytes {
            return Err(Reason::TokenTooLong);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(Reason::TokenMalformed)?;
        let (header, payload) = message.split_once('.').ok_or(Reason::TokenMalformed)?;
        Ok(Parts { header, message, payload, signature })
    }

    /// Reads the header.
    pub(crate) fn read(self) -> Result<Jwt<'a>, Reason> {
        let header: JwtHeader = decode(self.header)?;
        // RFC 7515 §4.1.11: an extension that is not understood
        if header.has_crit {
            return Err(Reason::TokenMalformed);
        }
        let signature = self.signature()?;
        Ok(Jwt { header, parts: self, signature })
    }

    /// Verifies the signature by the key whose header it has.
    pub(crate) fn verify(&self, verifies: impl FnOnce(&[u8], &[u8]) -> bool) -> Result<(), Reason> {
        let message = self.message.as_bytes();
        let is_signed = if self.signature.len() <= MOST_LETTERS {
            let mut bytes = [0; MOST_LETTERS / 4 * 3];
            let length = BASE64URL.decode_slice(self.signature, &mut bytes).map_err(|_| Reason::TokenSignature)?;
            verifies(message, &bytes[..length])
        } else {
            verifies(message, &self.signature()?)
        };
        if is_signed { Ok(()) } else { Err(Reason::TokenSignature) }
    }

    /// Trust it only after the signature was verified.
    pub(crate) fn payload(&self) -> Result<String, Reason> {
        let bytes = BASE64URL.decode(self.payload).map_err(|_| Reason::TokenMalformed)?;
        String::from_utf8(bytes).map_err(|_| Reason::TokenMalformed)
    }

    fn signature(&self) -> Result<Vec<u8>, Reason> {
        BASE64URL.decode(self.signature).map_err(|_| Reason::TokenSignature)
    }
}

/// A JWT whose header was read, not verified yet.
pub(crate) struct Jwt<'a> {
    pub(crate) header: JwtHeader,
    parts: Parts<'a>,
    signature: Vec<u8>,
}

/// What is read of a header. `jku`, `jwk`, `x5u` and `x5c` are not: a token does not bring its own key (RFC 8725 §3.10).
#[derive(Serialize, Deserialize)]
pub(crate) struct JwtHeader {
    /// `None` if no key here has this algorithm.
    #[serde(deserialize_with = "known")]
    pub(crate) alg: Option<Algorithm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) typ: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kid: Option<String>,
    #[serde(default, skip_serializing, rename = "crit", deserialize_with = "given")]
    has_crit: bool,
}

impl JwtHeader {
    pub(crate) fn is_type(&self, typ: &str) -> bool {
        let is_named = |named: &str| named == typ || subtype(named).eq_ignore_ascii_case(subtype(typ));
        self.typ.as_deref().is_some_and(is_named)
    }
}

impl<'a> Jwt<'a> {
    pub(crate) fn parse(token: &'a str) -> Result<Self, Reason> {
        Parts::of(token)?.read()
    }

    /// The same, for a token of at most this length.
    pub(crate) fn parse_within(max_bytes: usize, token: &'a str) -> Result<Self, Reason> {
        Parts::within(max_bytes, token)?.read()
    }

    /// Verifies the signature by a key of this algorithm.
    pub(crate) fn verify(
        &self,
        algorithm: Algorithm,
        verifies: impl FnOnce(&[u8], &[u8]) -> bool,
    ) -> Result<(), Reason> {
        // RFC 8725 §3.1: the key decides on the algorithm, not the token
        let is_signed = self.header.alg == Some(algorithm) && verifies(self.parts.message.as_bytes(), &self.signature);
        if is_signed { Ok(()) } else { Err(Reason::TokenSignature) }
    }

    /// Trust it only after [`Jwt::verify`].
    pub(crate) fn claims<T: DeserializeOwned>(&self) -> Result<T, Reason> {
        decode(self.parts.payload)
    }

    /// Its header as another type, for the one kind of JWT that brings its own key (RFC 9449 §4.2).
    pub(crate) fn header_as<T: DeserializeOwned>(&self) -> Result<T, Reason> {
        decode(self.parts.header)
    }
}

/// What a token must have been made for.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    pub(crate) issuer: String,
    pub(crate) audience: String,
    /// Other audiences that are accepted as well.
    pub(crate) or: Vec<String>,
    /// Whether all others are accepted: for endpoints that only inspect a token.
    pub(crate) is_for_any: bool,
    /// How far the clock of the signer may differ: not at all if it is our own.
    pub(crate) leeway: Duration,
}

impl Expected {
    /// For tokens that are signed here.
    pub(crate) fn own(issuer: &str, audience: &str) -> Self {
        Expected {
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            or: Vec::new(),
            is_for_any: false,
            leeway: Duration::ZERO,
        }
    }

    /// The same tokens, and those for any of these.
    pub(crate) fn or(self, audiences: impl IntoIterator<Item = String>) -> Self {
        Expected { or: audiences.into_iter().collect(), ..self }
    }

    /// The same tokens, whatever their audience.
    pub(crate) fn or_any(self) -> Self {
        Expected { is_for_any: true, ..self }
    }

    pub(super) fn check_audience(&self, audience: &[String]) -> Result<(), Reason> {
        if self.is_for_any || audience.iter().any(|one| self.is_audience(one)) {
            return Ok(());
        }
        let audiences = Audiences { of_the_token: audience.to_vec(), expected: self.audience.clone() };
        Err(Reason::TokenAudience(Box::new(audiences)))
    }

    pub(crate) fn is_audience(&self, one: &str) -> bool {
        self.audience == one || self.or.iter().any(|other| other == one)
    }
}

/// RFC 7515 §4.1.9: the subtype of a media type, compared without case; `application/` may be left out.
fn subtype(typ: &str) -> &str {
    match typ.split_at_checked(12) {
        Some((prefix, subtype)) if prefix.eq_ignore_ascii_case("application/") => subtype,
        Some(_) | None => typ,
    }
}

fn encode(part: &impl Serialize) -> Option<String> {
    Some(BASE64URL.encode(json(part)?))
}

fn json(part: &impl Serialize) -> Option<Vec<u8>> {
    let mut json = Vec::with_capacity(ORDINARY_BYTES);
    serde_json::to_writer(&mut json, part).ok()?;
    Some(json)
}

fn decode<T: DeserializeOwned>(part: &str) -> Result<T, Reason> {
    let bytes = BASE64URL.decode(part).map_err(|_| Reason::TokenMalformed)?;
    serde_json::from_slice(&bytes).map_err(|_| Reason::TokenMalformed)
}

fn known<'de, D: Deserializer<'de>>(alg: D) -> Result<Option<Algorithm>, D::Error> {
    let name = <&str>::deserialize(alg)?;
    // RFC 8725 §3.2
    if name == "none" {
        return Err(D::Error::custom("without a signature"));
    }
    let known: Result<Algorithm, D::Error> = Algorithm::deserialize(name.into_deserializer());
    Ok(known.ok())
}

fn given<'de, D: Deserializer<'de>>(member: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(member).map(|_| true)
}

/// The length of signatures that need no memory of their own: those of all algorithms but RSA.
const MOST_LETTERS: usize = 128;
pub(crate) const ACCESS_TOKEN: &str = "at+jwt";
pub(crate) const ID_TOKEN: &str = "JWT";
/// Back-Channel Logout §2.4
#[cfg(feature = "backchannel-logout")]
pub(crate) const LOGOUT_TOKEN: &str = "logout+jwt";
/// For the dots and the signature of most algorithms.
const ROOM_FOR_SIGNATURE: usize = 96;
/// The length of the claims of most tokens.
const ORDINARY_BYTES: usize = 512;
/// A longer JWT was not made here.
pub(crate) const MAX_BYTES: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_strictly() {
        let parsed = |header: &str| {
            let token = format!("{}.e30.AA", BASE64URL.encode(header));
            Jwt::parse(&token).map(|jwt| jwt.header.alg)
        };
        assert_eq!(parsed(r#"{"alg":"EdDSA","jku":"https://evil.example","jwk":{}}"#), Ok(Some(Algorithm::EdDSA)));
        assert_eq!(parsed(r#"{"alg":"Ed25519"}"#), Ok(Some(Algorithm::EdDSA)), "RFC 9864");
        for unknown in ["HS384", "ES256K", "Ed448", "hs256", ""] {
            assert_eq!(parsed(&format!(r#"{{"alg":"{unknown}"}}"#)), Ok(None), "{unknown}");
        }
        for malformed in [
            "{}",
            r#"{"alg":"none"}"#,
            r#"{"alg":1}"#,
            r#"{"alg":"ES256","alg":"HS256"}"#,
            r#"{"alg":"ES256","kid":1}"#,
            r#"{"alg":"ES256","typ":[]}"#,
            r#"{"alg":"ES256","crit":[]}"#,
            r#"{"alg":"ES256","crit":null}"#,
        ] {
            assert_eq!(parsed(malformed), Err(Reason::TokenMalformed), "{malformed}");
        }
    }

    #[test]
    fn a_type_is_compared_without_case_and_without_application() {
        let header = |typ: &str| JwtHeader { alg: None, typ: Some(typ.to_owned()), kid: None, has_crit: false };
        for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"] {
            assert!(header(typ).is_type("at+jwt") && header(typ).is_type("application/at+jwt"), "{typ}");
        }
        for typ in ["", "application/", "jwt", "text/at+jwt", "application/application/at+jwt"] {
            assert!(!header(typ).is_type("at+jwt"), "{typ}");
        }
    }
}
