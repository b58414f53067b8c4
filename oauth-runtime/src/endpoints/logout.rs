//! `GET` and `POST /logout`: a client or the users themselves end the session (OpenID Connect RP-Initiated Logout).

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};

use crate::clients::registered;
use crate::error::Reason;
use crate::keys::SignedInAs;
use crate::model::client::MAX_CLIENT_ID_BYTES;
use crate::model::code::{AfterSignOut, SessionOf, SignOutForm};
use crate::model::form::Parameters;
use crate::model::redirect_uri::Destination;
use crate::model::session::{Session, is_sid_of};
use crate::pages::{SignOutPage, SignedOutPage, StayedPage};
use crate::response::{document, see_other};
use crate::server::Server;
use crate::server::paths::Url;
use crate::sign_in::browser::Browser;
use crate::sign_in::cookie::Cookie;
use crate::sign_in::request::{self, MAX_URI_BYTES};
use crate::sign_in::{form, language};

/// Ends the session, or first asks whether the user wants that. Both methods have the same parameters (RP-Initiated
/// Logout §2).
pub(crate) async fn sign_out(
    server: &Server,
    http: &HttpRequest,
    parameters: &Parameters<'_>,
) -> Result<HttpResponse, Reason> {
    // A post of another site agrees to nothing, whatever it contains.
    let is_own_form = http.method() == Method::POST && !parameters.are_of_another_site();
    if is_own_form && parameters.get("request", usize::MAX)?.is_some() {
        return confirmed(server, http, parameters).await;
    }

    let hint = server.id_token_hint(parameters)?;
    let of_hint = hint.as_ref().and_then(|hint| hint.client_id.as_deref());
    let client_id = match (parameters.get("client_id", MAX_CLIENT_ID_BYTES)?, of_hint) {
        // RP-Initiated Logout §2: the two must agree
        (Some(client_id), Some(other)) if client_id != other => return Err(Reason::HintOfAnotherClient),
        (Some(client_id), _) => Some(client_id.to_owned()),
        (None, of_hint) => of_hint.map(str::to_owned),
    };
    let state = request::state(parameters)?.map(str::to_owned);
    let then = match parameters.get("post_logout_redirect_uri", MAX_URI_BYTES)? {
        None => None,
        Some(uri) => {
            let client_id = client_id.ok_or(Reason::MissingParameter("client_id"))?;
            Some(AfterSignOut { client_id, uri: uri.to_owned(), state })
        }
    };
    // RP-Initiated Logout §3: never to a place that is not registered
    let destination = destination(server, then.as_ref()).await?;

    // RFC 9110 §9.2.1: HEAD changes nothing, since programs send it to check a link
    if http.method() == Method::HEAD {
        return Ok(signed_out_page(server, http));
    }
    let hint = hint.and_then(|hint| Some((hint.client_id?, hint.verified?)));
    let sessions = Session::all_of(http, server).await?;
    match (sessions.as_slice(), hint) {
        ([session], Some((client, hint)))
            if is_of_this(session, &hint, &known_as(server, &client).await?) && is_trusted(server, &client).await? =>
        {
            Session::end_all(&sessions, "client", server).await?;
        }
        // There is no session here: this client may end at most what it got from one, no matter who sends the token.
        ([], Some((client, hint))) => {
            let client = known_as(server, &client).await?;
            Session::end_for_client(&hint.subject, hint.session.as_deref(), &client, server).await?;
        }
        ([], None) => {}
        // RP-Initiated Logout §2: without a proof that it is for this user, they are asked, since any page can link
        // here
        ([_, ..], _) => return ask(server, http, sessions, then, destination),
    }
    Ok(signed_out(server, http, then, destination))
}

/// Whether the ID token came from this very session.
fn is_of_this(session: &Session, hint: &SignedInAs, client: &str) -> bool {
    let of_session = hint.session.as_deref().zip(session.authentication.session.as_deref());
    hint.subject == session.subject && of_session.is_some_and(|(named, session)| is_sid_of(named, client, session))
}

