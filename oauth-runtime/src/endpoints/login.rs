//! `POST /login`: the sign-in form comes back, and the browser is sent on with a code.

use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};

use crate::authenticate::Login;
use crate::endpoints::answer::{error_page, form_body, redirect};
use crate::endpoints::authorize::sign_in_page;
use crate::endpoints::browser::Browser;
use crate::error::Reason;
use crate::limit;
use crate::model::claims::{UnusableClaims, UserClaims};
use crate::model::client::RegisteredClient;
use crate::model::code::{AuthorizationCode, SignInForm};
use crate::model::form::{BadParameter, Parameters};
use crate::model::redirect_uri::Destination;
use crate::pages::SignInProblem;
use crate::seal::{NotOpened, NotSealed};
use crate::service::OAuthService;

/// Signs a person in.
pub(crate) async fn submit(oauth: OAuthService, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    match sign_in(&oauth, &request, payload).await {
        Ok(response) => response,
        Err(reason) => {
            tracing::info!(target: "oauth", ?reason, "sign-in refused with a page");
            error_page(&oauth, &reason)
        }
    }
}

async fn sign_in(oauth: &OAuthService, request: &HttpRequest, payload: web::Payload) -> Result<HttpResponse, Reason> {
    let body = form_body(request, payload).await?;
    let parameters = Parameters::parse(&body);
    let form = opened_form(oauth, request, &parameters)?;
    // A client can have lost its registration since the form was made.
    let client = oauth.0.clients.get(&form.request.client_id).ok_or(Reason::UnknownClient)?;
    let destination = client.destination(&form.request.redirect_uri).ok_or(Reason::UnknownRedirectUri)?;

    let (username, password) = match credentials(&parameters) {
        Ok(credentials) => credentials,
        Err(problem) => {
            let username = parameters.get("username", 256).unwrap_or(None).unwrap_or_default();
            return Ok(again(oauth, client, &destination, &form, username, problem));
        }
    };
    let store = oauth.0.store.as_ref();
    let attempt = match limit::attempt(store, &username, oauth.peer(request)).await? {
        Ok(attempt) => attempt,
        Err(too_many) => {
            tracing::warn!(target: "oauth", client = client.id, "too many attempts to sign in");
            warn_of_a_proxy(oauth, request);
            let problem = SignInProblem::TooManyAttempts(too_many.retry_after);
            return Ok(again(oauth, client, &destination, &form, &username, problem));
        }
    };
    let login = Login { username: username.clone(), password: password.into() };
    let claims = match oauth.0.authenticator.call(login).await {
        Ok(Some(claims)) => claims,
        Ok(None) => {
            tracing::info!(target: "oauth", client = client.id, "sign-in refused: wrong name or password");
            return Ok(again(oauth, client, &destination, &form, &username, SignInProblem::Wrong));
        }
        Err(why) => {
            tracing::error!(target: "oauth", ?why, "authenticate gave no answer");
            attempt.forgive(store).await?;
            return Ok(again(oauth, client, &destination, &form, &username, SignInProblem::TryAgainLater));
        }
    };
    attempt.forgive(store).await?;
    let code = code(oauth, &form, claims, &username).await?;
    let mut response = redirect(oauth, &destination, form.request.state.as_deref(), &[("code", &code)]);
    // Drawn anew, so that a cookie planted before the sign-in is worth nothing after it.
    Browser::new().remember(&mut response, oauth);
    tracing::info!(target: "oauth", client = client.id, "authorization code issued");
    Ok(response)
}

/// The form, if it was made here for this browser.
fn opened_form(oauth: &OAuthService, request: &HttpRequest, parameters: &Parameters<'_>) -> Result<SignInForm, Reason> {
    let sealed = parameters.get("request", 12 * 1024)?.ok_or(Reason::FormForged)?;
    let form = match oauth.0.sealer.open::<SignInForm>(sealed, oauth.now()) {
        Ok(opened) => opened.value,
        Err(NotOpened::Forged) => return Err(Reason::FormForged),
        Err(NotOpened::Expired) => return Err(Reason::FormExpired),
    };
    match Browser::of(request, oauth) {
        Some(browser) if browser.is(&form.browser) => Ok(form),
        Some(_) | None => Err(Reason::FormFromElsewhere),
    }
}

