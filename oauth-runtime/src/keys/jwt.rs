//! JWTs (RFC 7519): written, split and verified in one place, by the rules of RFC 8725.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{DeserializeOwned, Error as _, IgnoredAny, IntoDeserializer as _};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};

use crate::error::{Audiences, Reason};
use crate::model::as_of::AsOf;
use crate::model::jwk::Algorithm;
use crate::model::proof::Thumbprint;
use crate::model::sealed_claims::Hidden;
use crate::model::{Scope, Timestamp};
use crate::store::{Key, Kind};

/// What a key writes into the header of what it signs.
pub(crate) struct Header {
    pub(crate) alg: Algorithm,
    pub(crate) kid: String,
}

impl Header {
    /// Signs claims as a JWT of this type.
    pub(crate) fn sign<S: AsRef<[u8]>>(
        &self,
        typ: &str,
        claims: &Map<String, Value>,
        sign: impl FnOnce(&[u8]) -> Option<S>,
    ) -> Option<String> {
        let header =
            JwtHeader { alg: Some(self.alg), typ: Some(typ.to_owned()), kid: Some(self.kid.clone()), has_crit: false };
        let message = format!("{}.{}", encode(&header)?, encode(claims)?);
        let signature = URL_SAFE_NO_PAD.encode(sign(message.as_bytes())?);
        Some(format!("{message}.{signature}"))
    }
}

/// A JWT in its parts, not verified yet.
pub(crate) struct Jwt<'a> {
    pub(crate) header: JwtHeader,
    message: &'a str,
    payload: &'a str,
    signature: Vec<u8>,
}

/// What is read of a header. `jku`, `jwk`, `x5u` and `x5c` are not: a token does not bring its own key (RFC 8725 §3.10).
#[derive(Serialize, Deserialize)]
pub(crate) struct JwtHeader {
    /// None where no key here has this algorithm.
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
        Jwt::parse_within(MAX_BYTES, token)
    }

    /// The same, of a token that may be as long as this.
    pub(crate) fn parse_within(max_bytes: usize, token: &'a str) -> Result<Self, Reason> {
        if token.len() > max_bytes {
            return Err(Reason::TokenTooLong);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(Reason::TokenMalformed)?;
        let (header, payload) = message.split_once('.').ok_or(Reason::TokenMalformed)?;
        let header: JwtHeader = decode(header)?;
        // RFC 7515 §4.1.11: an extension that is not understood
        if header.has_crit {
            return Err(Reason::TokenMalformed);
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Reason::TokenSignature)?;
        Ok(Jwt { header, message, payload, signature })
    }

    /// Verifies the signature by a key of this algorithm.
    pub(crate) fn verify(
        &self,
        algorithm: Algorithm,
        verifies: impl FnOnce(&[u8], &[u8]) -> bool,
    ) -> Result<(), Reason> {
        // RFC 8725 §3.1: the key decides on the algorithm, not the token
        let is_signed = self.header.alg == Some(algorithm) && verifies(self.message.as_bytes(), &self.signature);
        if is_signed { Ok(()) } else { Err(Reason::TokenSignature) }
    }

    /// To be trusted only after [`Jwt::verify`].
    pub(crate) fn claims<T: DeserializeOwned>(&self) -> Result<T, Reason> {
        decode(self.payload)
    }

    /// Its header as another type, of the one kind of JWT that brings its own key (RFC 9449 §4.2).
    pub(crate) fn header_as<T: DeserializeOwned>(&self) -> Result<T, Reason> {
        decode(self.message.split('.').next().unwrap_or_default())
    }
}

/// What a token must have been made for.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    pub(crate) issuer: String,
    pub(crate) audience: String,
    /// Other audiences that are as good.
    pub(crate) or: Vec<String>,
    /// Whether all others are: for the endpoints that a token is shown to rather than used at.
    pub(crate) is_for_any: bool,
    /// By how much the clock of the signer may differ: not at all where it is our own.
    pub(crate) leeway: Duration,
}

impl Expected {
    /// Of tokens that are signed here.
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

    /// The same tokens, whomever they are for.
    pub(crate) fn or_any(self) -> Self {
        Expected { is_for_any: true, ..self }
    }

