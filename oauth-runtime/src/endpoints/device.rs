//! `GET` and `POST /device`: a user types the code that a device shows, and decides what it may do (RFC 8628 §3.3).

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};

use crate::error::Reason;
use crate::event::{EventKind, Fact};
use crate::model::code::DeviceForm;
use crate::model::form::Parameters;
use crate::model::session::{By, Session};
use crate::model::user_code::UserCode;
use crate::pages::{DevicePage, SignInProblem};
use crate::response::document;
use crate::server::Server;
use crate::server::paths::Url;
use crate::sign_in::begin::{Presented, begin};
use crate::sign_in::browser::Browser;
use crate::sign_in::page::{status_of, with_problem};
use crate::sign_in::{for_device, form, language};

/// Shows the page, or accepts the code.
pub(crate) async fn respond(
    server: &Server,
    http: &HttpRequest,
    parameters: &Parameters<'_>,
) -> Result<HttpResponse, Reason> {
    let typed = parameters.get("user_code", MAX_TYPED_BYTES)?.unwrap_or_default();
    if http.method() == Method::POST {
        form::open::<DeviceForm>(server, http, parameters)?;
        return entered(server, http, typed).await;
    }
    // A user who was sent back here with an error.
    if parameters.get("error", 64)?.is_some() {
        return Ok(for_device::done(server, language::of(http, server), false));
    }
    page(server, http, typed, None)
}

/// Continues with the request of the device as with one from a browser: this alone allows nothing.
async fn entered(server: &Server, http: &HttpRequest, typed: &str) -> Result<HttpResponse, Reason> {
    let Some(code) = UserCode::parse(typed) else {
        return page(server, http, typed, Some(SignInProblem::Wrong));
    };
    // RFC 8628 §5.1: before it is looked up
    let attempt = match server.limits().user_code(&server.client_address().networks(http)).await? {
        Ok(attempt) => attempt,
        Err(too_many) => {
            server.tell(Fact::of(EventKind::Throttled).reason(too_many.limit));
            server.client_address().warn_of_a_proxy(http);
            return page(server, http, typed, Some(SignInProblem::TooManyAttempts(too_many.retry_after)));
        }
    };
    let found = for_device::waits(server, code, language::asked(http, server, None)).await;
    if !matches!(found, Ok(None)) {
        // It is right, or was not looked up.
        server.limits().forgive(attempt).await?;
    }
    let Some(authorization) = found? else {
        server.tell(Fact::of(EventKind::UserCodeRefused).reason("wrong"));
        return page(server, http, typed, Some(SignInProblem::Wrong));
    };
    let session = Presented { shown: Session::of(http, server).await?, may_speak: true };
    begin(server, http, authorization, session, By::Session).await
}

fn page(
    server: &Server,
    http: &HttpRequest,
    typed: &str,
    problem: Option<SignInProblem>,
) -> Result<HttpResponse, Reason> {
    let browser = Browser::of(http, server);
    let sealed = form::seal(server, &DeviceForm { browser: browser.hash().to_owned() })?;
    let shown = UserCode::parse(typed).map_or_else(|| typed.to_owned(), |code| code.to_string());
    let html = server.pages().device(&DevicePage {
        brand: server.brand(),
        texts: language::of(http, server),
        action: server.path(Url::Device),
        request: &sealed,
        user_code: &shown,
        problem,
    });
    // A code is not a password: there is nothing to authenticate with.
    let status = match status_of(problem) {
        StatusCode::UNAUTHORIZED => StatusCode::BAD_REQUEST,
        status => status,
    };
    let mut response = with_problem(document(status, html, ""), problem);
    browser.remember(http, &mut response, server);
    Ok(response)
}

const MAX_TYPED_BYTES: usize = 64;
