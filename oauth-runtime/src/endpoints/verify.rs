//! `POST /verify`: the answer to what was asked after the password.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse};

use crate::error::Reason;
use crate::event::{EventKind, Fact};
use crate::model::client::RegisteredClient;
use crate::model::code::QuestionForm;
use crate::model::form::Parameters;
use crate::model::redirect_uri::Destination;
use crate::model::session::By;
use crate::pages::SignInProblem;
use crate::server::Server;
use crate::sign_in::finish::{finish, signed_in};
use crate::sign_in::page::{first_question_page, problem_with, question_page};
use crate::sign_in::request::Authorization;
use crate::sign_in::{attempt, form, redirect};
use crate::users::{Outcome, SecondFactor};

/// Takes the answer.
pub(crate) async fn submit(
    server: &Server,
    http: &HttpRequest,
    parameters: &Parameters<'_>,
) -> Result<HttpResponse, Reason> {
    let opened = form::open::<QuestionForm>(server, http, parameters)?;
    let form = opened.value;
    let (client, destination) = server.clients().of(&form.request).await?;
    // The form stays the same one, so that its ten minutes do.
    let sealed = parameters.get("request", usize::MAX)?.unwrap_or_default();
    let again = |problem| question_page(server, &client.name, &destination, &form, sealed, Some(problem));
    if parameters.get("cancel", 64)?.is_some() {
        server.tell(Fact::of(EventKind::SecondFactorRefused).client(&client.id).reason("cancelled"));
        return Ok(redirect::refuse(server, &destination, form.request.state.as_deref(), &Reason::AccessDenied));
    }
    if let Some(number) = parameters.get("other", 8)? {
        return another(server, form, client, destination, number).await;
    }
    let answer = match parameters.get("answer", 256) {
        Ok(Some(answer)) if form.question.takes(answer) => answer.to_owned(),
        Ok(Some(_) | None) => return Ok(again(SignInProblem::Incomplete)),
        Err(bad) => return Ok(again(problem_with(bad))),
    };
    // A code has few digits: it is counted like a password, whoever asks.
    let subject = form.question.subject();
    let attempt = match attempt::answer(server, http, &form.username, subject).await? {
        Ok(attempt) => attempt,
        Err(too_many) => return Ok(again(attempt::throttled(server, &client.id, &too_many))),
    };
    // It was asked, so there was one.
    let second_factor = server.second_factor().ok_or(Reason::Internal)?;
    let outcome = match second_factor.call(answered(&form, answer)).await {
        Ok(signed_in) => signed_in.0,
        Err(why) => {
            tracing::error!(target: "oauth", ?why, "second_factor gave no answer");
            server.tell(Fact::of(EventKind::SecondFactorRefused).client(&client.id).reason("no_answer"));
            server.limits().forgive(attempt).await?;
            return Ok(again(SignInProblem::TryAgainLater));
        }
    };
    let outcome = match outcome {
        Outcome::Refused(named) => {
            server.tell(Fact::of(EventKind::SecondFactorRefused).client(&client.id).reason("wrong"));
            return Ok(again(
                attempt::wrong(server, &client.id, (attempt, &form.username), named.as_deref().or(subject)).await?,
            ));
        }
        Outcome::Ask(question) => Err(question.of_the_same(&form.question)),
        Outcome::Done(user) => Ok(user),
    };
    match outcome {
        Err(question) => {
            let asked = match attempt::asks(server, &client.id, (attempt, &form.username), question).await? {
                Ok(asked) => asked,
                Err(problem) => return Ok(again(problem)),
            };
            let QuestionForm { request, browser, username, began, .. } = form;
            let authorization = Authorization { request, client, destination };
            first_question_page(server, authorization, browser, username, began, asked)
        }
        Ok(user) => {
            if let Err(reason) = form::spend::<QuestionForm>(server, &form.once).await {
                server.limits().forgive(attempt).await?;
                return Err(reason);
            }
            let name = Some(form.username.as_str());
            match signed_in(server, http, &client.id, user, name, form.began, Some(attempt)).await {
                Ok((person, view)) => {
                    let authorization = Authorization { request: form.request, client, destination };
                    finish(server, http, authorization, person, &view, By::Page).await
                }
                Err(Reason::TooManyTries(wait)) => Ok(again(SignInProblem::TooManyAttempts(wait))),
                Err(reason) => Err(reason),
            }
        }
    }
}

fn answered(form: &QuestionForm, answer: String) -> SecondFactor {
    SecondFactor {
        username: form.username.clone(),
        subject: form.question.subject().map(str::to_owned),
        answer: answer.into(),
        remembered: form.question.remembered().clone(),
        acr_values: form.request.requirements.acr.clone(),
        language: form.request.requirements.language.clone(),
    }
}

/// Shows another question, of those that this one offers. Nothing was answered, so nothing counts.
async fn another(
    server: &Server,
    form: QuestionForm,
    client: Arc<RegisteredClient>,
    destination: Destination,
    number: &str,
) -> Result<HttpResponse, Reason> {
    let QuestionForm { request, browser, username, began, question, .. } = form;
    let other = number.parse().ok().and_then(|number| question.other(number)).ok_or(Reason::FormForged)?;
    let asked = (form::once(server).await?, other.of_the_same(&question));
    first_question_page(server, Authorization { request, client, destination }, browser, username, began, asked)
}
