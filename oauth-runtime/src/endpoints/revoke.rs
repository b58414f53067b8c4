//! `POST /revoke`: a client gives back what it holds (RFC 7009).

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use crate::answer::{form_body, json_error, not_stored};
use crate::client_auth;
use crate::error::Reason;
use crate::guard::bearer;
use crate::model::form::Parameters;
use crate::model::refresh::RefreshToken;
use crate::seal::NotOpened;
use crate::server::OAuthService;

/// Ends the grant that a token belongs to. An unknown token is as good as ended (RFC 7009 §2.2).
pub(crate) async fn revoke(oauth: OAuthService, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    match end(&oauth, &request, payload).await {
        // RFC 7009 §2.2: there is nothing to say; clients that read every answer as JSON get some
        Ok(()) => not_stored(HttpResponse::Ok()).json(json!({})),
        Err(reason) => {
            tracing::info!(target: "oauth", ?reason, "revocation refused");
            json_error(&reason)
        }
    }
}

async fn end(oauth: &OAuthService, request: &HttpRequest, payload: web::Payload) -> Result<(), Reason> {
    let body = form_body(request, payload).await?;
    let parameters = Parameters::parse(&body);
    // RFC 7009 §2.1: first the client
    let client = client_auth::client(oauth, request, &parameters).await?;
    let token = parameters.get("token", bearer::MAX_BYTES)?.ok_or(Reason::MissingParameter("token"))?;
    // RFC 7009 §2.1: a hint may be ignored, and one look tells the two kinds apart
    let _ = parameters.get("token_type_hint", 128)?;
    let (client_id, grant) = match oauth.0.sealer.open::<RefreshToken>(token, oauth.now()) {
        Ok(opened) => (opened.value.client_id, opened.value.grant),
        Err(NotOpened::Forged | NotOpened::Expired) => {
            match bearer::verify_for_anyone(token, oauth).map(|verified| verified.registered) {
                Some(registered) => match registered.grant {
                    Some(grant) => (registered.client_id, grant),
                    None => return Ok(()),
                },
                None => return Ok(()),
            }
        }
    };
    // RFC 7009 §2.1: only what was issued to the client that asks; RFC 6749 §5.2 has the code for it
    if client_id != client.id {
        return Err(Reason::TokenOfAnotherClient);
    }
    // RFC 7009 §2.1: with a refresh token go the access tokens of its grant; here an access token takes the whole grant
    // with it as well, since it is the grant that the store knows of.
    oauth.0.store.revoke(&grant, oauth.grant_ends(oauth.issue_time().await?)).await?;
    tracing::info!(target: "oauth", client = client.id, grant, "a grant was revoked by its client");
    Ok(())
}
