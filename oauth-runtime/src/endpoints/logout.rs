//! `GET` and `POST /logout`: a client, or the user himself, ends the session (OpenID Connect RP-Initiated Logout).

use std::time::Duration;

use actix_web::http::{Method, StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};

use crate::answer::{document, error_page, form_body};
use crate::error::Reason;
use crate::guard::bearer;
use crate::model::code::{AfterSignOut, SignOutForm};
use crate::model::form::Parameters;
use crate::model::redirect_uri::Destination;
use crate::model::session::Session;
use crate::pages::{SignOutPage, SignedOutPage};
use crate::seal::{NotOpened, Sealable as _};
use crate::server::OAuthService;
use crate::sign_in::browser::Browser;
use crate::sign_in::cookie::Cookie;
use crate::sign_in::language;

/// Ends the session, or asks first whether it is the user who wants that.
pub(crate) async fn sign_out(oauth: OAuthService, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    match answer(&oauth, &request, payload).await {
        Ok(response) => response,
        Err(reason) => {
            tracing::info!(target: "oauth", ?reason, "sign-out refused with a page");
            error_page(&oauth, language::of(&request, &oauth), &reason)
        }
    }
}

async fn answer(oauth: &OAuthService, http: &HttpRequest, payload: web::Payload) -> Result<HttpResponse, Reason> {
    // RP-Initiated Logout §2: both methods, with the same parameters
    let body;
    let parameters = if http.method() == Method::POST {
        body = form_body(http, payload).await?;
        Parameters::parse(&body)
    } else {
        let query = http.query_string();
        if query.len() > MAX_QUERY_BYTES {
            return Err(Reason::QueryTooLong);
        }
        Parameters::parse(query.as_bytes())
    };
    if http.method() == Method::POST
        && let Some(sealed) = parameters.get("request", SignOutForm::MAX_BYTES)?
    {
        return confirmed(oauth, http, sealed).await;
    }

    let hint = match parameters.get("id_token_hint", bearer::MAX_BYTES)? {
        Some(hint) => Some(oauth.id_token(hint)?),
        None => None,
    };
    let of_hint = hint.as_ref().and_then(|hint| hint.client_id.as_deref());
    let client_id = match (parameters.get("client_id", 128)?, of_hint) {
        // RP-Initiated Logout §2: the two have to agree
        (Some(client_id), Some(other)) if client_id != other => return Err(Reason::HintOfAnotherClient),
        (Some(client_id), _) => Some(client_id.to_owned()),
        (None, of_hint) => of_hint.map(str::to_owned),
    };
    let state = parameters.get("state", 2048)?.map(str::to_owned);
    let then = match parameters.get("post_logout_redirect_uri", 2048)? {
        None => None,
        Some(uri) => {
            let client_id = client_id.ok_or(Reason::MissingParameter("client_id"))?;
            Some(AfterSignOut { client_id, uri: uri.to_owned(), state })
        }
    };
    // RP-Initiated Logout §3: never to a place that is not registered
    let _ = destination(oauth, then.as_ref())?;

    match (Session::of(http, oauth).await?, hint.and_then(|hint| hint.proven)) {
        (Some(session), Some(proven))
            if proven.subject == session.subject
                && proven.session.as_ref().is_none_or(|id| session.how.session.as_ref() == Some(id)) =>
        {
            end(&session, oauth).await?;
            gone(oauth, http, then)
        }
        // RP-Initiated Logout §2: without a proof that it is for this user, he is asked: any page can link here
        (Some(session), _) => ask(oauth, http, &session, then),
        // The session is over, and what it gave the client is to end as well.
        (None, Some(proven)) => {
            if let Some(id) = &proven.session {
                Session::end(id, oauth).await?;
            }
            gone(oauth, http, then)
        }
        (None, None) => gone(oauth, http, then),
    }
}

async fn confirmed(oauth: &OAuthService, http: &HttpRequest, sealed: &str) -> Result<HttpResponse, Reason> {
    let form = match oauth.0.sealer.open::<SignOutForm>(sealed, oauth.now()) {
        Ok(opened) => opened.value,
        Err(NotOpened::Forged) => return Err(Reason::FormForged),
        Err(NotOpened::Expired) => return Err(Reason::FormExpired),
    };
    Browser::made_for(http, oauth, &form.browser)?;
    Session::end(&form.session, oauth).await?;
    gone(oauth, http, form.then)
}

async fn end(session: &Session, oauth: &OAuthService) -> Result<(), Reason> {
    match &session.how.session {
        Some(id) => Session::end(id, oauth).await,
        None => Ok(()),
    }
}

fn ask(
    oauth: &OAuthService,
    http: &HttpRequest,
    session: &Session,
    then: Option<AfterSignOut>,
) -> Result<HttpResponse, Reason> {
    let source = destination(oauth, then.as_ref())?.map(|destination| destination.source).unwrap_or_default();
    let browser = Browser::of(http, oauth).unwrap_or_else(Browser::new);
    let id = session.how.session.clone().ok_or(Reason::Internal)?;
    let form = SignOutForm { session: id, browser: browser.hash(), then };
    let now = oauth.now();
    let sealed = oauth.0.sealer.seal(&form, now, now + FORM_LIFETIME).map_err(|_| Reason::Internal)?;
    let html = oauth.0.pages.sign_out(&SignOutPage {
        brand: &oauth.0.brand,
        texts: language::of(http, oauth),
        action: &oauth.0.paths.logout,
        request: &sealed,
        account: &session.account,
    });
    let mut response = document(StatusCode::OK, html, &source);
    browser.remember(&mut response, oauth);
    Ok(response)
}

/// Nothing of the session stays in the browser.
fn gone(oauth: &OAuthService, http: &HttpRequest, then: Option<AfterSignOut>) -> Result<HttpResponse, Reason> {
    let mut response = match destination(oauth, then.as_ref())? {
        Some(to) => {
            let state = then.as_ref().and_then(|then| then.state.as_deref());
            let location = match state {
                Some(state) => to.with(&[("state", state)]),
                None => to.uri,
            };
            HttpResponse::SeeOther()
                .insert_header((header::LOCATION, location))
                .insert_header((header::CACHE_CONTROL, "no-store"))
                .insert_header((header::REFERRER_POLICY, "no-referrer"))
                .finish()
        }
        None => {
            let texts = language::of(http, oauth);
            let html = oauth.0.pages.signed_out(&SignedOutPage { brand: &oauth.0.brand, texts });
            document(StatusCode::OK, html, "")
        }
    };
    Cookie::Session.clear(&mut response, oauth);
    Browser::new().remember(&mut response, oauth);
    Ok(response)
}

fn destination(oauth: &OAuthService, then: Option<&AfterSignOut>) -> Result<Option<Destination>, Reason> {
    let Some(then) = then else { return Ok(None) };
    let client = oauth.0.clients.get(&then.client_id).ok_or(Reason::UnknownClient)?;
    Ok(Some(client.destination_after_sign_out(&then.uri).ok_or(Reason::UnknownPostLogoutRedirectUri)?))
}

const MAX_QUERY_BYTES: usize = 16 * 1024;
/// How long a person may look at the page.
const FORM_LIFETIME: Duration = Duration::from_secs(600);
