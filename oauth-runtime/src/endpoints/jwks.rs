//! `GET /.well-known/jwks.json`: the public keys by which others verify tokens (RFC 7517 §5).

use actix_web::HttpResponse;
use actix_web::http::header;
use serde_json::json;

use crate::server::OAuthService;

/// Its URL is registered only where there are public keys. A new key is published for as long as this may be cached before
/// it should sign.
pub(crate) async fn keys(oauth: OAuthService) -> HttpResponse {
    let keys = oauth.0.keys.published().unwrap_or_else(|| json!({ "keys": [] }));
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "public, max-age=300")).json(keys)
}