fn credentials(parameters: &Parameters<'_>) -> Result<(String, String), SignInProblem> {
    let read = |name, max_bytes| match parameters.get(name, max_bytes) {
        Ok(Some(value)) => Ok(value.to_owned()),
        Ok(None) | Err(BadParameter::Repeated(_) | BadParameter::Encoding(_)) => Err(SignInProblem::Incomplete),
        Err(BadParameter::TooLong(_)) => Err(SignInProblem::TooLong),
    };
    Ok((read("username", 256)?, read("password", 1024)?))
}

/// The page again. The form is sealed anew, so that its hour begins again.
fn again(
    oauth: &OAuthService,
    client: &RegisteredClient,
    destination: &Destination,
    form: &SignInForm,
    username: &str,
    problem: SignInProblem,
) -> HttpResponse {
    let mut response = sign_in_page(oauth, &client.name, destination, form, username, Some(problem));
    let retry_after = match problem {
        SignInProblem::TooManyAttempts(wait) => Some(wait),
        SignInProblem::TryAgainLater => Some(TRY_AGAIN),
        SignInProblem::Incomplete | SignInProblem::TooLong | SignInProblem::Wrong => None,
    };
    if let Some(wait) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, wait.as_secs().into());
    }
    response
}

/// An authorization code for what was asked and who signed in (RFC 6749 §4.1.2).
async fn code(
    oauth: &OAuthService,
    form: &SignInForm,
    claims: serde_json::Value,
    username: &str,
) -> Result<String, Reason> {
    let unusable = |why: UnusableClaims| {
        tracing::error!(target: "oauth", "the claims that authenticate returned cannot be used: {why}");
        Reason::ClaimsUnusable
    };
    let user = UserClaims::parse(claims, username).map_err(unusable)?;
    // RFC 9700 §4.15.1: a token of a user must not read as one of a client
    if oauth.0.clients.contains_key(&user.subject) {
        return Err(unusable(UnusableClaims::SubjectIsClient));
    }
    let request = &form.request;
    let code = AuthorizationCode {
        grant: random_id(),
        client_id: request.client_id.clone(),
        redirect_uri: request.redirect_uri.clone(),
        redirect_uri_given: request.redirect_uri_given,
        scope: request.scope.clone(),
        resources: request.resources.clone(),
        nonce: request.nonce.clone(),
        challenge: request.challenge,
        subject: user.subject,
        claims: user.custom,
    };
    let issued_at = oauth.issue_time().await?;
    match oauth.0.sealer.seal(&code, issued_at, issued_at + oauth.0.code_lifetime) {
        Ok(code) => Ok(code),
        Err(NotSealed::TooLarge) => Err(unusable(UnusableClaims::TooLarge)),
        Err(NotSealed::Failed) => Err(Reason::Internal),
    }
}

/// An id that nobody guesses: 128 random bits (RFC 6749 §10.10).
pub(crate) fn random_id() -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>())
}

/// An https service whose peers are on its own machine is behind a proxy, and counts all its users as one.
fn warn_of_a_proxy(oauth: &OAuthService, request: &HttpRequest) {
    static ONCE: std::sync::Once = std::sync::Once::new();
    let is_local = request.peer_addr().is_some_and(|peer| peer.ip().to_canonical().is_loopback());
    if is_local && oauth.0.client_address.is_none() && oauth.0.issuer.is_https() {
        ONCE.call_once(|| {
            tracing::warn!(
                target: "oauth",
                "every sign-in seems to come from a proxy on this machine, and all share one count of failed attempts: add .client_address(..)"
            );
        });
    }
}

const TRY_AGAIN: Duration = Duration::from_secs(5);
