//! `GET /.well-known/jwks.json`: the public keys by which others verify tokens (RFC 7517 §5).

use actix_web::{HttpRequest, HttpResponse};

use crate::error::Reason;
use crate::model::form::Parameters;
use crate::response::public_json;
use crate::server::Server;

/// A new key should be published for as long as this may be cached before it signs.
pub(crate) async fn keys(server: &Server, _: &HttpRequest, _: &Parameters<'_>) -> Result<HttpResponse, Reason> {
    // Its URL exists only with public keys.
    server.published_keys().map(public_json).ok_or(Reason::Internal)
}
