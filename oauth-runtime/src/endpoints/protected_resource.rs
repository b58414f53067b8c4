//! `GET /.well-known/oauth-protected-resource`: what a client needs to know of the guarded handlers (RFC 9728).

use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use crate::error::Reason;
use crate::guard::map;
use crate::model::form::Parameters;
use crate::response::public_json;
use crate::server::Server;

/// The metadata document. Its scopes are those that the guards speak of.
pub(crate) async fn metadata(server: &Server, _: &HttpRequest, _: &Parameters<'_>) -> Result<HttpResponse, Reason> {
    // Its URL is there only with a resource.
    let resource = server.protection().refusals.resource.as_ref().ok_or(Reason::Internal)?;
    let mut metadata = json!({
        "resource": resource.identifier,
        "resource_name": server.brand().name,
        "authorization_servers": [server.issuer().as_str()],
        "bearer_methods_supported": ["header"],
    });
    let scopes = map::scopes();
    if !scopes.is_empty() {
        metadata["scopes_supported"] = json!(scopes);
    }
    Ok(public_json(&metadata))
}
