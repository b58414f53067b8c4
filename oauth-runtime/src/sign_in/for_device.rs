//! The device that waits for its user's decision (RFC 8628 §3.3).

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use crate::error::Reason;
use crate::model::code::{AuthorizationRequest, DeviceGrant, Requirements};
use crate::model::device_code::{DeviceRequest, ForDevice};
use crate::model::record::Record;
use crate::model::session::Person;
use crate::model::user_code::UserCode;
use crate::pages::{DeviceDonePage, Texts};
use crate::response::document;
use crate::seal::Opened;
use crate::server::Server;
use crate::server::granting::Granted;
use crate::server::paths::Url;
use crate::sign_in::redirect;
use crate::sign_in::request::Authorization;
use crate::standing::Decision;
use crate::store::{Key, Kind};

/// The key under which a device with this code waits.
pub(crate) fn key(code: &UserCode) -> Key {
    Key::of(Kind::UserCode, code.as_str())
}

/// The request of the device that shows this code, if one waits for its user to decide.
pub(crate) async fn waits(
    server: &Server,
    user_code: UserCode,
    language: Option<String>,
) -> Result<Option<Authorization>, Reason> {
    let view = server.ledger().view(key(&user_code)).await?;
    let Some(waiting) = view.record()?.waits(view.now()) else { return Ok(None) };
    // It was sealed under a secret that is gone: the device has to ask again.
    let Ok(Opened { value, .. }) = server.sealer().open::<DeviceRequest>(&waiting.request, view.now()) else {
        return Ok(None);
    };
    let DeviceRequest { client_id, scope, resources, asked } = value;
    let (id, until) = (waiting.id.clone(), waiting.until);
    let page = format!("{}{}", server.issuer().origin(), server.path(Url::Device));
    let requirements = Requirements { language, ..Requirements::default() };
    let request = AuthorizationRequest {
        client_id,
        scope,
        resources,
        device: Some(ForDevice { id, user_code, as_of: view.as_of(), asked, until }),
        ..AuthorizationRequest::of_own_page(page, requirements)
    };
    let mut authorization = Authorization::of(server, request).await?;
    let lasts = server.lasts(&authorization.client, &authorization.request.scope);
    authorization.request.without_refresh = !lasts;
    Ok(Some(authorization))
}

/// Stores its user's decision for the device: what is granted, or nothing.
pub(crate) async fn decided(
    server: &Server,
    authorization: &Authorization,
    device: &ForDevice,
    granted: Option<&Granted>,
    (person, grant): (&Person, String),
) -> Result<HttpResponse, Reason> {
    let request = &authorization.request;
    let sealed = |granted: &Granted| {
        let code = redirect::code(authorization, granted.scope(), granted.resources(), person, grant.clone());
        server.sealer().seal_within(&DeviceGrant(code), &device.id, device.until)
    };
    let allowed = granted.map(sealed).transpose().map_err(redirect::not_sealed)?;
    let decide = |record: &mut Record, now| {
        let waits = record.decide(&device.id, &grant, allowed.as_deref(), now);
        Ok(if waits { Decision::Write(true) } else { Decision::Keep(false) })
    };
    let changed = server.ledger().change(key(&device.user_code), Some(device.as_of), decide).await;
    let (waits, _) = changed.map_err(|why| why.into_reason(|_| Reason::DeviceGone))?;
    if waits {
        let texts = server.texts(request.requirements.language.as_deref());
        Ok(done(server, texts, allowed.is_some()))
    } else {
        Err(Reason::DeviceGone)
    }
}

/// The page for a user who has decided, or left.
pub(crate) fn done(server: &Server, texts: &Texts, is_allowed: bool) -> HttpResponse {
    let page = DeviceDonePage { brand: server.brand(), texts, is_allowed };
    document(StatusCode::OK, server.pages().device_done(&page), "")
}
