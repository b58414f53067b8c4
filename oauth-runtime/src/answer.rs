//! How answers are written: pages, redirects, JSON errors.

use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpResponse, HttpResponseBuilder, http::StatusCode, web};
use serde_json::json;

use crate::error::{Reason, Wire};
use crate::model::redirect_uri::Destination;
use crate::pages::{ErrorPage, PageError, Texts};
use crate::server::OAuthService;

/// A page, with the headers that every page has. `form_target` is the origin that its form leads on to.
pub(crate) fn document(status: StatusCode, html: Result<String, PageError>, form_target: &str) -> HttpResponse {
    let html = match html {
        Ok(html) => html,
        Err(error) => {
            tracing::error!(target: "oauth", %error, "a page could not be made");
            return HttpResponse::InternalServerError()
                .insert_header(header::ContentType::plaintext())
                .insert_header((header::CACHE_CONTROL, "no-store"))
                .body("The page could not be made. The log of the server says why.");
        }
    };
    HttpResponse::build(status)
        .insert_header(header::ContentType::html())
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::X_FRAME_OPTIONS, "DENY"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            // Chromium holds the redirect after a form to form-action: the client's origin has to be in it.
            format!(
                "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' {form_target}; \
                 frame-ancestors 'none'; base-uri 'none'"
            ),
        ))
        .body(html)
}

/// The page for what must not be sent to a client (RFC 6749 §4.1.2.1).
pub(crate) fn error_page(oauth: &OAuthService, texts: &Texts, reason: &Reason) -> HttpResponse {
    let Wire { status, text, .. } = reason.wire();
    let title = match status.as_u16() {
        ..500 => &texts.cannot_go_on,
        _ => &texts.went_wrong,
    };
    let page = ErrorPage { brand: &oauth.0.brand, texts, status: status.as_u16(), title, detail: &text };
    let mut response = document(status, oauth.0.pages.error(&page), "");
    retry_after(&mut response, reason);
    response
}

/// Sends the browser to the client: 303, so that it never posts a password there (RFC 9700 §4.12).
pub(crate) fn redirect(
    oauth: &OAuthService,
    to: &Destination,
    state: Option<&str>,
    answer: &[(&str, &str)],
) -> HttpResponse {
    let mut parameters = answer.to_vec();
    if let Some(state) = state {
        parameters.push(("state", state));
    }
    // RFC 9207 §2: on success and on error
    parameters.push(("iss", oauth.0.issuer.as_str()));
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, to.with(&parameters)))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .finish()
}

/// An error in JSON (RFC 6749 §5.2).
pub(crate) fn json_error(reason: &Reason) -> HttpResponse {
    let Wire { status, code, text } = reason.wire();
    let mut response = not_stored(HttpResponse::build(status))
        .json(json!({ "error": code.map(|code| code.as_str()), "error_description": text }));
    if status == StatusCode::UNAUTHORIZED {
        challenge_client(&mut response);
    }
    retry_after(&mut response, reason);
    response
}

/// RFC 6749 §5.2: the scheme that the client tried, or could try.
pub(crate) fn challenge_client(response: &mut HttpResponse) {
    let challenge = header::HeaderValue::from_static("Basic realm=\"token\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
}

/// RFC 6749 §5.1: neither the tokens nor the errors of the token endpoint are kept by a cache.
pub(crate) fn not_stored(mut response: HttpResponseBuilder) -> HttpResponseBuilder {
    response.insert_header((header::CACHE_CONTROL, "no-store")).insert_header((header::PRAGMA, "no-cache"));
    response
}

pub(crate) fn retry_after(response: &mut HttpResponse, reason: &Reason) {
    if let Some(after) = reason.retry_after() {
        response.headers_mut().insert(header::RETRY_AFTER, after.as_secs().into());
    }
}

/// The body of a form post, up to its limit, if it is a form at all.
pub(crate) async fn form_body(request: &actix_web::HttpRequest, payload: web::Payload) -> Result<web::Bytes, Reason> {
    let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let essence = media_type.split(';').next().unwrap_or("").trim();
    if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(Reason::NotAForm);
    }
    // What it says when it is unpacked is not looked at, so it must not be read as it stands.
    if request.headers().get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return Err(Reason::BodyUnreadable);
    }
    match tokio::time::timeout(SLOWEST_BODY, payload.to_bytes_limited(MAX_BODY_BYTES)).await {
        Ok(Ok(Ok(body))) => Ok(body),
        Ok(Ok(Err(_))) => Err(Reason::BodyUnreadable),
        Ok(Err(_)) => Err(Reason::BodyTooLong),
        Err(_elapsed) => Err(Reason::BodyTooSlow),
    }
}

const MAX_BODY_BYTES: usize = 16 * 1024;
/// A form comes in a packet or two: whoever takes longer than this holds a connection and no more.
const SLOWEST_BODY: Duration = Duration::from_secs(10);
