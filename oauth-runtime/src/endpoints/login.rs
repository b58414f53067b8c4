//! `POST /login`: the sign-in form comes back, and the browser is sent on with a code.

use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};

use crate::answer::{error_page, form_body};
use crate::endpoints::authorize::sign_in_page;
use crate::endpoints::verify;
use crate::error::Reason;
use crate::limit;
use crate::model::client::RegisteredClient;
use crate::model::code::SignInForm;
use crate::model::form::{BadParameter, Parameters};
use crate::model::redirect_uri::Destination;
use crate::pages::SignInProblem;
use crate::seal::{NotOpened, Sealable as _};
use crate::server::OAuthService;
use crate::sign_in::browser::Browser;
use crate::sign_in::finish::{By, finish, refuse, signed_in};
use crate::sign_in::language;
use crate::users::{Login, Outcome};

/// Signs a person in.
pub(crate) async fn submit(oauth: OAuthService, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    match sign_in(&oauth, &request, payload).await {
        Ok(response) => response,
        Err(reason) => {
            tracing::info!(target: "oauth", ?reason, "sign-in refused with a page");
            error_page(&oauth, language::of(&request, &oauth), &reason)
        }
    }
}

async fn sign_in(oauth: &OAuthService, http: &HttpRequest, payload: web::Payload) -> Result<HttpResponse, Reason> {
    let body = form_body(http, payload).await?;
    let parameters = Parameters::parse(&body);
    let sealed = parameters.get("request", SignInForm::MAX_BYTES)?.ok_or(Reason::FormForged)?;
    let form = opened_form(oauth, http, sealed)?;
    // A client can have lost its registration since the form was made.
    let client = oauth.0.clients.get(&form.request.client_id).ok_or(Reason::UnknownClient)?;
    let destination = client.destination(&form.request.redirect_uri).ok_or(Reason::UnknownRedirectUri)?;
    if parameters.get("cancel", 64)?.is_some() {
        return Ok(refuse(oauth, &destination, form.request.state.as_deref(), &Reason::AccessDenied));
    }

    let (username, password) = match credentials(&parameters) {
        Ok(credentials) => credentials,
        Err(problem) => {
            let username = parameters.get("username", 256).unwrap_or(None).unwrap_or_default();
            return Ok(again(oauth, client, &destination, &form, username, problem));
        }
    };
    let store = oauth.0.store.as_ref();
    let attempt = match limit::attempt(store, &username, oauth.peer(http)).await? {
        Ok(attempt) => attempt,
        Err(too_many) => {
            tracing::warn!(target: "oauth", client = client.id, "too many attempts to sign in");
            warn_of_a_proxy(oauth, http);
            let problem = SignInProblem::TooManyAttempts(too_many.retry_after);
            return Ok(again(oauth, client, &destination, &form, &username, problem));
        }
    };
    let Some(authenticator) = &oauth.0.authenticator else {
        // No page with such a form is shown where users sign in elsewhere.
        return Err(Reason::FormForged);
    };
    // Before the author's function, which takes its time: a sign-out meanwhile ends this sign-in too.
    let began = oauth.issue_time().await?;
    let login = Login {
        username: username.clone(),
        password: password.into(),
        acr_values: form.request.wishes.acr.clone(),
        language: form.request.wishes.language.clone(),
    };
    let outcome = match authenticator.call(login).await {
        Ok(signed_in) => signed_in.0,
        Err(why) => {
            tracing::error!(target: "oauth", ?why, "authenticate gave no answer");
            attempt.forgive(store).await?;
            return Ok(again(oauth, client, &destination, &form, &username, SignInProblem::TryAgainLater));
        }
    };
    let (claims, amr, acr) = match outcome {
        Outcome::Refused => {
            tracing::info!(target: "oauth", client = client.id, "sign-in refused: wrong name or password");
            return Ok(again(oauth, client, &destination, &form, &username, SignInProblem::Wrong));
        }
        Outcome::Ask(question) => {
            attempt.forgive(store).await?;
            return verify::page(oauth, form.request, form.browser, username, began, question).await;
        }
        Outcome::Done { claims, amr, acr } => (claims, amr, acr),
    };
    attempt.forgive(store).await?;
    let person = signed_in(oauth, http, (claims, amr, acr), Some(&username), began).await?;
    finish(oauth, http, form.request, person, By::Page).await
}

/// The form, if it was made here for this browser.
pub(crate) fn opened_form(oauth: &OAuthService, http: &HttpRequest, sealed: &str) -> Result<SignInForm, Reason> {
    let form = match oauth.0.sealer.open::<SignInForm>(sealed, oauth.now()) {
        Ok(opened) => opened.value,
        Err(NotOpened::Forged) => return Err(Reason::FormForged),
        Err(NotOpened::Expired) => return Err(Reason::FormExpired),
    };
    Browser::made_for(http, oauth, &form.browser)?;
    Ok(form)
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
    if let Some(wait) = wait_for(problem) {
        response.headers_mut().insert(header::RETRY_AFTER, wait.as_secs().into());
    }
    response
}

/// After how long another try counts.
pub(crate) fn wait_for(problem: SignInProblem) -> Option<Duration> {
    match problem {
        SignInProblem::TooManyAttempts(wait) => Some(wait),
        SignInProblem::TryAgainLater => Some(TRY_AGAIN),
        SignInProblem::Incomplete | SignInProblem::TooLong | SignInProblem::Wrong => None,
    }
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
