//! `GET` and `POST /logout`: a client, or the users themselves, end the session (OpenID Connect RP-Initiated Logout).

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};

use crate::error::Reason;
use crate::model::code::{AfterSignOut, SignOutForm};
use crate::model::form::Parameters;
use crate::model::redirect_uri::Destination;
use crate::model::session::Session;
use crate::pages::{SignOutPage, SignedOutPage};
use crate::response::{document, see_other};
use crate::server::Server;
use crate::server::paths::Url;
use crate::sign_in::browser::Browser;
use crate::sign_in::cookie::Cookie;
use crate::sign_in::request::{MAX_STATE_BYTES, MAX_URI_BYTES};
use crate::sign_in::{form, language};

/// Ends the session, or asks first whether it is the user who wants that. Both methods have the same parameters
/// (RP-Initiated Logout §2).
pub(crate) async fn sign_out(
    server: &Server,
    http: &HttpRequest,
    parameters: &Parameters<'_>,
) -> Result<HttpResponse, Reason> {
    if http.method() == Method::POST && parameters.get("request", usize::MAX)?.is_some() {
        return confirmed(server, http, parameters).await;
    }

    let hint = server.id_token_hint(parameters)?;
    let of_hint = hint.as_ref().and_then(|hint| hint.client_id.as_deref());
    let client_id = match (parameters.get("client_id", 128)?, of_hint) {
        // RP-Initiated Logout §2: the two have to agree
        (Some(client_id), Some(other)) if client_id != other => return Err(Reason::HintOfAnotherClient),
        (Some(client_id), _) => Some(client_id.to_owned()),
        (None, of_hint) => of_hint.map(str::to_owned),
    };
    let state = parameters.get("state", MAX_STATE_BYTES)?.map(str::to_owned);
    let then = match parameters.get("post_logout_redirect_uri", MAX_URI_BYTES)? {
        None => None,
        Some(uri) => {
            let client_id = client_id.ok_or(Reason::MissingParameter("client_id"))?;
            Some(AfterSignOut { client_id, uri: uri.to_owned(), state })
        }
    };
    // RP-Initiated Logout §3: never to a place that is not registered
    let destination = destination(server, then.as_ref()).await?;

    // RFC 9110 §9.2.1: HEAD changes nothing: programs send it to look at a link
    if http.method() == Method::HEAD {
        return Ok(signed_out_page(server, http));
    }
    match (Session::of(http, server).await?, hint.and_then(|hint| hint.verified)) {
        (Some((session, _)), Some(verified))
            if verified.subject == session.subject
                && verified.session.as_ref().is_none_or(|id| session.authentication.session.as_ref() == Some(id)) =>
        {
            if let Some(id) = &session.authentication.session {
                Session::end(&session.subject, id, "client", server).await?;
            }
        }
        // RP-Initiated Logout §2: without a proof that it is for this user, they are asked: any page can link here
        (Some((session, _)), _) => return ask(server, http, session, then, destination),
        // The session is over, and what it gave the client is to end as well.
        (None, Some(verified)) => {
            if let Some(id) = &verified.session {
                Session::end(&verified.subject, id, "client", server).await?;
            }
        }
        (None, None) => {}
    }
    Ok(signed_out(server, http, then, destination))
}

async fn confirmed(server: &Server, http: &HttpRequest, parameters: &Parameters<'_>) -> Result<HttpResponse, Reason> {
    let form = form::open::<SignOutForm>(server, http, parameters)?.value;
    Session::end(&form.subject, &form.session, "user", server).await?;
    let destination = destination(server, form.then.as_ref()).await?;
    Ok(signed_out(server, http, form.then, destination))
}

fn ask(
    server: &Server,
    http: &HttpRequest,
    session: Session,
    then: Option<AfterSignOut>,
    destination: Option<Destination>,
) -> Result<HttpResponse, Reason> {
    let source = destination.map(|destination| destination.source).unwrap_or_default();
    let browser = Browser::of(http, server).unwrap_or_else(Browser::new);
    let form = SignOutForm {
        session: session.authentication.session.ok_or(Reason::Internal)?,
        subject: session.subject,
        browser: browser.hash(),
        then,
    };
    let sealed = form::seal(server, &form)?;
    let html = server.pages().sign_out(&SignOutPage {
        brand: server.brand(),
        texts: language::of(http, server),
        action: server.path(Url::Logout),
        request: &sealed,
        account: &session.account,
    });
    let mut response = document(StatusCode::OK, html, &source);
    browser.remember(&mut response, server);
    Ok(response)
}

/// Nothing of the session stays in the browser.
fn signed_out(
    server: &Server,
    http: &HttpRequest,
    then: Option<AfterSignOut>,
    destination: Option<Destination>,
) -> HttpResponse {
    let mut response = match destination {
        Some(to) => see_other(match then.and_then(|then| then.state) {
            Some(state) => to.with(&[("state", &state)]),
            None => to.uri,
        }),
        None => signed_out_page(server, http),
    };
    Cookie::Session.clear(&mut response, server);
    Browser::new().remember(&mut response, server);
    response
}

fn signed_out_page(server: &Server, http: &HttpRequest) -> HttpResponse {
    let page = SignedOutPage { brand: server.brand(), texts: language::of(http, server) };
    document(StatusCode::OK, server.pages().signed_out(&page), "")
}

async fn destination(server: &Server, then: Option<&AfterSignOut>) -> Result<Option<Destination>, Reason> {
    let Some(then) = then else { return Ok(None) };
    let client = server.clients().find(&then.client_id).await?.ok_or(Reason::UnknownClient)?;
    Ok(Some(client.destination_after_sign_out(&then.uri).ok_or(Reason::UnknownPostLogoutRedirectUri)?))
}
