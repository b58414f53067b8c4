//! `POST /verify`: the answer to what was asked after the password.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};

use crate::answer::{document, error_page, form_body};
use crate::endpoints::authorize::status_of;
use crate::endpoints::login::wait_for;
use crate::error::Reason;
use crate::limit;
use crate::model::Timestamp;
use crate::model::code::{AuthorizationRequest, QuestionForm};
use crate::model::form::{BadParameter, Parameters};
use crate::model::question::Question;
use crate::pages::{QuestionPage, SignInProblem};
use crate::seal::{NotOpened, Sealable as _};
use crate::server::{OAuthService, SLOWEST_ANSWER};
use crate::sign_in::browser::Browser;
use crate::sign_in::finish::{By, finish, random_id, refuse, signed_in};
use crate::sign_in::language;
use crate::store::Spend;
use crate::users::{Outcome, SecondFactor};

/// Takes the answer.
pub(crate) async fn submit(oauth: OAuthService, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    match verify(&oauth, &request, payload).await {
        Ok(response) => response,
        Err(reason) => {
            tracing::info!(target: "oauth", ?reason, "an answer was refused with a page");
            error_page(&oauth, language::of(&request, &oauth), &reason)
        }
    }
}

async fn verify(oauth: &OAuthService, http: &HttpRequest, payload: web::Payload) -> Result<HttpResponse, Reason> {
    let body = form_body(http, payload).await?;
    let parameters = Parameters::parse(&body);
    let sealed = parameters.get("request", QuestionForm::MAX_BYTES)?.ok_or(Reason::FormForged)?;
    let opened = oauth.0.sealer.open::<QuestionForm>(sealed, oauth.now()).map_err(|why| match why {
        NotOpened::Forged => Reason::FormForged,
        NotOpened::Expired => Reason::FormExpired,
    })?;
    let form = opened.value;
    Browser::made_for(http, oauth, &form.browser)?;
    let store = oauth.0.store.as_ref();
    // A store that forgot which forms were spent takes none from before.
    if opened.issued_at <= store.birth().await? {
        return Err(Reason::FormExpired);
    }
    if parameters.get("cancel", 64)?.is_some() {
        let client = oauth.0.clients.get(&form.request.client_id).ok_or(Reason::UnknownClient)?;
        let destination = client.destination(&form.request.redirect_uri).ok_or(Reason::UnknownRedirectUri)?;
        return Ok(refuse(oauth, &destination, form.request.state.as_deref(), &Reason::AccessDenied));
    }
    let answer = match parameters.get("answer", 256) {
        Ok(Some(answer)) if form.question.takes(answer) => answer.to_owned(),
        Ok(Some(_) | None) | Err(BadParameter::Repeated(_) | BadParameter::Encoding(_)) => {
            return shown(oauth, &form, sealed, Some(SignInProblem::Incomplete));
        }
        Err(BadParameter::TooLong(_)) => return shown(oauth, &form, sealed, Some(SignInProblem::TooLong)),
    };
    // A code has few digits: it is counted like a password, whoever asks.
    let attempt = match limit::answer(store, &form.username).await? {
        Ok(attempt) => attempt,
        Err(too_many) => {
            tracing::warn!(target: "oauth", "too many answers to a question");
            return shown(oauth, &form, sealed, Some(SignInProblem::TooManyAttempts(too_many.retry_after)));
        }
    };
    let Some(second_factor) = &oauth.0.second_factor else {
        // It was asked, so there was one.
        return Err(Reason::Internal);
    };
    let question = SecondFactor {
        username: form.username.clone(),
        answer: answer.into(),
        remembered: form.question.remembered().clone(),
        acr_values: form.request.wishes.acr.clone(),
        language: form.request.wishes.language.clone(),
    };
    let outcome = match second_factor.call(question).await {
        Ok(signed_in) => signed_in.0,
        Err(why) => {
            tracing::error!(target: "oauth", ?why, "second_factor gave no answer");
            attempt.forgive(store).await?;
            return shown(oauth, &form, sealed, Some(SignInProblem::TryAgainLater));
        }
    };
    let (claims, amr, acr) = match outcome {
        Outcome::Refused => {
            tracing::info!(target: "oauth", "sign-in refused: wrong answer");
            return shown(oauth, &form, sealed, Some(SignInProblem::Wrong));
        }
        Outcome::Ask(question) => {
            attempt.forgive(store).await?;
            return page(oauth, form.request, form.browser, form.username, form.began, question).await;
        }
        Outcome::Done { claims, amr, acr } => (claims, amr, acr),
    };
    attempt.forgive(store).await?;
    // The page with its answer is in the browser's history: it signs in once.
    match store.spend(&form.id, "", opened.expires_at + SLOWEST_ANSWER).await? {
        Spend::First => {}
        Spend::Already(_) => return Err(Reason::FormSpent),
    }
    let person = signed_in(oauth, http, (claims, amr, acr), Some(&form.username), form.began).await?;
    finish(oauth, http, form.request, person, By::Page).await
}

/// The page that asks.
pub(crate) async fn page(
    oauth: &OAuthService,
    request: AuthorizationRequest,
    browser: String,
    username: String,
    began: Timestamp,
    question: Question,
) -> Result<HttpResponse, Reason> {
    if oauth.0.second_factor.is_none() {
        tracing::error!(target: "oauth", "authenticate asked a question and nobody takes the answer: add .second_factor(..)");
        return Err(Reason::Internal);
    }
    if let Err(why) = question.check() {
        tracing::error!(target: "oauth", "a question cannot be asked: {why}");
        return Err(Reason::Internal);
    }
    let form = QuestionForm { id: random_id(), request, browser, username, began, question };
    let now = oauth.issue_time().await?;
    let sealed = oauth.0.sealer.seal(&form, now, now + FORM_LIFETIME).map_err(|why| {
        tracing::error!(target: "oauth", ?why, "a question could not be sealed: remember less with it");
        Reason::Internal
    })?;
    shown(oauth, &form, &sealed, None)
}

/// The page, the first time or again. Its form stays the same one, so that its ten minutes do.
fn shown(
    oauth: &OAuthService,
    form: &QuestionForm,
    sealed: &str,
    problem: Option<SignInProblem>,
) -> Result<HttpResponse, Reason> {
    let client = oauth.0.clients.get(&form.request.client_id).ok_or(Reason::UnknownClient)?;
    let destination = client.destination(&form.request.redirect_uri).ok_or(Reason::UnknownRedirectUri)?;
    let html = oauth.0.pages.question(&QuestionPage {
        brand: &oauth.0.brand,
        texts: oauth.texts(form.request.wishes.language.as_deref()),
        action: &oauth.0.paths.verify,
        request: sealed,
        client: &client.name,
        returns_to: &destination.shown,
        question: &form.question,
        problem,
    });
    let mut response = document(problem.map_or(StatusCode::OK, status_of), html, &destination.source);
    if let Some(wait) = problem.and_then(wait_for) {
        response.headers_mut().insert(header::RETRY_AFTER, wait.as_secs().into());
    }
    Ok(response)
}

/// How long a person may look at the page.
const FORM_LIFETIME: Duration = Duration::from_secs(600);
