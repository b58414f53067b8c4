//! `POST /login`: the sign-in form comes back, and the browser is sent on with a code.

use actix_web::{HttpRequest, HttpResponse};
use futures_util::future::join;

use crate::error::Reason;
use crate::event::{EventKind, Fact};
use crate::model::code::SignInForm;
use crate::model::form::Parameters;
use crate::model::session::By;
use crate::pages::SignInProblem;
use crate::server::{Server, SignInBy};
use crate::sign_in::finish::{finish, signed_in};
use crate::sign_in::page::{first_question_page, problem_with, sign_in_page};
use crate::sign_in::request::Authorization;
use crate::sign_in::{form, redirect};
use crate::users::{Login, Outcome};

/// Signs a person in.
pub(crate) async fn submit(
    server: &Server,
    http: &HttpRequest,
    parameters: &Parameters<'_>,
) -> Result<HttpResponse, Reason> {
    let SignInForm { request, browser } = form::open::<SignInForm>(server, http, parameters)?.value;
    let authorization = Authorization::of(server, request).await?;
    if parameters.get("cancel", 64)?.is_some() {
        server.tell(Fact::of(EventKind::SignInRefused).client(&authorization.client.id).reason("cancelled"));
        return Ok(redirect::deny(server, &authorization));
    }
    let SignInBy::Function(authenticator) = server.sign_in() else {
        // No page with such a form is shown where users sign in elsewhere.
        return Err(Reason::FormForged);
    };
    let (username, password) = match credentials(parameters) {
        Ok(credentials) => credentials,
        Err(problem) => {
            let username = parameters.get("username", 256).unwrap_or(None).unwrap_or_default();
            return sign_in_page(server, authorization, browser, username, Some(problem));
        }
    };
    let client = &authorization.client.id;
    let limits = server.limits();
    let attempt = match limits.attempt(&username, server.peer(http)).await? {
        Ok(attempt) => attempt,
        Err(too_many) => {
            server.tell(Fact::of(EventKind::Throttled).client(client).reason(too_many.limit));
            warn_of_a_proxy(server, http);
            let problem = SignInProblem::TooManyAttempts(too_many.retry_after);
            return sign_in_page(server, authorization, browser, &username, Some(problem));
        }
    };
    // Before the author's function, which takes its time: a sign-out meanwhile ends this sign-in too.
    let began = server.now();
    let login = Login {
        username: username.clone(),
        password: password.into(),
        acr_values: authorization.request.requirements.acr.clone(),
        language: authorization.request.requirements.language.clone(),
    };
    let outcome = match authenticator.call(login).await {
        Ok(signed_in) => signed_in.0,
        Err(why) => {
            tracing::error!(target: "oauth", ?why, "authenticate gave no answer");
            server.tell(Fact::of(EventKind::SignInRefused).client(client).reason("no_answer"));
            limits.forgive(attempt).await?;
            let problem = SignInProblem::TryAgainLater;
            return sign_in_page(server, authorization, browser, &username, Some(problem));
        }
    };
    let user = match outcome {
        Outcome::Refused => {
            server.tell(Fact::of(EventKind::SignInRefused).client(client).reason("wrong"));
            return sign_in_page(server, authorization, browser, &username, Some(SignInProblem::Wrong));
        }
        Outcome::Ask(question) => {
            limits.forgive(attempt).await?;
            return first_question_page(server, authorization, browser, username, began, question).await;
        }
        Outcome::Done(user) => user,
    };
    // Side by side: neither needs the other.
    let signing_in = signed_in(server, http, client, user, Some(&username), began);
    let (forgiven, person) = join(limits.forgive(attempt), signing_in).await;
    forgiven?;
    let (person, view) = person?;
    finish(server, http, authorization, person, &view, By::Page).await
}

fn credentials(parameters: &Parameters<'_>) -> Result<(String, String), SignInProblem> {
    let read = |name, max_bytes| {
        let value = parameters.get(name, max_bytes).map_err(problem_with)?;
        value.map(str::to_owned).ok_or(SignInProblem::Incomplete)
    };
    Ok((read("username", 256)?, read("password", 1024)?))
}

/// Behind a proxy all users count as one.
fn warn_of_a_proxy(server: &Server, request: &HttpRequest) {
    static ONCE: std::sync::Once = std::sync::Once::new();
    if server.is_behind_a_proxy(request) {
        ONCE.call_once(|| {
            tracing::warn!(
                target: "oauth",
                "every sign-in seems to come from a proxy on this machine, and all share one count of failed attempts: add .client_address(..)"
            );
        });
    }
}
