//! `POST /introspect`: a confidential client asks whether an access token is good (RFC 7662).

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value, json};

use crate::answer::{challenge_client, form_body, json_error, not_stored};
use crate::client_auth;
use crate::error::{Code, Reason};
use crate::guard::bearer;
use crate::model::form::Parameters;
use crate::server::OAuthService;

/// Answers what a token says, or `active: false` and nothing else.
pub(crate) async fn introspect(oauth: OAuthService, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    match look(&oauth, &request, payload).await {
        Ok(answer) => not_stored(HttpResponse::Ok()).json(answer),
        Err(reason) => {
            tracing::info!(target: "oauth", ?reason, "introspection refused");
            let mut response = json_error(&reason);
            // RFC 7662 §2.3: who may not ask gets 401, whichever way he tried
            if reason.wire().code == Some(Code::InvalidClient) {
                *response.status_mut() = StatusCode::UNAUTHORIZED;
                challenge_client(&mut response);
            }
            response
        }
    }
}

async fn look(oauth: &OAuthService, request: &HttpRequest, payload: web::Payload) -> Result<Value, Reason> {
    let body = form_body(request, payload).await?;
    let parameters = Parameters::parse(&body);
    // RFC 7662 §2.1: nobody may go through tokens who has not shown who he is; a public client cannot
    let client = client_auth::client(oauth, request, &parameters).await?;
    if client.credentials.is_none() {
        return Err(Reason::ClientMayNotIntrospect);
    }
    let token = parameters.get("token", bearer::MAX_BYTES)?.ok_or(Reason::MissingParameter("token"))?;
    let _ = parameters.get("token_type_hint", 128)?;
    // RFC 7662 §2.2: why a token is not good is nobody's business. A refresh token is good for no resource: it is for
    // `/token` alone, and whether it is the current one is decided there.
    let Some(verified) = bearer::verify_for_anyone(token, oauth) else { return Ok(json!({ "active": false })) };
    match bearer::standing(&verified.registered, oauth.0.store.as_ref()).await {
        Ok(()) => {}
        // That it is not known is not that it is not good.
        Err(reason) if reason.wire().status.is_server_error() => return Err(reason),
        Err(reason) => {
            tracing::debug!(target: "oauth", ?reason, "a token is not active");
            return Ok(json!({ "active": false }));
        }
    }
    let mut answer: Map<String, Value> = verified.claims;
    // The name of the grant is between this server and itself.
    answer.remove("gid");
    answer.insert("active".to_owned(), json!(true));
    answer.insert("token_type".to_owned(), json!("Bearer"));
    Ok(Value::Object(answer))
}
