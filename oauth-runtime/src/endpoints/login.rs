//! `GET` and `POST /login`: a browser signs in for a page of the application; the sign-in form is posted here, and the
//! browser is sent on.

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse};

use crate::error::Reason;
use crate::event::{EventKind, Fact};
use crate::limit::Attempt;
use crate::model::code::{Once, SignInForm};
use crate::model::form::Parameters;
use crate::model::name::MAX_USERNAME_BYTES;
use crate::model::question::Question;
use crate::model::session::By;
use crate::pages::SignInProblem;
use crate::server::{Server, SignInBy};
use crate::sign_in::finish::{Attempted, cancel, finish, signed_in};
use crate::sign_in::page::{Typed, first_question_page, problem_with, sign_in_page};
use crate::sign_in::redirect::ToClient;
use crate::sign_in::request::Authorization;
use crate::sign_in::{attempt, for_page, form, redirect};
use crate::users::places::Caller;
use crate::users::{Login, Outcome};

/// Shows the sign-in page to a browser from a page of the application, or accepts its form.
pub(crate) async fn respond(
    server: &Server,
    http: &HttpRequest,
    parameters: &Parameters<'_>,
) -> Result<HttpResponse, Reason> {
    if http.method() == Method::POST {
        return submit(server, http, parameters).await;
    }
    for_page::asked(server, http, parameters).await
}

/// Signs a person in.
async fn submit(server: &Server, http: &HttpRequest, parameters: &Parameters<'_>) -> Result<HttpResponse, Reason> {
    let SignInForm { form, mut request, browser } = form::open::<SignInForm>(server, http, parameters)?.value;
    request.remember = parameters.get("remember", 16)?.is_some();
    let authorization = Authorization::of(server, request).await?;
    if parameters.get("cancel", 64)?.is_some() {
        server.tell(Fact::of(EventKind::SignInRefused).client(&authorization.client.id).reason("cancelled"));
        cancel(server, http, &form, &authorization.client.id).await?;
        return Ok(redirect::deny(server, &authorization));
    }
    let SignInBy::Function(authenticator) = server.sign_in() else {
        // If users sign in elsewhere, no page has such a form.
        return Err(Reason::FormForged);
    };
    let (username, password) = match credentials(parameters) {
        Ok(credentials) => credentials,
        Err(problem) => {
            let username = parameters.get("username", MAX_USERNAME_BYTES).unwrap_or(None).unwrap_or_default();
            return sign_in_page(server, authorization, (form, browser), username, Some(problem));
        }
    };
    let client = &authorization.client.id;
    let counted = attempt::password(server, http, &username).await?;
    let attempt = match counted {
        Ok(attempt) => attempt,
        Err(too_many) => {
            let problem = attempt::throttled(server, client, &too_many);
            server.client_address().warn_of_a_proxy(http);
            return sign_in_page(server, authorization, (form, browser), &username, Some(problem));
        }
    };
    // Before the author's function, which takes time: a sign-out meanwhile ends this sign-in too.
    let began = server.now();
    let login = Login {
        username: username.clone(),
        password: password.into(),
        acr_values: authorization.request.requirements.acr.clone(),
        language: authorization.request.requirements.language.clone(),
    };
    let outcome = match authenticator.call(login, Caller::Attempt(server.limits(), &attempt)).await {
        Ok(signed_in) => signed_in.0,
        Err(why) => {
            let function = ("authenticate", EventKind::SignInRefused);
            let problem = attempt::unanswered(server, client, attempt, why, function).await?;
            return sign_in_page(server, authorization, (form, browser), &username, Some(problem));
        }
    };
    let held_up = match outcome {
        Outcome::Refused(subject) => {
            server.tell(Fact::of(EventKind::SignInRefused).client(client).reason("wrong"));
            if subject.is_some() {
                server.note_named_user();
            }
            attempt::wrong(server, client, attempt, subject.as_deref()).await?
        }
        Outcome::Ask(question) => match asks(server, client, attempt, question).await? {
            Ok(asked) => {
                return first_question_page(server, authorization, browser, Typed { username, began, form }, asked);
            }
            Err(problem) => problem,
        },
        Outcome::Done(user) => {
            let (back, username) = (ToClient::of(&authorization), Some(username.as_str()));
            let attempt = Some(attempt);
            let attempted = Attempted { username, began, signed_in_at: began, attempt, form: form.clone(), once: None };
            match signed_in(server, http, &authorization, user, attempted).await {
                Ok(signed_in) => return finish(server, http, authorization, signed_in, By::Page).await,
                Err(Reason::TooManyTries(wait)) => SignInProblem::TooManyAttempts(wait),
                Err(reason) => return back.answer(server, Err(reason)),
            }
        }
    };
    sign_in_page(server, authorization, (form, browser), &username, Some(held_up))
}

/// If wrong passwords are counted for users, a question has to name its user: otherwise it would reveal which of too
/// many guesses was right.
async fn asks(
    server: &Server,
    client: &str,
    attempt: Attempt,
    question: Question,
) -> Result<Result<(Once, Question), SignInProblem>, Reason> {
    if question.subject().is_none() && server.names_users() {
        tracing::error!(
            target: "oauth",
            "authenticate names users by SignIn::refused_for, but not in its question: write Question::of(subject)"
        );
        server.limits().forgive(attempt).await?;
        return Err(Reason::Internal);
    }
    attempt::asks(server, client, attempt, question).await
}

fn credentials(parameters: &Parameters<'_>) -> Result<(String, String), SignInProblem> {
    let read = |name, max_bytes| {
        let value = parameters.get(name, max_bytes).map_err(problem_with)?;
        value.map(str::to_owned).ok_or(SignInProblem::Incomplete)
    };
    let username = read("username", MAX_USERNAME_BYTES)?;
    // No field of a page sends any, and each takes six bytes when sealed.
    if username.chars().any(char::is_control) {
        return Err(SignInProblem::Incomplete);
    }
    Ok((username, read("password", 1024)?))
}
