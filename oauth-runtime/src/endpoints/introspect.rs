//! `POST /introspect`: a confidential client asks whether an access token is valid (RFC 7662).

use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Map, Value, json};

use crate::client_auth;
use crate::error::Reason;
use crate::guard::bearer;
use crate::keys::{self, Jwt, Verified};
use crate::model::claims::{SEALED, SEALED_GRANT};
use crate::model::client::RegisteredClient;
use crate::model::form::Parameters;
use crate::response::not_stored;
use crate::server::Server;

/// Answers what a token says, or `active: false` and nothing else.
pub(crate) async fn introspect(
    server: &Server,
    http: &HttpRequest,
    parameters: &Parameters<'_>,
) -> Result<HttpResponse, Reason> {
    // RFC 7662 §2.1: no client may go through tokens that has not shown who it is; a public client cannot
    let client = client_auth::client(server, http, parameters).await?;
    if client.credentials.is_none() {
        return Err(Reason::ClientMayNotIntrospect);
    }
    let token = parameters.get("token", keys::MAX_BYTES)?.ok_or(Reason::MissingParameter("token"))?;
    let _ = parameters.get("token_type_hint", 128)?;
    let claims = active_claims(server, &client, token).await?;
    Ok(not_stored(HttpResponse::Ok()).json(claims.unwrap_or_else(|| {
        // RFC 7662 §2.2: why a token is not valid is not said
        [("active".to_owned(), json!(false))].into_iter().collect()
    })))
}

/// A refresh token is valid for no resource: it is for `/token` alone, and whether it is the current one is decided there.
async fn active_claims(
    server: &Server,
    client: &RegisteredClient,
    token: &str,
) -> Result<Option<Map<String, Value>>, Reason> {
    let Some(verified) = server.access_token(token) else { return Ok(None) };
    match bearer::stands(&verified.registered, server.ledger()).await {
        Ok(()) => {}
        // That it is not known is not that it is not valid.
        Err(reason) if reason.wire().status.is_server_error() => return Err(reason),
        Err(reason) => {
            tracing::debug!(target: "oauth", ?reason, "a token is not active");
            return Ok(None);
        }
    }
    let Some(mut claims) = told(server, client, &verified, token)? else {
        tracing::debug!(target: "oauth", client = client.id, "a token is not for the client that asks about it");
        return Ok(None);
    };
    // What names the grant is between this server and itself.
    for own in ["gid", "as_of", "renewable", SEALED, SEALED_GRANT] {
        claims.remove(own);
    }
    claims.insert("active".to_owned(), json!(true));
    // RFC 9449 §6.2
    let is_bound = claims.contains_key("cnf");
    claims.insert("token_type".to_owned(), json!(if is_bound { "DPoP" } else { "Bearer" }));
    Ok(Some(claims))
}

/// What of a token is for the client that asks: of its own and of those for a resource that it answers for what is in the open;
/// all, where it answers for this service, as guards here see it. Else nothing: RFC 7662 §4 asks whether the token can be used
/// there, §2.2 lets each be told another part.
fn told(
    server: &Server,
    client: &RegisteredClient,
    verified: &Verified,
    token: &str,
) -> Result<Option<Map<String, Value>>, Reason> {
    let registered = &verified.registered;
    let is_for = |resource: &str| registered.audience.iter().any(|audience| audience == resource);
    if client.serves.iter().any(|served| served == server.audience() && is_for(served)) {
        return Ok(Some(verified.all_claims()));
    }
    if registered.texts().client_id != client.id && !client.serves.iter().any(is_for) {
        return Ok(None);
    }
    let mut open: Map<String, Value> = Jwt::parse(token)?.claims()?;
    // As of today, they may be less than the token says.
    for name in ["scope", "aud"] {
        open.remove(name);
        open.extend(verified.claimed().get(&[name]).map(|today| (name.to_owned(), today.into_owned())));
    }
    Ok(Some(open))
}
