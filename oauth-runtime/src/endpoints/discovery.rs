//! `GET /.well-known/oauth-authorization-server`: what is true of this server (RFC 8414).

use actix_web::HttpResponse;
use actix_web::http::header;
use serde_json::json;

use crate::endpoints::token::GrantType;
use crate::service::OAuthService;

/// The metadata document.
pub(crate) async fn metadata(oauth: OAuthService) -> HttpResponse {
    let service = &oauth.0;
    let at = |path: &str| format!("{}{path}", service.issuer.origin());
    let mut metadata = json!({
        "issuer": service.issuer.as_str(),
        "authorization_endpoint": at(&service.paths.authorize),
        "token_endpoint": at(&service.paths.token),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": GrantType::offered(&oauth).map(GrantType::as_str).collect::<Vec<_>>(),
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "authorization_response_iss_parameter_supported": true,
    });
    if !service.scopes.is_empty() {
        metadata["scopes_supported"] = service.scopes.keys().map(String::as_str).collect();
    }
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "public, max-age=300")).json(metadata)
}
