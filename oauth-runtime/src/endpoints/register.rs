//! `POST /register`: a client registers itself (RFC 7591 §3).

use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Map, Value, json};

use crate::clients::registered::Registered;
use crate::error::Reason;
use crate::event::{EventKind, Fact};
use crate::model::GrantType;
use crate::model::claims::OPENID;
use crate::model::form::Parameters;
use crate::model::registration::Asked;
use crate::response::not_stored;
use crate::server::Server;

/// Answers with an id that is the registration itself.
pub(crate) async fn register(
    server: &Server,
    http: &HttpRequest,
    parameters: &Parameters<'_>,
) -> Result<HttpResponse, Reason> {
    // Its URL exists only with a registrar.
    let registrar = server.clients().registrar().ok_or(Reason::Internal)?;
    let mut object: Map<String, Value> =
        serde_json::from_slice(parameters.json()).map_err(|_| Reason::RegistrationMalformed)?;
    object.retain(|_, value| !value.is_null());
    let mut asked: Asked = serde_json::from_value(Value::Object(object)).map_err(|_| Reason::RegistrationMalformed)?;
    // RFC 7591 §2: what a service does not have is left out of the answer
    asked.dpop_bound_access_tokens &= server.protection().proofs.is_some();
    // It costs no more than the answer, but no address needs hundreds.
    if let Err(too_many) = server.limits().registration(&server.client_address().networks(http)).await? {
        server.tell(Fact::of(EventKind::Throttled).reason(too_many.limit));
        return Err(Reason::TooManyTries(too_many.retry_after));
    }
    let asked_scope = asked.scope.clone();
    let Registered { client_id, name, secret, method, registration, issued_at, expires_at } =
        registrar.register(asked)?;
    let ceiling = &registrar.ceiling;
    let grants =
        ceiling.grants.iter().filter(|grant| **grant != GrantType::RefreshToken || server.refreshing().is_some());
    let mut answer = json!({
        "client_id": client_id,
        "client_id_issued_at": issued_at.seconds(),
        "redirect_uris": registration.redirect_uris,
        "grant_types": grants.map(|grant| grant.as_str()).collect::<Vec<_>>(),
        "response_types": ["code"],
        "token_endpoint_auth_method": method.as_str(),
        "scope": Asked::scope_within(asked_scope.as_deref(), &ceiling.of_users),
    });
    if let Some(name) = registration.name {
        answer["client_name"] = json!(name);
    }
    if registration.requires_proof {
        answer["dpop_bound_access_tokens"] = json!(true);
    }
    if let Some(secret) = secret {
        answer["client_secret"] = json!(secret);
        answer["client_secret_expires_at"] = json!(expires_at.seconds());
    }
    // RFC 7591 §2: whatever was asked for, this is what is granted
    if ceiling.of_users.contains(OPENID) {
        answer["id_token_signed_response_alg"] = json!(server.keys().algorithm());
    }
    server.tell(Fact::of(EventKind::ClientRegistered).client(&name));
    Ok(not_stored(HttpResponse::Created()).json(answer))
}