    fn check_audience(&self, audience: &[String]) -> Result<(), Reason> {
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

/// A token that was verified: its registered claims, typed, and all of them as JSON.
#[derive(Debug)]
pub(crate) struct Verified {
    pub(crate) registered: Registered,
    pub(crate) claims: Map<String, Value>,
    /// What of them its client cannot read.
    pub(crate) hidden: Hidden,
    /// Whether it is no token: a user in a browser, by the session.
    pub(crate) is_session: bool,
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
    /// When the user signed in, `auth_time`.
    pub(crate) signed_in_at: Option<Timestamp>,
    /// What the store had seen of the subject when the token was issued, `as_of`.
    pub(crate) as_of: Option<AsOf>,
    /// Whether its grant has refresh tokens, `renewable`: it then ends with them.
    pub(crate) is_renewable: bool,
    /// Of the subject's record.
    pub(crate) key: Key,
    /// The key that the token is bound to, `cnf` (RFC 9449 §6.1): it is good with a proof of that alone.
    pub(crate) bound_to: Option<Thumbprint>,
}

impl Registered {
    /// RFC 7519 §4.1.4: on or after the expiry
    pub(crate) fn is_expired(&self, expected: &Expected, now: Timestamp) -> bool {
        self.expires_at + expected.leeway <= now
    }
}

impl Verified {
    /// The user of a session, with what a token of theirs would say of them.
    pub(crate) fn of_session(registered: Registered, claims: Map<String, Value>) -> Self {
        Verified { registered, claims, hidden: Hidden::Nothing, is_session: true }
    }

    /// With this scope and this audience.
    pub(crate) fn cut(mut self, scope: Scope, audience: Vec<String>, expected: &Expected) -> Result<Self, Reason> {
        expected.check_audience(&audience)?;
        if scope != self.registered.scope {
            if scope.is_empty() {
                self.claims.remove("scope");
            } else {
                self.claims.insert("scope".to_owned(), json!(scope));
            }
            self.registered.scope = scope;
        }
        if audience != self.registered.audience {
            let named = match audience.as_slice() {
                [one] => json!(one),
                several => json!(several),
            };
            self.claims.insert("aud".to_owned(), named);
            self.registered.audience = audience;
        }
        Ok(self)
    }

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
            signed_in_at: claims.get("auth_time").and_then(Value::as_u64).map(Timestamp::from_seconds),
            as_of: claims.get("as_of").and_then(Value::as_str).and_then(|as_of| as_of.parse().ok()),
            is_renewable: claims.contains_key("renewable"),
            key: Key::of(Kind::Subject, text("sub")?),
            bound_to: claims.get("cnf").map(bound_to).transpose()?,
        };
        if registered.issuer != expected.issuer {
            return Err(Reason::TokenIssuer);
        }
        expected.check_audience(&registered.audience)?;
        if registered.is_expired(expected, now) {
            return Err(Reason::TokenExpired);
        }
        if claims.contains_key("nbf") && moment("nbf")? > now + expected.leeway {
            return Err(Reason::TokenMalformed);
        }
        Ok(Verified { registered, claims, hidden: Hidden::Nothing, is_session: false })
    }
}

/// RFC 9449 §6.1. RFC 7800 §3.1: what confirms it otherwise, or as well, cannot be checked here.
fn bound_to(cnf: &Value) -> Result<Thumbprint, Reason> {
    let jkt = cnf.as_object().filter(|members| members.len() == 1).and_then(|members| members.get("jkt"));
    jkt.and_then(Value::as_str).and_then(|jkt| jkt.parse().ok()).ok_or(Reason::TokenBound)
}

/// RFC 7515 §4.1.9: of a media type, compared without case; `application/` may be left out.
fn subtype(typ: &str) -> &str {
    match typ.split_at_checked(12) {
        Some((prefix, subtype)) if prefix.eq_ignore_ascii_case("application/") => subtype,
        Some(_) | None => typ,
    }
}

fn encode(part: &impl Serialize) -> Option<String> {
    Some(URL_SAFE_NO_PAD.encode(serde_json::to_vec(part).ok()?))
}

fn decode<T: DeserializeOwned>(part: &str) -> Result<T, Reason> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| Reason::TokenMalformed)?;
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

pub(crate) const ACCESS_TOKEN: &str = "at+jwt";
pub(crate) const ID_TOKEN: &str = "JWT";
/// Back-Channel Logout §2.4
#[cfg(feature = "backchannel-logout")]
pub(crate) const LOGOUT_TOKEN: &str = "logout+jwt";
/// A longer JWT was not made here.
pub(crate) const MAX_BYTES: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_strictly() {
        let parsed = |header: &str| {
            let token = format!("{}.e30.AA", URL_SAFE_NO_PAD.encode(header));
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
