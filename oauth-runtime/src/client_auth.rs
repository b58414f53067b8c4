//! Who is calling `/token`, `/revoke` or `/introspect` (RFC 6749 §2.3, §3.2.1).

mod assertion;
pub(crate) mod proof;

use std::borrow::Cow;
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use crate::client_auth::assertion::Assertion;
use crate::error::Reason;
use crate::event::{EventKind, Fact};
use crate::model::client::RegisteredClient;
use crate::model::code::AuthorizationCode;
use crate::model::credentials::Credentials;
use crate::model::form::Parameters;
use crate::model::refresh::RefreshToken;
use crate::server::Server;

/// The credentials that a client sent.
enum Presented<'a> {
    /// Only its id: a public client.
    Id(&'a str),
    /// `client_secret_basic`
    Basic(Basic),
    /// `client_secret_post`
    Post { id: &'a str, secret: &'a str },
    /// `private_key_jwt`
    Assertion { id: String, assertion: Assertion<'a> },
}

/// The content of an `Authorization: Basic`. RFC 6749 §2.3.1 has both parts form-encoded, but many clients send them
/// unencoded.
struct Basic {
    decoded: Credential,
    as_sent: Credential,
}

struct Credential {
    id: String,
    secret: String,
}

/// The client: a public one by its id, a confidential one by what only it has.
pub(crate) async fn client(
    server: &Server,
    request: &HttpRequest,
    parameters: &Parameters<'_>,
) -> Result<Arc<RegisteredClient>, Reason> {
    let presented = Presented::read(request, parameters)?;
    let (client, header) = match &presented {
        Presented::Id(id) | Presented::Post { id, .. } => (found(server, id, parameters).await?, false),
        Presented::Basic(Basic { decoded, as_sent }) => match server.clients().find(&decoded.id).await? {
            None if decoded.id != as_sent.id => (server.clients().find(&as_sent.id).await?, true),
            found => (found, true),
        },
        Presented::Assertion { id, .. } => (found(server, id, parameters).await?, false),
    };
    let client = client.ok_or(Reason::ClientUnknown { header })?;
    // RFC 7521 §4.2, RFC 6749 §2.3.1: it may come together with the header or an assertion, and must be the same
    if parameters.held("client_id")?.is_some_and(|named| named != client.client_id) {
        return Err(Reason::ClientIdMismatch { header });
    }
    let credentials = match (&client.credentials, &presented) {
        (Some(_), Presented::Id(_)) => return Err(Reason::ClientNotProven),
        (Some(credentials), Presented::Basic(_) | Presented::Post { .. } | Presented::Assertion { .. }) => credentials,
        (None, Presented::Id(_)) => return Ok(client),
        // RFC 6749 §2.3.1: a secret that is empty is none, in the header as in the form
        (None, Presented::Basic(Basic { as_sent, .. })) if as_sent.secret.is_empty() => return Ok(client),
        // A client without a secret sent one by mistake, and should remove it.
        (None, Presented::Basic(_) | Presented::Post { .. } | Presented::Assertion { .. }) => {
            return Err(Reason::ClientIsPublic { header });
        }
    };
    match prove(server, &client, credentials, &presented).await {
        Ok(()) => Ok(client),
        // The client is not at fault if the store does not answer.
        Err(Reason::StoreUnavailable) => Err(Reason::StoreUnavailable),
        // OAuth 2.1 §2.4.1: guessing is slowed down; a right secret is never delayed
        Err(reason) => {
            match server.limits().failed_try(&client.id, &server.client_address().networks(request)).await? {
                Ok(()) => Err(reason),
                Err(too_many) => {
                    server.tell(Fact::of(EventKind::Throttled).client(&client.id).reason(too_many.limit));
                    Err(Reason::TooManyTries(too_many.retry_after))
                }
            }
        }
    }
}

/// The client with this id. Its document is fetched only if it holds something that a user gave it.
async fn found(
    server: &Server,
    id: &str,
    parameters: &Parameters<'_>,
) -> Result<Option<Arc<RegisteredClient>>, Reason> {
    let clients = server.clients();
    if clients.may_fetch(id)
        && let Some(subject) = held_of(server, id, parameters)
    {
        return clients.holding(id, &subject).await;
    }
    clients.find(id).await
}

/// The subject of a code or a token in the request that was issued here to a client with this id.
fn held_of(server: &Server, id: &str, parameters: &Parameters<'_>) -> Option<String> {
    let (sealer, now) = (server.sealer(), server.now());
    let presented = |name| parameters.held(name).ok().flatten();
    let code = |text| {
        let opened = sealer.open::<AuthorizationCode>(text, now).ok()?.value;
        Some((opened.client_id, opened.subject))
    };
    let refresh = |text| {
        let opened = sealer.open::<RefreshToken>(text, now).ok()?.value;
        Some((opened.client_id, opened.subject))
    };
    let access = |text| {
        let token = server.access_token_as_issued(text)?;
        let texts = token.registered.texts();
        Some((texts.client_id.to_owned(), texts.subject.to_owned()))
    };
    let holders = [
        presented("code").and_then(code),
        presented("refresh_token").and_then(refresh),
        presented("token").and_then(|token| refresh(token).or_else(|| access(token))),
    ];
    holders.into_iter().flatten().find(|(holder, _)| holder == id).map(|(_, subject)| subject)
}

async fn prove(
    server: &Server,
    client: &RegisteredClient,
    credentials: &Credentials,
    presented: &Presented<'_>,
) -> Result<(), Reason> {
    match presented {
        Presented::Id(_) => Err(Reason::ClientNotProven),
        // A 256-bit secret is no easier to guess with two readings. Both are compared, so that the time reveals
        // nothing.
        Presented::Basic(Basic { decoded, as_sent }) => {
            let known = credentials.has_secret(&decoded.secret) | credentials.has_secret(&as_sent.secret);
            if known { Ok(()) } else { Err(Reason::ClientSecretWrong { header: true }) }
        }
        Presented::Post { secret, .. } => {
            if credentials.has_secret(secret) {
                Ok(())
            } else {
                Err(Reason::ClientSecretWrong { header: false })
            }
        }
        Presented::Assertion { assertion, .. } => assertion.verify(server, client, &credentials.keys).await,
    }
}

impl<'a> Presented<'a> {
    fn read(request: &HttpRequest, parameters: &'a Parameters<'_>) -> Result<Self, Reason> {
        let id = parameters.held("client_id")?;
        let secret = parameters.held("client_secret")?;
        let assertion = parameters.held("client_assertion")?;
        let assertion_type = parameters.get("client_assertion_type", 128)?;
        let mut headers = request.headers().get_all(header::AUTHORIZATION);
        let header = match (headers.next(), headers.next()) {
            (header, None) => header,
            (_, Some(_)) => return Err(Reason::TwoClientAuthentications),
        };
        // RFC 6749 §2.3: not more than one method in a request
        if [header.is_some(), secret.is_some(), assertion.is_some()].into_iter().filter(|given| *given).count() > 1 {
            return Err(Reason::TwoClientAuthentications);
        }
        if let Some(header) = header {
            return basic(header).map(Presented::Basic).ok_or(Reason::ClientHeaderMalformed);
        }
        match (assertion, assertion_type) {
            (Some(assertion), Some(assertion::TYPE)) => {
                let assertion = Assertion::parse(assertion)?;
                let named = assertion.subject().ok_or(Reason::AssertionMalformed)?.to_owned();
                return Ok(Presented::Assertion { id: named, assertion });
            }
            (Some(_), Some(_)) => return Err(Reason::AssertionTypeUnknown),
            (Some(_), None) => return Err(Reason::MissingParameter("client_assertion_type")),
            (None, Some(_)) => return Err(Reason::MissingParameter("client_assertion")),
            (None, None) => {}
        }
        // RFC 6749 §5.2: no client authentication included
        let id = id.ok_or(Reason::ClientNotNamed)?;
        Ok(match secret {
            Some(secret) => Presented::Post { id, secret },
            None => Presented::Id(id),
        })
    }
}

/// The id of the client that a refused request says it is of, for the log.
///
/// What no one listed may be a secret that was sent in place of the id: with a secret beside it, it is left out where it is as
/// long as one.
pub(crate) fn named(server: &Server, request: &HttpRequest, parameters: &Parameters<'_>) -> Option<String> {
    let held = |name| parameters.held(name).ok().flatten();
    let id = match held("client_id") {
        Some(id) if held("client_secret").is_none() => return Some(id.to_owned()),
        Some(id) => id.to_owned(),
        None => request.headers().get(header::AUTHORIZATION).and_then(basic)?.decoded.id,
    };
    (id.len() < SHORTEST_SECRET || server.clients().listed(&id).is_some()).then_some(id)
}

/// What makes a wrong secret the right one of a listed client, for the log.
pub(crate) fn nearly(server: &Server, request: &HttpRequest, parameters: &Parameters<'_>) -> Option<&'static str> {
    let (id, secret) = match Presented::read(request, parameters).ok()? {
        Presented::Basic(Basic { decoded, .. }) => (decoded.id, decoded.secret),
        Presented::Post { id, secret } => (id.to_owned(), secret.to_owned()),
        Presented::Id(_) | Presented::Assertion { .. } => return None,
    };
    let credentials = server.clients().listed(&id)?.credentials.as_ref()?;
    let is_around = |character: char| character.is_whitespace() || matches!(character, '"' | '\'');
    let repairs = [
        (secret.trim_matches(is_around).to_owned(), "the secret is right but for white space or quotes around it"),
        (decoded(&secret), "the secret is right but for being percent-encoded once too often"),
        (
            secret.replace(' ', "+"),
            "the secret is right but for a + that was sent as it is, and means a space: form-encode it",
        ),
    ];
    let right = repairs.into_iter().find(|(repaired, _)| *repaired != secret && credentials.has_secret(repaired));
    right.map(|(_, hint)| hint)
}

/// RFC 7617, its two parts form-encoded (RFC 6749 §2.3.1) or not.
fn basic(header: &header::HeaderValue) -> Option<Basic> {
    let (scheme, credentials) = header.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let credentials = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (id, secret) = credentials.split_once(':')?;
    Some(Basic {
        decoded: Credential { id: decoded(id), secret: decoded(secret) },
        as_sent: Credential { id: id.to_owned(), secret: secret.to_owned() },
    })
}

/// If it does not decode, it was not encoded.
fn decoded(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().map_or_else(|_| text.to_owned(), Cow::into_owned)
}

/// A client's secret has 32 random bytes, which are more characters than these in every encoding.
const SHORTEST_SECRET: usize = 32;
