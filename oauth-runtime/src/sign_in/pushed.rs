//! Pushed requests: how a client gets one, how a browser brings it, and how it is spent (RFC 9126).

use std::time::Duration;

use crate::error::Reason;
use crate::model::client::{MAX_CLIENT_ID_BYTES, RegisteredClient};
use crate::model::code::AuthorizationRequest;
use crate::model::form::Parameters;
use crate::model::id::random_id;
use crate::model::proof::Thumbprint;
use crate::model::pushed::{Push, PushedRequest, REQUEST_URI};
use crate::model::record::{Record, Sending, Sent};
use crate::seal::{NotOpened, NotSealed, Sealable as _};
use crate::server::Server;
use crate::sign_in::request::{Authorization, KEY};
use crate::standing::{Decision, HandedOut};
use crate::store::{Key, Kind};

/// What a browser brought in place of the parameters.
pub(crate) struct Pushed {
    /// The parameters, as a query.
    pub(crate) parameters: String,
    pub(crate) push: Push,
}

/// The `request_uri` for a valid pushed request.
pub(crate) async fn request_uri(
    server: &Server,
    client: &RegisteredClient,
    parameters: &Parameters<'_>,
    bound_to: Option<&Thumbprint>,
) -> Result<String, Reason> {
    let id = random_id();
    let as_of = server.ledger().view(key(&id)).await?.as_of();
    let pushed = PushedRequest {
        client: client.id.clone(),
        parameters: with_key(parameters.without(&NOT_OF_THE_REQUEST), bound_to),
        push: Push { id, as_of },
    };
    let now = server.now();
    let sealed = server.sealer().seal(&pushed, now, now + PushedRequest::LIFETIME).map_err(|why| match why {
        NotSealed::TooLarge => Reason::PushedTooLong,
        NotSealed::Failed => Reason::Internal,
    })?;
    Ok(format!("{REQUEST_URI}{sealed}"))
}

/// RFC 9449 §10.1: the code is bound to the key that was named, or shown with the push.
fn with_key(parameters: String, key: Option<&Thumbprint>) -> String {
    match key {
        Some(key) => format!("{parameters}&{KEY}={}", key.as_str()),
        None => parameters,
    }
}

/// What the client of this request pushed, if the request names that; nothing else in it counts (RFC 9126 §4).
pub(crate) async fn opened(server: &Server, parameters: &Parameters<'_>) -> Result<Option<Pushed>, Reason> {
    let Some(sealed) = sealed(parameters) else { return Ok(None) };
    let opened = server.sealer().open::<PushedRequest>(sealed, server.now()).map_err(|why| match why {
        NotOpened::Forged => Reason::PushForged,
        NotOpened::Expired => Reason::PushExpired,
    })?;
    let pushed = of_client(server, parameters, opened.value).await?;
    check_unspent(server, &pushed.push).await?;
    Ok(Some(pushed))
}

/// The same, even if it is too late: only to find the way back, never to act on.
pub(crate) async fn at_any_age(server: &Server, parameters: &Parameters<'_>) -> Option<String> {
    let pushed = server.sealer().open_at_any_age::<PushedRequest>(sealed(parameters)?).ok()?;
    Some(of_client(server, parameters, pushed).await.ok()?.parameters)
}

/// Whether requests of this client must be pushed.
pub(crate) fn is_required(server: &Server, client: &RegisteredClient) -> bool {
    server.requires_pushed_requests() || client.must_push
}

/// Spends a pushed request with its first code: `false` if it was spent. A form that is sent twice gets two codes of
/// the same grant, which count as one code.
pub(crate) async fn spend(server: &Server, authorization: &Authorization, grant: &str) -> Result<bool, Reason> {
    let Authorization { request: AuthorizationRequest { push, .. }, client, .. } = authorization;
    let Some(Push { id, as_of }) = push else { return Ok(true) };
    let spend = |record: &mut Record, now| {
        let sending =
            Sending { id, made: now, until: now + KEPT, grant, client: &client.id, session: None, is_allowed: true };
        let sent = record.send(&sending, server.code_lifetime(), now);
        Ok(if sent == Sent::First { Decision::Write(sent) } else { Decision::Keep(sent) })
    };
    let changed = server.ledger().change(key(id), Some(*as_of), spend).await;
    let (sent, _) = changed.map_err(|why| why.into_reason(|_| Reason::PushExpired))?;
    Ok(match sent {
        Sent::First => true,
        Sent::Again { grant: before, .. } => before == grant,
        Sent::TakenBack | Sent::Spent | Sent::Expired => false,
    })
}

/// RFC 9126 §4: a reload is not a second use, but an earlier code is.
async fn check_unspent(server: &Server, Push { id, as_of }: &Push) -> Result<(), Reason> {
    let handed = HandedOut { sequence: as_of.sequence, session: None, grant: None };
    let checked = server.ledger().check(key(id), *as_of, handed).await;
    let view = checked.map_err(|why| why.into_reason(|_| Reason::PushExpired))?;
    if view.record()?.was_sent(id) { Err(Reason::PushSpent) } else { Ok(()) }
}

/// RFC 9126 §2.2: it is bound to the client that pushed it.
async fn of_client(
    server: &Server,
    parameters: &Parameters<'_>,
    PushedRequest { client, parameters: pushed, push }: PushedRequest,
) -> Result<Pushed, Reason> {
    let named = parameters.get(CLIENT_ID, MAX_CLIENT_ID_BYTES)?.ok_or(Reason::MissingParameter(CLIENT_ID))?;
    match server.clients().find(named).await? {
        Some(found) if found.id == client => {
            let named = form_urlencoded::Serializer::new(String::new()).append_pair(CLIENT_ID, named).finish();
            Ok(Pushed { parameters: format!("{named}&{pushed}"), push })
        }
        Some(_) | None => Err(Reason::PushForged),
    }
}

/// Any other `request_uri` is not supported.
fn sealed<'a>(parameters: &'a Parameters<'_>) -> Option<&'a str> {
    let longest = REQUEST_URI.len() + PushedRequest::MAX_BYTES;
    parameters.get("request_uri", longest).ok().flatten()?.strip_prefix(REQUEST_URI)
}

fn key(id: &str) -> Key {
    Key::of(Kind::Pushed, id)
}

const CLIENT_ID: &str = "client_id";
/// The browser brings the id as well, which may be long; the key is added again; the rest are credentials.
const NOT_OF_THE_REQUEST: [&str; 5] = [CLIENT_ID, "client_secret", "client_assertion", "client_assertion_type", KEY];
/// Longer than any of its pages lives: the sign-in page two hours, the consent page ten minutes more.
const KEPT: Duration = Duration::from_secs(3 * 3600);