/// The name, in codes and facts, of the client that a token names.
async fn known_as(server: &Server, client_id: &str) -> Result<String, Reason> {
    let found = server.clients().find(client_id).await?;
    Ok(found.map_or_else(|| registered::name_of(client_id), |client| client.id.clone()))
}

/// Whether a client may end the session of its user without asking. A third party may only have them asked.
async fn is_trusted(server: &Server, client: &str) -> Result<bool, Reason> {
    Ok(server.clients().find(client).await?.is_some_and(|client| !client.is_third_party))
}

async fn confirmed(server: &Server, http: &HttpRequest, parameters: &Parameters<'_>) -> Result<HttpResponse, Reason> {
    let form = form::open::<SignOutForm>(server, http, parameters)?.value;
    match parameters.get("decision", 16)? {
        Some("sign_out") => {}
        Some("stay") => return Ok(stayed(server, http)),
        Some(_) | None => return Err(Reason::MissingParameter("decision")),
    }
    let is_of_form = |session: &Session| {
        let id = session.authentication.session.as_deref();
        form.sessions.iter().any(|known| Some(known.session.as_str()) == id)
    };
    // If another user signed in since the page was shown, they have not been asked.
    if !Session::all_presented(http, server).iter().all(is_of_form) {
        let sessions = Session::all_of(http, server).await?;
        if !sessions.iter().all(is_of_form) {
            let destination = destination(server, form.then.as_ref()).await?;
            return ask(server, http, sessions, form.then, destination);
        }
    }
    // Before anything ends, so that the answer is true.
    let destination = destination(server, form.then.as_ref()).await?;
    for SessionOf { subject, session } in &form.sessions {
        Session::end(subject, session, "user", server).await?;
    }
    Ok(signed_out(server, http, form.then, destination))
}

fn ask(
    server: &Server,
    http: &HttpRequest,
    sessions: Vec<Session>,
    then: Option<AfterSignOut>,
    destination: Option<Destination>,
) -> Result<HttpResponse, Reason> {
    let source = destination.map(|destination| destination.source).unwrap_or_default();
    let browser = Browser::of(http, server);
    let accounts: Vec<&str> = sessions.iter().map(|session| session.account.as_str()).collect();
    let account = accounts.join(", ");
    let named = |it: Session| Some(SessionOf { session: it.authentication.session?, subject: it.subject });
    let sessions = sessions.into_iter().filter_map(named).collect();
    let form = SignOutForm { sessions, browser: browser.hash().to_owned(), then };
    let sealed = form::seal(server, &form)?;
    let html = server.pages().sign_out(&SignOutPage {
        brand: server.brand(),
        texts: language::of(http, server),
        action: server.path(Url::Logout),
        request: &sealed,
        account: &account,
    });
    let mut response = document(StatusCode::OK, html, &source);
    browser.remember(http, &mut response, server);
    Ok(response)
}

/// Removes the session from the browser.
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
    // The browser may have a cookie that it did not send, of a live session.
    if !Cookie::Session.all(http, server).is_empty() {
        Cookie::Session.clear(&mut response, server);
    }
    response
}

fn signed_out_page(server: &Server, http: &HttpRequest) -> HttpResponse {
    let page = SignedOutPage { brand: server.brand(), texts: language::of(http, server) };
    document(StatusCode::OK, server.pages().signed_out(&page), "")
}

fn stayed(server: &Server, http: &HttpRequest) -> HttpResponse {
    let page = StayedPage { brand: server.brand(), texts: language::of(http, server) };
    document(StatusCode::OK, server.pages().stayed(&page), "")
}

async fn destination(server: &Server, then: Option<&AfterSignOut>) -> Result<Option<Destination>, Reason> {
    let Some(then) = then else { return Ok(None) };
    let client = server.clients().find(&then.client_id).await?.ok_or(Reason::UnknownClient)?;
    Ok(Some(client.destination_after_sign_out(&then.uri).ok_or(Reason::UnknownPostLogoutRedirectUri)?))
}
