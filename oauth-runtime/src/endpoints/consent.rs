//! `POST /consent`: a person allows a client what it asks for, or does not (OAuth 2.1 §7.3.1).

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use crate::answer::{document, error_page, form_body};
use crate::error::Reason;
use crate::model::client::RegisteredClient;
use crate::model::code::{AuthorizationRequest, ConsentForm};
use crate::model::form::Parameters;
use crate::model::redirect_uri::Destination;
use crate::model::session::{Consents, Person};
use crate::pages::ConsentPage;
use crate::seal::{NotOpened, Sealable as _};
use crate::server::{OAuthService, SLOWEST_ANSWER};
use crate::sign_in::browser::Browser;
use crate::sign_in::cookie::Cookie;
use crate::sign_in::finish::{By, approve, random_id, refuse};
use crate::sign_in::language;
use crate::store::Spend;

/// Takes the decision, and sends the browser back to the client with it.
pub(crate) async fn decide(oauth: OAuthService, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    match decided(&oauth, &request, payload).await {
        Ok(response) => response,
        Err(reason) => {
            tracing::info!(target: "oauth", ?reason, "a decision on consent was refused with a page");
            error_page(&oauth, language::of(&request, &oauth), &reason)
        }
    }
}

async fn decided(oauth: &OAuthService, http: &HttpRequest, payload: web::Payload) -> Result<HttpResponse, Reason> {
    let body = form_body(http, payload).await?;
    let parameters = Parameters::parse(&body);
    let sealed = parameters.get("request", ConsentForm::MAX_BYTES)?.ok_or(Reason::FormForged)?;
    let opened = oauth.0.sealer.open::<ConsentForm>(sealed, oauth.now()).map_err(|why| match why {
        NotOpened::Forged => Reason::FormForged,
        NotOpened::Expired => Reason::FormExpired,
    })?;
    let ConsentForm { id, request, browser, person } = opened.value;
    Browser::made_for(http, oauth, &browser)?;
    let allowed = match parameters.get("decision", 16)? {
        Some("allow") => true,
        Some("deny") => false,
        Some(_) | None => return Err(Reason::MissingParameter("decision")),
    };
    let client = oauth.0.clients.get(&request.client_id).ok_or(Reason::UnknownClient)?;
    let destination = client.destination(&request.redirect_uri).ok_or(Reason::UnknownRedirectUri)?;
    // The page was shown to somebody who may have been signed out since.
    let store = &oauth.0.store;
    if opened.issued_at <= store.birth().await? {
        return Err(Reason::FormExpired);
    }
    let ended = match &person.how.session {
        Some(session) => store.is_revoked(session).await?,
        None => false,
    };
    if ended || store.not_before(&person.subject).await?.is_some_and(|at| person.how.at <= at) {
        return Err(Reason::FormOfASignedOut);
    }
    match store.spend(&id, "", opened.expires_at + SLOWEST_ANSWER).await? {
        Spend::First => {}
        Spend::Already(_) => return Err(Reason::FormSpent),
    }
    if !allowed {
        tracing::info!(target: "oauth", client = client.id, "consent was refused");
        return Ok(refuse(oauth, &destination, request.state.as_deref(), &Reason::AccessDenied));
    }
    let mut response = approve(oauth, &request, &destination, &person).await?;
    remember(oauth, http, &mut response, &request, &person.subject);
    Ok(response)
}

/// Whether somebody has to be asked, now that it is known who he is.
pub(crate) fn is_needed(
    oauth: &OAuthService,
    http: &HttpRequest,
    client: &RegisteredClient,
    destination: &Destination,
    request: &AuthorizationRequest,
    subject: &str,
    by: By,
) -> bool {
    // OpenID Connect Core §3.1.2.1
    if request.wishes.consent {
        return true;
    }
    // OAuth 2.1 §7.3.1: any program can say that it is a client which neither shows who it is nor is reached by https.
    // A page of this very origin, as on a developer's machine, is nobody else's.
    let is_own = destination.source == oauth.0.issuer.origin();
    let is_proven = client.credentials.is_some() || destination.is_https || is_own;
    if client.is_third_party {
        return !(is_proven && is_remembered(oauth, http, request, subject));
    }
    match by {
        // Who typed a password into a page that says what for has just allowed it.
        By::Page => false,
        By::Elsewhere | By::Session | By::SessionAlone => !is_proven,
    }
}

/// The page that asks.
pub(crate) async fn page(
    oauth: &OAuthService,
    client: &RegisteredClient,
    destination: &Destination,
    request: AuthorizationRequest,
    person: &Person,
    browser: &Browser,
) -> Result<HttpResponse, Reason> {
    let texts = oauth.texts(request.wishes.language.as_deref());
    let form = ConsentForm { id: random_id(), request, browser: browser.hash(), person: person.clone() };
    let now = oauth.issue_time().await?;
    let sealed = oauth.0.sealer.seal(&form, now, now + FORM_LIFETIME).map_err(|_| Reason::Internal)?;
    let scopes = oauth.described(&form.request.scope, texts);
    let html = oauth.0.pages.consent(&ConsentPage {
        brand: &oauth.0.brand,
        texts,
        action: &oauth.0.paths.consent,
        request: &sealed,
        client: &client.name,
        returns_to: &destination.shown,
        scopes: &scopes,
        account: &form.person.account,
    });
    Ok(document(StatusCode::OK, html, &destination.source))
}

fn consents(oauth: &OAuthService, http: &HttpRequest) -> Option<Consents> {
    let sealed = Cookie::Consents.read(http, oauth)?;
    Some(oauth.0.sealer.open::<Consents>(sealed, oauth.now()).ok()?.value)
}

fn is_remembered(oauth: &OAuthService, http: &HttpRequest, request: &AuthorizationRequest, subject: &str) -> bool {
    let Some(consents) = consents(oauth, http).filter(|consents| consents.subject == subject) else { return false };
    consents
        .given
        .get(&request.client_id)
        .is_some_and(|given| given.covers(&request.scope, &request.resources.named(&oauth.0.expected.audience)))
}

/// What was allowed before stays allowed; what another user of this browser allowed is forgotten.
fn remember(
    oauth: &OAuthService,
    http: &HttpRequest,
    response: &mut HttpResponse,
    request: &AuthorizationRequest,
    subject: &str,
) {
    let mut consents = consents(oauth, http)
        .filter(|consents| consents.subject == subject)
        .unwrap_or_else(|| Consents { subject: subject.to_owned(), ..Consents::default() });
    let given = consents.given.entry(request.client_id.clone()).or_default();
    given.scope.extend(request.scope.iter());
    given.resources.join(&request.resources.named(&oauth.0.expected.audience));
    let now = oauth.now();
    // Where it is too much for a cookie, he is asked again.
    if let Ok(sealed) = oauth.0.sealer.seal(&consents, now, now + REMEMBERED) {
        Cookie::Consents.set(response, oauth, &sealed, Some(REMEMBERED));
    }
}

/// How long a person may look at the page.
const FORM_LIFETIME: Duration = Duration::from_secs(600);
/// How long a browser keeps a cookie at most.
const REMEMBERED: Duration = Duration::from_secs(400 * 24 * 3600);
