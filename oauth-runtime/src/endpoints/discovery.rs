//! `GET /.well-known/oauth-authorization-server`: what is true of this server (RFC 8414).

use actix_web::HttpResponse;
use actix_web::http::header;
use serde_json::{Value, json};

use crate::endpoints::authorize::PROMPTS;
use crate::endpoints::token::GrantType;
use crate::model::claims::STANDARD;
use crate::model::credentials::Credentials;
use crate::model::jwk::Algorithm;
use crate::server::OAuthService;

/// The metadata document.
pub(crate) async fn metadata(oauth: OAuthService) -> HttpResponse {
    answer(&document(&oauth))
}

/// `GET /.well-known/openid-configuration`: the same, and what OpenID Connect adds (OpenID Connect Discovery §3).
pub(crate) async fn openid(oauth: OAuthService) -> HttpResponse {
    let service = &oauth.0;
    let mut document = document(&oauth);
    let scopes = STANDARD.iter().filter(|(scope, _)| service.scopes.contains_key(*scope));
    let user: Vec<&str> = scopes.flat_map(|(_, names)| names.iter().copied()).collect();
    let mut token = vec!["iss", "sub", "aud", "azp", "exp", "iat", "auth_time", "nonce", "at_hash", "acr", "amr"];
    if service.sessions.is_some() {
        token.push("sid");
    }
    document["userinfo_endpoint"] = json!(format!("{}{}", service.issuer.origin(), service.paths.userinfo));
    document["subject_types_supported"] = json!(["public"]);
    document["id_token_signing_alg_values_supported"] = json!([service.keys.algorithm()]);
    document["claims_supported"] = json!([token, user].concat());
    document["prompt_values_supported"] = json!(PROMPTS);
    for unsupported in ["claims_parameter_supported", "request_parameter_supported", "request_uri_parameter_supported"]
    {
        document[unsupported] = json!(false);
    }
    answer(&document)
}

fn answer(document: &Value) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "public, max-age=300")).json(document)
}

fn document(oauth: &OAuthService) -> Value {
    let service = &oauth.0;
    let at = |path: &str| format!("{}{path}", service.issuer.origin());
    let clients = || service.clients.values();
    let proven = |has: fn(&Credentials) -> bool| clients().filter_map(|client| client.credentials.as_ref()).any(has);
    let mut methods: Vec<&str> = Vec::new();
    if clients().any(|client| client.credentials.is_none()) {
        methods.push("none");
    }
    if proven(|credentials| !credentials.secrets.is_empty()) {
        methods.extend(["client_secret_basic", "client_secret_post"]);
    }
    let with_keys = proven(|credentials| !credentials.keys.is_empty());
    if with_keys {
        methods.push("private_key_jwt");
    }
    let mut metadata = json!({
        "issuer": service.issuer.as_str(),
        "authorization_endpoint": at(&service.paths.authorize),
        "token_endpoint": at(&service.paths.token),
        "revocation_endpoint": at(&service.paths.revoke),
        "revocation_endpoint_auth_methods_supported": methods,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": GrantType::offered(oauth).map(GrantType::as_str).collect::<Vec<_>>(),
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": methods,
        "authorization_response_iss_parameter_supported": true,
    });
    let languages: Vec<&str> = service.languages.iter().map(|texts| &*texts.language).collect();
    metadata["ui_locales_supported"] = json!(languages);
    if service.sessions.is_some() {
        metadata["end_session_endpoint"] = json!(at(&service.paths.logout));
    }
    if service.keys.published().is_some() {
        metadata["jwks_uri"] = json!(at(&service.paths.jwks));
    }
    let proofs: Vec<&str> = methods.iter().copied().filter(|method| *method != "none").collect();
    if let Some(introspect) = &service.paths.introspect {
        metadata["introspection_endpoint"] = json!(at(introspect));
        metadata["introspection_endpoint_auth_methods_supported"] = json!(proofs);
    }
    if with_keys {
        for endpoint in ["token", "revocation", "introspection"] {
            metadata[format!("{endpoint}_endpoint_auth_signing_alg_values_supported")] = json!(Algorithm::PUBLIC);
        }
    }
    if !service.scopes.is_empty() {
        metadata["scopes_supported"] = service.scopes.keys().map(String::as_str).collect();
    }
    metadata
}
