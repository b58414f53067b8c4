//! `POST /introspect`: a confidential client asks whether an access token is valid (RFC 7662).

use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Map, Value, json};

use crate::client_auth;
use crate::error::Reason;
use crate::guard::bearer;
use crate::keys::{Jwt, Verified};
use crate::model::claims::{SEALED, SEALED_GRANT};
use crate::model::client::RegisteredClient;
use crate::model::form::Parameters;
use crate::response::not_stored;
use crate::server::Server;

/// Answers with the claims of a token, or with only `active: false`.
pub(crate) async fn introspect(
    server: &Server,
    http: &HttpRequest,
    parameters: &Parameters<'_>,
) -> Result<HttpResponse, Reason> {
    // RFC 7662 §2.1: only authenticated clients may try tokens; a public client cannot authenticate
    let client = client_auth::client(server, http, parameters).await?;
    if client.credentials.is_none() {
        return Err(Reason::ClientMayNotIntrospect);
    }
    // RFC 7662 §2.2: a query for a token that is not valid is no error, and this one may be anything that came to a resource
    let token = parameters.held("token")?.ok_or(Reason::MissingInForm("token"))?;
    let _ = parameters.get("token_type_hint", 128)?;
    let claims = active_claims(server, &client, token).await?;
    Ok(not_stored(HttpResponse::Ok()).json(claims.unwrap_or_else(|| {
        // RFC 7662 §2.2: the answer does not say why a token is not valid
        [("active".to_owned(), json!(false))].into_iter().collect()
    })))
}

/// A refresh token is valid for no resource: it is only for `/token`, which decides whether it is the current one.
async fn active_claims(
    server: &Server,
    client: &RegisteredClient,
    token: &str,
) -> Result<Option<Map<String, Value>>, Reason> {
    let Some(verified) = server.access_token(token) else { return Ok(None) };
    match bearer::stands(&verified.registered, server.ledger()).await {
        Ok(()) => {}
        // If this is unknown, it does not mean that the token is not valid.
        Err(reason) if reason.wire().status.is_server_error() => return Err(reason),
        Err(reason) => {
            tracing::debug!(target: "oauth", ?reason, "a token is not active");
            return Ok(None);
        }
    }
    let Some(mut claims) = told(server, client, &verified, token)? else {
        tracing::info!(
            target: "oauth",
            client = client.id,
            "a valid token is not for the client that asks about it, which learns nothing of it: if that client serves the \
             token's audience, say .resource_server(audience) where it is registered"
        );
        return Ok(None);
    };
    // Only this server needs the names of the grant.
    for own in ["gid", "as_of", "renewable", SEALED, SEALED_GRANT] {
        claims.remove(own);
    }
    claims.insert("active".to_owned(), json!(true));
    // RFC 9449 §6.2
    let is_bound = claims.contains_key("cnf");
    claims.insert("token_type".to_owned(), json!(if is_bound { "DPoP" } else { "Bearer" }));
    Ok(Some(claims))
}

/// The part of a token that the client may see: of its own tokens, and of those for a resource that it serves, what is
/// in the open; everything, as guards here see it, if it serves this service. Otherwise nothing: RFC 7662 §4 asks
/// whether the token can be used there, and §2.2 lets each client see a different part.
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
    // Today they may be less than the token says.
    for name in ["scope", "aud"] {
        open.remove(name);
        open.extend(verified.claimed().get(&[name]).map(|today| (name.to_owned(), today.into_owned())));
    }
    Ok(Some(open))
}
