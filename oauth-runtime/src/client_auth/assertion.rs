//! `private_key_jwt`: a client signs a statement of who it is (RFC 7523 §2.2, §3).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::error::Reason;
use crate::model::Timestamp;
use crate::model::client::RegisteredClient;
use crate::model::credentials::AssertionKey;
use crate::model::lifetime::SLOWEST_ANSWER;
use crate::server::Server;
use crate::standing::{self, HandedOut};
use crate::store::Spend;

pub(super) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
pub(super) const MAX_BYTES: usize = 8 * 1024;

/// Whose assertion it says it is: to know by which keys it has to be checked.
pub(super) fn subject(assertion: &str) -> Option<String> {
    let payload = assertion.split('.').nth(1)?;
    decode(payload)?.get("sub")?.as_str().map(str::to_owned)
}

pub(super) async fn check(
    server: &Server,
    client: &RegisteredClient,
    keys: &[AssertionKey],
    assertion: &str,
) -> Result<(), Reason> {
    let (message, signature) = assertion.rsplit_once('.').ok_or(Reason::AssertionMalformed)?;
    let (header, payload) = message.split_once('.').ok_or(Reason::AssertionMalformed)?;
    let header = decode(header).ok_or(Reason::AssertionMalformed)?;
    let claims = decode(payload).ok_or(Reason::AssertionMalformed)?;
    // RFC 7515 §4.1.11: an extension that is not understood; RFC 8725 §3.11: a JWT that was made for something else
    let typed = match header.get("typ") {
        None => true,
        Some(Value::String(typ)) => is_assertion_type(typ),
        Some(_) => false,
    };
    if header.contains_key("crit") || !typed {
        return Err(Reason::AssertionMalformed);
    }
    let (algorithm, id) = (header.get("alg").and_then(Value::as_str), header.get("kid").and_then(Value::as_str));
    // RFC 8725 §3.1: the key decides on the algorithm, not the assertion
    let signed = keys
        .iter()
        .filter(|key| algorithm.is_some_and(|named| named == format!("{:?}", key.algorithm)))
        .filter(|key| id.is_none() || key.id.is_none() || key.id.as_deref() == id)
        .any(|key| crypto::verify(signature, message.as_bytes(), &key.key, key.algorithm).unwrap_or(false));
    if !signed {
        return Err(Reason::AssertionSignature);
    }
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let moment = |name: &str| claims.get(name).and_then(Value::as_u64).map(Timestamp::from_seconds);
    // RFC 7523 §3, 2: issuer and subject are both the client
    if text("iss") != Some(&client.id) || text("sub") != Some(&client.id) {
        return Err(Reason::AssertionMalformed);
    }
    // RFC 7523 §3, 3, as its revision has it: this issuer and nothing else, so that no other server can pass it on
    let issuer = server.issuer().as_str();
    let for_us = match claims.get("aud") {
        Some(Value::String(audience)) => audience == issuer,
        Some(Value::Array(audiences)) => audiences.len() == 1 && audiences[0] == issuer,
        Some(_) | None => false,
    };
    if !for_us {
        return Err(Reason::AssertionAudience);
    }
    // RFC 7523 §3, 4 to 6: it expires, soon, and is not from the future
    let now = server.now();
    let (Some(expires_at), Some(issued_at)) = (moment("exp"), moment("iat")) else {
        return Err(Reason::AssertionMalformed);
    };
    let begins = moment("nbf").unwrap_or(issued_at).max(issued_at);
    if claims.contains_key("nbf") && moment("nbf").is_none() {
        return Err(Reason::AssertionMalformed);
    }
    if expires_at <= now || expires_at > now + LONGEST || begins > now + SKEW {
        return Err(Reason::AssertionExpired);
    }
    // RFC 7523 §3, 7: once. A store that forgot which were spent takes none from before.
    let Some(id) = text("jti").filter(|id| (1..=256).contains(&id.len())) else {
        return Err(Reason::AssertionMalformed);
    };
    let handed = HandedOut { issued_at, of: None, session: None, grant: None };
    standing::check(server.store(), handed).await?.map_err(|_| Reason::AssertionExpired)?;
    let digest = Sha256::digest(format!("{}\0{id}", client.id));
    let spent = format!("assertion/{}", URL_SAFE_NO_PAD.encode(digest));
    match server.store().spend(&spent, "", expires_at + SLOWEST_ANSWER).await? {
        Spend::First => Ok(()),
        Spend::Already(_) => Err(Reason::AssertionReplayed),
    }
}

fn decode(part: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// RFC 7515 §4.1.9: a media type, compared without case; `application/` may be left out.
fn is_assertion_type(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    matches!(typ.strip_prefix("application/").unwrap_or(&typ), "jwt" | "client-authentication+jwt")
}

/// How far ahead an assertion may expire: it need not live longer than the request.
const LONGEST: Duration = Duration::from_secs(300);
/// How far a client's clock may be ahead.
const SKEW: Duration = Duration::from_secs(30);
