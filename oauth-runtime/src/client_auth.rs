//! Who is calling `/token`, `/revoke` or `/introspect` (RFC 6749 §2.3, §3.2.1).

mod assertion;

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use crate::client_auth::assertion::Assertion;
use crate::error::Reason;
use crate::event::{EventKind, Fact};
use crate::keys;
use crate::model::client::RegisteredClient;
use crate::model::credentials::Credentials;
use crate::model::form::Parameters;
use crate::server::Server;

/// What a client sent to say who it is.
enum Presented<'a> {
    /// Its id alone: a public client.
    Id(&'a str),
    /// `client_secret_basic`
    Basic { id: String, secret: String, as_sent: String },
    /// `client_secret_post`
    Post { id: &'a str, secret: &'a str },
    /// `private_key_jwt`
    Assertion { id: String, assertion: Assertion<'a> },
}

/// The client: a public one by its id, a confidential one by what only it has.
pub(crate) async fn client(
    server: &Server,
    request: &HttpRequest,
    parameters: &Parameters<'_>,
) -> Result<Arc<RegisteredClient>, Reason> {
    let presented = Presented::read(request, parameters)?;
    let (id, header) = match &presented {
        Presented::Id(id) | Presented::Post { id, .. } => (*id, false),
        Presented::Basic { id, .. } => (id.as_str(), true),
        Presented::Assertion { id, .. } => (id.as_str(), false),
    };
    let client = server.clients().find(id).await?.ok_or(Reason::ClientUnknown { header })?;
    let credentials = match (&client.credentials, &presented) {
        (Some(_), Presented::Id(_)) => return Err(Reason::ClientNotProven),
        (Some(credentials), Presented::Basic { .. } | Presented::Post { .. } | Presented::Assertion { .. }) => {
            credentials
        }
        (None, Presented::Id(_)) => return Ok(client),
        // A secret of a client that has none is one that got there by mistake, and is better taken out.
        (None, Presented::Basic { .. } | Presented::Post { .. } | Presented::Assertion { .. }) => {
            return Err(Reason::ClientIsPublic { header });
        }
    };
    match prove(server, &client, credentials, &presented).await {
        Ok(()) => Ok(client),
        // A store that does not answer is no fault of the client's.
        Err(Reason::StoreUnavailable) => Err(Reason::StoreUnavailable),
        // OAuth 2.1 §2.4.1: guessing is slowed down; one that is right is never held up
        Err(reason) => match server.limits().failed_try(id, &server.client_address().networks(request)).await? {
            Ok(()) => Err(reason),
            Err(too_many) => {
                server.tell(Fact::of(EventKind::Throttled).client(id).reason(too_many.limit));
                Err(Reason::TooManyTries(too_many.retry_after))
            }
        },
    }
}

async fn prove(
    server: &Server,
    client: &RegisteredClient,
    credentials: &Credentials,
    presented: &Presented<'_>,
) -> Result<(), Reason> {
    match presented {
        Presented::Id(_) => Err(Reason::ClientNotProven),
        // Clients that do not encode are common, and a secret of 256 bits is no easier to guess in two readings.
        Presented::Basic { secret, as_sent, .. } => {
            let known = credentials.has_secret(secret) || credentials.has_secret(as_sent);
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
        let id = parameters.get("client_id", 128)?;
        let secret = parameters.get("client_secret", 1024)?;
        let assertion = parameters.get("client_assertion", keys::MAX_BYTES)?;
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
            let basic = basic(header).ok_or(Reason::ClientHeaderMalformed)?;
            let Presented::Basic { id: named, .. } = &basic else { return Ok(basic) };
            return if id.is_none_or(|id| id == named) { Ok(basic) } else { Err(Reason::ClientIdMismatch) };
        }
        match (assertion, assertion_type) {
            (Some(assertion), Some(assertion::TYPE)) => {
                let assertion = Assertion::parse(assertion)?;
                let named = assertion.subject().ok_or(Reason::AssertionMalformed)?.to_owned();
                // RFC 7521 §4.2: where it is there it is the subject of the assertion
                return if id.is_none_or(|id| id == named) {
                    Ok(Presented::Assertion { id: named, assertion })
                } else {
                    Err(Reason::ClientIdMismatch)
                };
            }
            (Some(_), Some(_)) => return Err(Reason::AssertionTypeUnknown),
            (Some(_), None) => return Err(Reason::MissingParameter("client_assertion_type")),
            (None, Some(_)) => return Err(Reason::MissingParameter("client_assertion")),
            (None, None) => {}
        }
        let id = id.ok_or(Reason::MissingParameter("client_id"))?;
        Ok(match secret {
            Some(secret) => Presented::Post { id, secret },
            None => Presented::Id(id),
        })
    }
}

/// RFC 7617, its two parts form-encoded (RFC 6749 §2.3.1).
fn basic(header: &header::HeaderValue) -> Option<Presented<'static>> {
    let (scheme, credentials) = header.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let credentials = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (id, secret) = credentials.split_once(':')?;
    let decoded = |text: &str| {
        let spaced = text.replace('+', " ");
        percent_decode_str(&spaced).decode_utf8().ok().map(std::borrow::Cow::into_owned)
    };
    let as_sent = secret.to_owned();
    // What does not decode was not encoded.
    Some(Presented::Basic { id: decoded(id)?, secret: decoded(secret).unwrap_or_else(|| as_sent.clone()), as_sent })
}
