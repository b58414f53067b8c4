//! `GET /.well-known/oauth-protected-resource`: what a client needs to know of the guarded handlers (RFC 9728).

use actix_web::HttpResponse;
use actix_web::http::header;
use serde_json::json;

use crate::error::Reason;
use crate::guard::map;
use crate::guard::refusal::Refusal;
use crate::server::OAuthService;

/// The metadata document. Its scopes are those that the guards speak of.
pub(crate) async fn metadata(oauth: OAuthService) -> Result<HttpResponse, Refusal> {
    let service = &oauth.0;
    // Its URL is registered only where there is a resource.
    let resource = service.protection.resource.as_ref().ok_or_else(|| Refusal::new(Reason::Internal, None))?;
    let mut metadata = json!({
        "resource": resource.identifier,
        "resource_name": service.brand.name,
        "authorization_servers": [service.issuer.as_str()],
        "bearer_methods_supported": ["header"],
    });
    let scopes = map::scopes();
    if !scopes.is_empty() {
        metadata["scopes_supported"] = json!(scopes);
    }
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "public, max-age=300")).json(metadata))
}
