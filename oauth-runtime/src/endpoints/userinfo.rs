//! `GET` and `POST /userinfo`: what a token tells its bearer about the user (OpenID Connect Core §5.3).

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Map, Value, json};

use crate::error::Reason;
use crate::guard::bearer;
use crate::model::Scope;
use crate::model::claims::OPENID;
use crate::model::form::Parameters;
use crate::server::Server;

/// The claims that the token's scope releases, as they were when it was issued.
pub(crate) async fn userinfo(
    server: &Server,
    http: &HttpRequest,
    parameters: &Parameters<'_>,
) -> Result<HttpResponse, Reason> {
    // OpenID Connect Core §5.3.1: the token may also come in the form
    let in_form = parameters.held("access_token")?;
    let verified = bearer::of_request_or_form(http, in_form, server.userinfo()).await?;
    let registered = &verified.registered;
    if !registered.scope.contains(OPENID) {
        let mut needed = Scope::default();
        needed.extend([OPENID]);
        return Err(Reason::PolicyRefused(needed));
    }
    // OpenID Connect Core §5.3: a client in its own name is not a user
    if registered.signed_in_at.is_none() {
        return Err(Reason::PolicyRefused(Scope::default()));
    }
    // OpenID Connect Core §5.4: each scope is for some claims
    let names = server.releases().to(&registered.scope);
    let mut released: Map<String, Value> =
        names.filter_map(|name| Some((name.to_owned(), verified.claimed().get(&[name])?.into_owned()))).collect();
    released.insert("sub".to_owned(), json!(registered.texts().subject));
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(released))
}
