//! `POST /device_authorization`: a device without a browser asks for a code to show to its user (RFC 8628 §3.1).

use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use crate::client_auth;
use crate::error::Reason;
use crate::event::{EventKind, Fact};
use crate::model::GrantType;
use crate::model::as_of::AsOf;
use crate::model::device_code::{Asked, DeviceCode, DeviceRequest};
use crate::model::form::Parameters;
use crate::model::id::random_id;
use crate::model::record::{FIRST_INTERVAL, Record, Waiting};
use crate::model::user_code::UserCode;
use crate::response::not_stored;
use crate::seal::NotSealed;
use crate::server::Server;
use crate::server::paths::Url;
use crate::sign_in::for_device::key;
use crate::sign_in::request;
use crate::standing::Decision;

/// Answers with two codes: one for the device, and one for its user.
pub(crate) async fn ask(
    server: &Server,
    http: &HttpRequest,
    parameters: &Parameters<'_>,
) -> Result<HttpResponse, Reason> {
    let client = client_auth::client(server, http, parameters).await?;
    if !client.may_use(GrantType::DeviceCode) {
        return Err(Reason::GrantNotForClient);
    }
    let scope = request::scope(server, &client, parameters)?;
    let resources = server.asked_resources(&client, parameters)?;
    let (now, from) = (server.now(), server.client_address().of(http));
    let until = now + DeviceCode::LIFETIME;
    let asks = DeviceRequest { client_id: client.client_id.clone(), scope, resources, asked: Asked { at: now, from } };
    let asks = server.sealer().seal(&asks, now, until).map_err(|why| match why {
        NotSealed::TooLarge => Reason::RequestTooLong,
        NotSealed::Failed => Reason::Internal,
    })?;
    if let Err(too_many) = server.limits().device(&server.client_address().networks(http)).await? {
        server.tell(Fact::of(EventKind::Throttled).client(&client.id).reason(too_many.limit));
        return Err(Reason::TooManyDevices(too_many.retry_after));
    }
    let waiting = Waiting::new(random_id(), asks, until);
    let (user_code, as_of) = waits(server, &waiting).await?;
    let shown = user_code.to_string();
    let code = DeviceCode { id: waiting.id, user_code, client_id: client.id.clone(), as_of };
    let code = server.sealer().seal(&code, now, until).map_err(|_| Reason::Internal)?;
    server.tell(Fact::of(EventKind::DeviceAsked).client(&client.id));
    let page = format!("{}{}", server.issuer().origin(), server.path(Url::Device));
    Ok(not_stored(HttpResponse::Ok()).json(json!({
        "device_code": code,
        "user_code": shown,
        "verification_uri": page,
        "verification_uri_complete": format!("{page}?user_code={shown}"),
        "expires_in": DeviceCode::LIFETIME.as_secs(),
        "interval": FIRST_INTERVAL,
    })))
}

/// Lets it wait under a code of its own.
async fn waits(server: &Server, waiting: &Waiting) -> Result<(UserCode, AsOf), Reason> {
    for _ in 0..MOST_DRAWN {
        let code = UserCode::draw();
        let wait = |record: &mut Record, now| {
            let is_free = record.wait(waiting.clone(), now);
            Ok(if is_free { Decision::Write(true) } else { Decision::Keep(false) })
        };
        let changed = server.ledger().change(key(&code), None, wait).await;
        let (is_free, view) = changed.map_err(|why| why.into_reason(|_| Reason::Internal))?;
        if is_free {
            return Ok((code, view.as_of()));
        }
    }
    Err(Reason::Internal)
}

/// Of 20^8 codes at most a few thousand are taken.
const MOST_DRAWN: usize = 4;
