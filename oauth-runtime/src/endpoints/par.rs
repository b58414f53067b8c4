//! `POST /par`: a client pushes its authorization request before it sends the browser (RFC 9126 §2).

use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use crate::client_auth::{self, proof};
use crate::endpoints::authorize::found_good;
use crate::error::Reason;
use crate::model::form::Parameters;
use crate::model::pushed::PushedRequest;
use crate::response::not_stored;
use crate::server::Server;
use crate::server::paths::Url;
use crate::sign_in::pushed;
use crate::sign_in::request::Asking;

/// Answers with the `request_uri` that the browser brings.
pub(crate) async fn push(
    server: &Server,
    http: &HttpRequest,
    parameters: &Parameters<'_>,
) -> Result<HttpResponse, Reason> {
    // Before the client authenticates, as at `/token`
    let shown = proof::shown(server, http, Url::PushedAuthorization)?;
    let client = client_auth::client(server, http, parameters).await?;
    // RFC 9126 §2.1: first check that there is no other
    if !parameters.all("request_uri", usize::MAX)?.is_empty() {
        return Err(Reason::PushedRequestUri);
    }
    // The same: read like any other request, by its `client_id`, which is that of the credentials
    let asking = Asking::read(server, parameters).await?;
    let good = found_good(server, http, parameters, asking)?;
    if let Some(proof) = &shown {
        proof::spend_here(server, proof)?;
    }
    let key = shown.map(|proof| proof.key);
    // RFC 9449 §10.1: if both name a key, it must be the same
    if key.is_some() && good.key().is_some() && key.as_ref() != good.key() {
        return Err(Reason::KeyOfAnotherProof);
    }
    let request_uri = pushed::request_uri(server, &client, parameters, good.key().or(key.as_ref())).await?;
    Ok(not_stored(HttpResponse::Created())
        .json(json!({ "request_uri": request_uri, "expires_in": PushedRequest::LIFETIME.as_secs() })))
}
