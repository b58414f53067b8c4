//! The pages that ask a person for something before they are known: name and password, then another question.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};

use crate::error::Reason;
use crate::event::{EventKind, Fact};
use crate::model::Timestamp;
use crate::model::code::{FormId, Once, QuestionForm, SignInForm};
use crate::model::form::BadParameter;
use crate::model::lifetime::wait_in_seconds;
use crate::model::question::Question;
use crate::model::redirect_uri::Destination;
use crate::pages::{Link, QuestionPage, SignInPage, SignInProblem};
use crate::response::document;
#[cfg(feature = "testing")]
use crate::response::{Step, shown};
use crate::server::Server;
use crate::server::paths::Url;
use crate::sign_in::consent::{self, Asked};
use crate::sign_in::form;
use crate::sign_in::request::Authorization;

/// The sign-in page, the first time or again. The form is sealed anew, so that its hour begins again, within two; it
/// stays the same form, so that earlier copies sign no one in after it was used.
pub(crate) fn sign_in_page(
    server: &Server,
    authorization: Authorization,
    (form, browser): (FormId, String),
    username: &str,
    problem: Option<SignInProblem>,
) -> Result<HttpResponse, Reason> {
    let says_what_for = consent::is_given_by_signing_in(server, &authorization);
    let offered = authorization.offered(server);
    let Authorization { request, client, destination } = authorization;
    let form = SignInForm { form, request, browser };
    let sealed = form::seal(server, &form)?;
    let texts = server.texts(form.request.requirements.language.as_deref());
    let asked = match says_what_for {
        true => {
            let lasts = !form.request.without_refresh && server.lasts(&client, &offered);
            Asked::of(server, &offered, &form.request.resources, lasts, texts)
        }
        false => Asked::default(),
    };
    let links = server
        .links()
        .iter()
        .map(|(label, path)| (texts.scopes.get(path).unwrap_or(label), format!("{path}?request={sealed}")));
    let links: Vec<_> = links.collect();
    let links: Vec<_> = links.iter().map(|(label, href)| Link { label, href }).collect();
    let user_code = form.request.device.as_ref().map(|device| device.user_code.to_string());
    let html = server.pages().sign_in(&SignInPage {
        brand: server.brand(),
        texts,
        action: server.path(Url::Login),
        request: &sealed,
        client: &client.name,
        warnings: consent::unverified(&client, texts).as_slice(),
        returns_to: &destination.shown,
        scopes: &asked.scopes,
        resources: &asked.resources,
        lasting: asked.lasting,
        remember: server.sessions().and_then(|sessions| sessions.remember.tick(form.request.remember)),
        links: &links,
        username,
        problem,
        user_code: user_code.as_deref(),
    });
    let page = document(status_of(problem), html, &destination.source);
    #[cfg(feature = "testing")]
    let page = shown(page, Step::SignIn { problem }, &sealed);
    Ok(with_problem(page, problem))
}

/// A sign-in whose password was right: the name as typed, when it began, and with which form.
pub(crate) struct Typed {
    pub(crate) username: String,
    pub(crate) began: Timestamp,
    pub(crate) form: FormId,
}

/// The page with a question, for the first time.
pub(crate) fn first_question_page(
    server: &Server,
    authorization: Authorization,
    browser: String,
    Typed { username, began, form }: Typed,
    (once, question): (Once, Question),
) -> Result<HttpResponse, Reason> {
    if server.second_factor().is_none() {
        tracing::error!(target: "oauth", "authenticate asked a question, but nothing checks the answer: add .second_factor(..)");
        return Err(Reason::Internal);
    }
    if let Err(why) = question.check() {
        tracing::error!(target: "oauth", "a question cannot be asked: {why}");
        return Err(Reason::Internal);
    }
    let Authorization { request, client, destination } = authorization;
    let form = QuestionForm { once, sign_in: form, request, browser, username, began, question };
    let sealed = form::seal(server, &form)?;
    server.tell(Fact::of(EventKind::SecondFactorAsked).client(&client.id));
    Ok(question_page(server, client.called(&destination), &destination, &form, &sealed, None))
}

/// The page with a question, the first time or again. Its form stays the same, and so do its ten minutes.
pub(crate) fn question_page(
    server: &Server,
    client: &str,
    destination: &Destination,
    form: &QuestionForm,
    sealed: &str,
    problem: Option<SignInProblem>,
) -> HttpResponse {
    let user_code = form.request.device.as_ref().map(|device| device.user_code.to_string());
    let html = server.pages().question(&QuestionPage {
        brand: server.brand(),
        texts: server.texts(form.request.requirements.language.as_deref()),
        action: server.path(Url::Verify),
        request: sealed,
        client,
        returns_to: &destination.shown,
        account: &form.username,
        question: &form.question,
        problem,
        user_code: user_code.as_deref(),
    });
    let page = document(status_of(problem), html, &destination.source);
    #[cfg(feature = "testing")]
    let page = shown(page, Step::Question { question: form.question.text().to_owned(), problem }, sealed);
    with_problem(page, problem)
}

pub(crate) fn status_of(problem: Option<SignInProblem>) -> StatusCode {
    match problem {
        None => StatusCode::OK,
        Some(SignInProblem::Incomplete | SignInProblem::TooLong) => StatusCode::BAD_REQUEST,
        Some(SignInProblem::Wrong) => StatusCode::UNAUTHORIZED,
        Some(SignInProblem::TooManyAttempts(_)) => StatusCode::TOO_MANY_REQUESTS,
        Some(SignInProblem::TryAgainLater) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// What the page says about a field that cannot be read.
pub(crate) fn problem_with(field: BadParameter) -> SignInProblem {
    match field {
        BadParameter::Repeated(_) | BadParameter::Encoding(_) => SignInProblem::Incomplete,
        BadParameter::TooLong(_) => SignInProblem::TooLong,
    }
}

/// Adds after how long another try counts.
pub(crate) fn with_problem(mut response: HttpResponse, problem: Option<SignInProblem>) -> HttpResponse {
    let wait = match problem {
        Some(SignInProblem::TooManyAttempts(wait)) => wait,
        Some(SignInProblem::TryAgainLater) => TRY_AGAIN,
        None | Some(SignInProblem::Incomplete | SignInProblem::TooLong | SignInProblem::Wrong) => return response,
    };
    response.headers_mut().insert(header::RETRY_AFTER, wait_in_seconds(wait).into());
    response
}

const TRY_AGAIN: Duration = Duration::from_secs(5);
