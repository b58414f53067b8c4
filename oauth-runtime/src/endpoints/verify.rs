//! `POST /verify`: the answer to the question after the password.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;

use crate::error::Reason;
use crate::event::{EventKind, Fact};
use crate::limit::Attempt;
use crate::model::client::RegisteredClient;
use crate::model::code::QuestionForm;
use crate::model::form::Parameters;
use crate::model::redirect_uri::Destination;
use crate::model::session::By;
use crate::pages::SignInProblem;
use crate::server::Server;
use crate::sign_in::finish::{Attempted, cancel, finish, signed_in};
use crate::sign_in::page::{Typed, first_question_page, problem_with, question_page};
use crate::sign_in::redirect::ToClient;
use crate::sign_in::request::Authorization;
use crate::sign_in::{attempt, form, redirect};
use crate::users::places::Caller;
use crate::users::{Authenticated, Outcome, SecondFactor};

/// Accepts the answer.
pub(crate) async fn submit(
    server: &Server,
    http: &HttpRequest,
    parameters: &Parameters<'_>,
) -> Result<HttpResponse, Reason> {
    let opened = form::open::<QuestionForm>(server, http, parameters)?;
    let form = opened.value;
    let (client, destination) = server.clients().of(&form.request).await?;
    // The form stays the same, and so do its ten minutes.
    let sealed = parameters.get("request", usize::MAX)?.unwrap_or_default();
    let again =
        |problem| question_page(server, client.called(&destination), &destination, &form, sealed, Some(problem));
    if parameters.get("cancel", 64)?.is_some() {
        server.tell(Fact::of(EventKind::SecondFactorRefused).client(&client.id).reason("cancelled"));
        cancel(server, http, &form.sign_in, &client.id).await?;
        let authorization = Authorization { request: form.request, client, destination };
        return Ok(redirect::deny(server, &authorization));
    }
    if let Some(number) = parameters.get("other", 8)? {
        return another(server, form, client, destination, number).await;
    }
    let answer = match parameters.get("answer", 256) {
        Ok(Some(answer)) if form.question.takes(answer) => answer.to_owned(),
        Ok(Some(_) | None) => return Ok(again(SignInProblem::Incomplete)),
        Err(bad) => return Ok(again(problem_with(bad))),
    };
    // A code has few digits: it is counted like a password, for every caller.
    let subject = form.question.subject();
    let attempt = match attempt::answer(server, http, &form.username, subject).await? {
        Ok(attempt) => attempt,
        Err(too_many) => return Ok(again(attempt::throttled(server, &client.id, &too_many))),
    };
    // It was asked, so there was one.
    let second_factor = server.second_factor().ok_or(Reason::Internal)?;
    let asked = second_factor.call(factor(&form, answer.clone()), Caller::Attempt(server.limits(), &attempt));
    let outcome = match server.repeats().once(sealed, &answer, asked).await {
        Ok(signed_in) => signed_in.0,
        Err(why) => {
            let function = ("second_factor", EventKind::SecondFactorRefused);
            return Ok(again(attempt::unanswered(server, &client.id, attempt, why, function).await?));
        }
    };
    let outcome = match outcome {
        Outcome::Refused(named) => {
            server.tell(Fact::of(EventKind::SecondFactorRefused).client(&client.id).reason("wrong"));
            let named = named.as_deref().or(subject);
            let problem = attempt::wrong(server, &client.id, attempt, named).await?;
            // A code is right once: a double click that reached another process finds it used up, and its form sent.
            return match named {
                Some(named) if form::was_sent(server, named, &form.sign_in).await? => Err(Reason::FormSpent),
                Some(_) | None => Ok(again(problem)),
            };
        }
        Outcome::Ask(question) => Err(question.of_the_same(&form.question)),
        Outcome::Done(user) => Ok(user),
    };
    match outcome {
        Err(question) => {
            let asked = match attempt::asks(server, &client.id, attempt, question).await? {
                Ok(asked) => asked,
                Err(problem) => return Ok(again(problem)),
            };
            let QuestionForm { request, browser, username, began, sign_in, .. } = form;
            let authorization = Authorization { request, client, destination };
            first_question_page(server, authorization, browser, Typed { username, began, form: sign_in }, asked)
        }
        Ok(user) => {
            let request = form.request.clone();
            let authorization =
                Authorization { request, client: Arc::clone(&client), destination: destination.clone() };
            match answered(server, http, authorization, &form, user, attempt).await {
                Err(Reason::TooManyTries(wait)) => Ok(again(SignInProblem::TooManyAttempts(wait))),
                outcome => outcome,
            }
        }
    }
}

fn factor(form: &QuestionForm, answer: String) -> SecondFactor {
    SecondFactor {
        username: form.username.clone(),
        subject: form.question.subject().map(str::to_owned),
        answer: answer.into(),
        remembered: form.question.remembered().clone(),
        acr_values: form.request.requirements.acr.clone(),
        language: form.request.requirements.language.clone(),
    }
}

/// Shows another question that this one offers. This is not an answer, so it does not count.
async fn another(
    server: &Server,
    form: QuestionForm,
    client: Arc<RegisteredClient>,
    destination: Destination,
    number: &str,
) -> Result<HttpResponse, Reason> {
    let QuestionForm { request, browser, username, began, sign_in, question, .. } = form;
    let other = number.parse().ok().and_then(|number| question.other(number)).ok_or(Reason::FormForged)?;
    let asked = (form::once(server).await?, other.of_the_same(&question));
    let authorization = Authorization { request, client, destination };
    first_question_page(server, authorization, browser, Typed { username, began, form: sign_in }, asked)
}

/// The answer was right.
async fn answered(
    server: &Server,
    http: &HttpRequest,
    authorization: Authorization,
    form: &QuestionForm,
    user: Authenticated<Value>,
    attempt: Attempt,
) -> Result<HttpResponse, Reason> {
    let QuestionForm { username, began, sign_in, once, .. } = form;
    let attempted = Attempted {
        username: Some(username),
        began: *began,
        signed_in_at: *began,
        attempt: Some(attempt),
        form: sign_in.clone(),
        once: Some(once),
    };
    let client = ToClient::of(&authorization);
    match signed_in(server, http, &authorization, user, attempted).await {
        Ok(signed_in) => finish(server, http, authorization, signed_in, By::Page).await,
        Err(reason) => client.answer(server, Err(reason)),
    }
}
