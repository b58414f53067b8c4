//! `GET /.well-known/oauth-protected-resource`: what a client needs to know about the guarded handlers (RFC 9728).

use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use crate::error::Reason;
use crate::guard::map;
use crate::guard::proofs::ALGORITHMS;
use crate::model::claims::OFFLINE_ACCESS;
use crate::model::form::Parameters;
use crate::response::public_json;
use crate::server::Server;

/// The metadata document. Its scopes are those that the guards name; for a resource that is open to clients that are
/// not listed, only those that are open to them.
pub(crate) async fn metadata(server: &Server, http: &HttpRequest, _: &Parameters<'_>) -> Result<HttpResponse, Reason> {
    // Only resources have such a URL.
    let resource = server.described_at(http.match_info().as_str()).ok_or(Reason::Internal)?;
    let mut metadata = json!({
        "resource": resource,
        "resource_name": server.brand().name,
        "authorization_servers": [server.issuer().as_str()],
        "bearer_methods_supported": ["header"],
    });
    // RFC 9728 §2
    if let Some(proofs) = &server.protection().proofs {
        metadata["dpop_signing_alg_values_supported"] = json!(ALGORITHMS);
        metadata["dpop_bound_access_tokens_required"] = json!(proofs.rules.required.has(resource));
    }
    let open = server.clients().open_to(resource);
    // Lasting access is the client's choice: no handler needs it.
    let is_asked = |scope: &&str| *scope != OFFLINE_ACCESS && open.is_none_or(|open| open.of_users.contains(scope));
    let scopes: Vec<&str> = map::scopes().into_iter().filter(is_asked).collect();
    if !scopes.is_empty() {
        metadata["scopes_supported"] = json!(scopes);
    }
    Ok(public_json(metadata.to_string().into()))
}
