//! Who is calling `/token` (RFC 6749 §2.3, §3.2.1).

use actix_web::HttpRequest;
use actix_web::http::header;

use crate::error::Reason;
use crate::model::client::RegisteredClient;
use crate::model::form::Parameters;
use crate::service::OAuthService;

/// The client, identified by the body. Every client of today is public: it has no secret, and none is taken.
pub(crate) fn client<'a>(
    oauth: &'a OAuthService,
    request: &HttpRequest,
    parameters: &Parameters<'_>,
) -> Result<&'a RegisteredClient, Reason> {
    if request.headers().contains_key(header::AUTHORIZATION) {
        return Err(Reason::ClientIsPublic { header: true });
    }
    let client_id = parameters.get("client_id", 128)?.ok_or(Reason::MissingParameter("client_id"))?;
    let client = oauth.0.clients.get(client_id).ok_or(Reason::ClientUnknown)?;
    if parameters.get("client_secret", 1024)?.is_some() {
        return Err(Reason::ClientIsPublic { header: false });
    }
    Ok(client)
}
