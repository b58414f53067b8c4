//! `GET /.well-known/oauth-authorization-server`: the server's metadata (RFC 8414).

use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use crate::endpoints::token;
use crate::error::Reason;
use crate::guard::proofs::ALGORITHMS;
use crate::model::GrantType;
use crate::model::form::Parameters;
use crate::model::jwk::Algorithm;
use crate::response::public_json;
use crate::server::Server;
use crate::server::paths::Named;
use crate::sign_in::request::known_prompts;

/// The metadata document.
pub(crate) async fn metadata(server: &Server, _: &HttpRequest, _: &Parameters<'_>) -> Result<HttpResponse, Reason> {
    server.metadata(|| document(server)).map(public_json).ok_or(Reason::Internal)
}

/// `GET /.well-known/openid-configuration`: the same, and what OpenID Connect adds (OpenID Connect Discovery §3).
pub(crate) async fn openid(server: &Server, _: &HttpRequest, _: &Parameters<'_>) -> Result<HttpResponse, Reason> {
    server.openid_metadata(|algorithms| openid_document(server, algorithms)).map(public_json).ok_or(Reason::Internal)
}

fn openid_document(server: &Server, algorithms: &[Algorithm]) -> Value {
    let mut document = document(server);
    for placed in server.paths().registered() {
        if let Named::InOpenId(name) = placed.row.named {
            document[name] = json!(format!("{}{}", server.issuer().origin(), placed.path));
        }
    }
    let user: Vec<&str> = server.releases().all().into_iter().collect();
    let mut token = vec!["iss", "sub", "aud", "azp", "exp", "iat", "auth_time", "nonce", "at_hash", "acr", "amr"];
    if server.sessions().is_some() {
        token.push("sid");
    }
    document["subject_types_supported"] = json!(["public"]);
    document["id_token_signing_alg_values_supported"] = json!(algorithms);
    document["claims_supported"] = json!([token, user].concat());
    document["prompt_values_supported"] = json!(known_prompts());
    document["claims_parameter_supported"] = json!(true);
    // Back-Channel Logout §2.1
    if cfg!(feature = "backchannel-logout")
        && server.sessions().is_some()
        && server.clients().any(|client| client.logout_uri.is_some())
    {
        document["backchannel_logout_supported"] = json!(true);
        document["backchannel_logout_session_supported"] = json!(true);
    }
    for unsupported in ["request_parameter_supported", "request_uri_parameter_supported"] {
        document[unsupported] = json!(false);
    }
    document
}

fn document(server: &Server) -> Value {
    let proofs = server.clients().proofs();
    let mut methods: Vec<&str> = Vec::new();
    if proofs.none {
        methods.push("none");
    }
    if proofs.secrets {
        methods.extend(["client_secret_basic", "client_secret_post"]);
    }
    if proofs.keys {
        methods.push("private_key_jwt");
    }
    let languages: Vec<&str> = server.languages().map(|texts| &*texts.language).collect();
    let mut metadata = json!({
        "issuer": server.issuer().as_str(),
        "revocation_endpoint_auth_methods_supported": methods,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": token::offered(server).map(GrantType::as_str).collect::<Vec<_>>(),
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": methods,
        "authorization_response_iss_parameter_supported": true,
        "ui_locales_supported": languages,
    });
    for placed in server.paths().registered() {
        if let Named::InBoth(name) = placed.row.named {
            metadata[name] = json!(format!("{}{}", server.issuer().origin(), placed.path));
        }
    }
    if metadata.get("introspection_endpoint").is_some() {
        let proven: Vec<&str> = methods.iter().copied().filter(|method| *method != "none").collect();
        metadata["introspection_endpoint_auth_methods_supported"] = json!(proven);
    }
    if proofs.keys {
        for endpoint in ["token", "revocation", "introspection"] {
            metadata[format!("{endpoint}_endpoint_auth_signing_alg_values_supported")] =
                json!(server.assertion_algorithms());
        }
    }
    // RFC 9126 §5: false if left out
    if server.requires_pushed_requests() {
        metadata["require_pushed_authorization_requests"] = json!(true);
    }
    // RFC 9449 §5.1
    if server.protection().proofs.is_some() {
        metadata["dpop_signing_alg_values_supported"] = json!(ALGORITHMS);
    }
    // Draft-ietf-oauth-client-id-metadata-document §6
    if server.clients().may_have_documents() {
        metadata["client_id_metadata_document_supported"] = json!(true);
    }
    if !server.acr_values().is_empty() {
        metadata["acr_values_supported"] = json!(server.acr_values());
    }
    let scopes: Vec<&str> = server.scopes().collect();
    if !scopes.is_empty() {
        metadata["scopes_supported"] = json!(scopes);
    }
    metadata
}
