//! `POST /verify`: the answer to what was asked after the password.

use actix_web::{HttpRequest, HttpResponse};
use futures_util::future::join;

use crate::error::Reason;
use crate::event::{EventKind, Fact};
use crate::model::code::QuestionForm;
use crate::model::form::Parameters;
use crate::model::session::By;
use crate::pages::SignInProblem;
use crate::server::Server;
use crate::sign_in::finish::{finish, signed_in};
use crate::sign_in::page::{first_question_page, problem_with, question_page};
use crate::sign_in::request::Authorization;
use crate::sign_in::{form, redirect};
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
    let answer = match parameters.get("answer", 256) {
        Ok(Some(answer)) if form.question.takes(answer) => answer.to_owned(),
        Ok(Some(_) | None) => return Ok(again(SignInProblem::Incomplete)),
        Err(bad) => return Ok(again(problem_with(bad))),
    };
    // A code has few digits: it is counted like a password, whoever asks.
    let limits = server.limits();
    let attempt = match limits.second_factor(&form.username).await? {
        Ok(attempt) => attempt,
        Err(too_many) => {
            server.tell(Fact::of(EventKind::Throttled).client(&client.id).reason(too_many.limit));
            return Ok(again(SignInProblem::TooManyAttempts(too_many.retry_after)));
        }
    };
    // It was asked, so there was one.
    let second_factor = server.second_factor().ok_or(Reason::Internal)?;
    let factor = SecondFactor {
        username: form.username.clone(),
        answer: answer.into(),
        remembered: form.question.remembered().clone(),
        acr_values: form.request.requirements.acr.clone(),
        language: form.request.requirements.language.clone(),
    };
    let outcome = match second_factor.call(factor).await {
        Ok(signed_in) => signed_in.0,
        Err(why) => {
            tracing::error!(target: "oauth", ?why, "second_factor gave no answer");
            server.tell(Fact::of(EventKind::SecondFactorRefused).client(&client.id).reason("no_answer"));
            limits.forgive(attempt).await?;
            return Ok(again(SignInProblem::TryAgainLater));
        }
    };
    let outcome = match outcome {
        Outcome::Refused => {
            server.tell(Fact::of(EventKind::SecondFactorRefused).client(&client.id).reason("wrong"));
            return Ok(again(SignInProblem::Wrong));
        }
        Outcome::Ask(question) => Err(question),
        Outcome::Done(user) => Ok(user),
    };
    let QuestionForm { once, request, browser, username, began, .. } = form;
    let authorization = Authorization { request, client, destination };
    match outcome {
        Err(question) => {
            limits.forgive(attempt).await?;
            first_question_page(server, authorization, browser, username, began, question).await
        }
        Ok(user) => {
            // Side by side: neither needs the other.
            let (forgiven, spent) = join(limits.forgive(attempt), form::spend::<QuestionForm>(server, &once)).await;
            forgiven.map_err(Reason::from).and(spent)?;
            let (person, view) =
                signed_in(server, http, &authorization.client.id, user, Some(&username), began).await?;
            finish(server, http, authorization, person, &view, By::Page).await
        }
    }
}
