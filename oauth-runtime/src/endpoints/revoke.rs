//! `POST /revoke`: a client gives back what it holds (RFC 7009).

use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use crate::client_auth;
use crate::error::Reason;
use crate::event::{EventKind, Fact};
use crate::keys::Texts;
use crate::model::form::Parameters;
use crate::model::refresh::RefreshToken;
use crate::response::not_stored;
use crate::seal::{NotOpened, Opened};
use crate::server::Server;

/// Ends the grant that a token belongs to. An unknown token counts as ended (RFC 7009 §2.2).
pub(crate) async fn revoke(
    server: &Server,
    http: &HttpRequest,
    parameters: &Parameters<'_>,
) -> Result<HttpResponse, Reason> {
    // RFC 7009 §2.1: first the client
    let client = client_auth::client(server, http, parameters).await?;
    let token = parameters.held("token")?.ok_or(Reason::MissingInForm("token"))?;
    // RFC 7009 §2.1: a hint may be ignored, and the two kinds are easily distinguished
    let _ = parameters.get("token_type_hint", 128)?;
    let (client_id, subject, grant) = match server.sealer().open::<RefreshToken>(token, server.now()) {
        Ok(Opened { value: token, .. }) => (token.client_id, token.subject, Some(token.grant)),
        Err(NotOpened::Forged | NotOpened::Expired) => match server.access_token_as_issued(token) {
            Some(token) => {
                let Texts { client_id, subject, grant, .. } = token.registered.texts();
                (client_id.to_owned(), subject.to_owned(), grant.map(str::to_owned))
            }
            None => return Ok(done()),
        },
    };
    let Some(grant) = grant else { return Ok(done()) };
    // RFC 7009 §2.1: only what was issued to the client that asks; RFC 6749 §5.2 has the code for it
    if client_id != client.id {
        return Err(Reason::TokenOfAnotherClient);
    }
    // RFC 7009 §2.1: a refresh token ends the access tokens of its grant; here an access token ends the whole grant as
    // well, since the store only knows grants.
    server.end_grant(&subject, &client.id, &grant).await?;
    server.tell(Fact::of(EventKind::Revoked).subject(&subject).client(&client.id).grant(&grant).reason("client"));
    Ok(done())
}

/// RFC 7009 §2.2: the answer has no content, but is JSON for clients that read every answer as JSON.
fn done() -> HttpResponse {
    not_stored(HttpResponse::Ok()).json(json!({}))
}
