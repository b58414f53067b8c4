//! Responses: pages, redirects, and JSON that no cache keeps.

use actix_web::http::header::HeaderValue;
use actix_web::http::{StatusCode, header};
use actix_web::web::Bytes;
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use serde_json::json;

use crate::error::{Reason, Wire};
use crate::model::redirect_uri::{Destination, OF_ANSWERS};
#[cfg(feature = "testing")]
use crate::pages::SignInProblem;
use crate::pages::{Back, ErrorPage, PageError, SignInAt, Texts, Trouble};
use crate::server::Server;
use crate::store::StoreError;

/// A page, with the headers that every page has. `form_target` is the origin to which its form leads.
pub(crate) fn document(status: StatusCode, html: Result<String, PageError>, form_target: &str) -> HttpResponse {
    let (status, kind, body) = match html {
        Ok(html) => (status, header::ContentType::html(), html),
        Err(error) => {
            tracing::error!(target: "oauth", %error, "a page could not be rendered");
            let told = "The page could not be rendered. The log of the server says why.";
            (StatusCode::INTERNAL_SERVER_ERROR, header::ContentType::plaintext(), told.to_owned())
        }
    };
    HttpResponse::build(status)
        .insert_header(kind)
        .insert_header((header::CACHE_CONTROL, NO_STORE))
        .insert_header((header::REFERRER_POLICY, NO_REFERRER))
        .insert_header((header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")))
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            // Chromium applies form-action to the redirect after a form: the client's origin must be in it.
            format!(
                "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' {form_target}; \
                 frame-ancestors 'none'; base-uri 'none'"
            ),
        ))
        .body(body)
}

/// What a person was doing when an error occurred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doing {
    SigningIn,
    SigningOut,
    /// They visited a page of the application itself.
    Visiting,
}

/// The way from an error page back to the client.
pub(crate) struct WayBack {
    pub(crate) client: String,
    /// The registered URI, with an error for the client.
    pub(crate) href: String,
    /// The language that the client asked for.
    pub(crate) language: Option<String>,
}

/// The page for an error that must not be sent to a client (RFC 6749 §4.1.2.1).
pub(crate) fn error_page(
    server: &Server,
    texts: &Texts,
    doing: Doing,
    reason: &Reason,
    back: Option<&WayBack>,
) -> HttpResponse {
    let back = back.map(|back| Back { client: &back.client, href: &back.href });
    page_of_error(server, texts, doing, reason, (back, None))
}

/// The page that replaces one of the application, with the way to the sign-in page.
pub(crate) fn page_not_shown(server: &Server, texts: &Texts, reason: &Reason, sign_in: Option<&str>) -> HttpResponse {
    let label = match reason.trouble() {
        Trouble::NotForAccount => &texts.other_account,
        _ => &texts.sign_in,
    };
    let sign_in = sign_in.map(|href| SignInAt { label, href });
    page_of_error(server, texts, Doing::Visiting, reason, (None, sign_in))
}

fn page_of_error(
    server: &Server,
    texts: &Texts,
    doing: Doing,
    reason: &Reason,
    (back, sign_in): (Option<Back<'_>>, Option<SignInAt<'_>>),
) -> HttpResponse {
    let Wire { status, text, .. } = reason.wire();
    let title = match (doing, status.as_u16()) {
        (Doing::SigningIn, ..500) => &texts.cannot_go_on,
        (Doing::Visiting, ..500) => &texts.page_not_shown,
        (Doing::SigningIn | Doing::Visiting, _) => &texts.went_wrong,
        // Whatever it was, they must know that they are not signed out.
        (Doing::SigningOut, _) => &texts.cannot_sign_out,
    };
    let page = ErrorPage {
        brand: server.brand(),
        texts,
        status: status.as_u16(),
        title,
        happened: texts.trouble(reason.trouble()),
        detail: &text,
        back,
        sign_in,
    };
    let mut response = document(status, server.pages().error(&page), "");
    #[cfg(feature = "testing")]
    {
        response = shown(response, Step::Error { detail: text.into_owned() }, "");
    }
    reason.set_retry_after(&mut response);
    response
}

/// What a page shows, for a test in this process, since its HTML may be the author's own.
#[cfg(feature = "testing")]
#[derive(Clone)]
pub(crate) struct Shown {
    pub(crate) step: Step,
    /// The sealed form.
    pub(crate) request: String,
}

/// What a page asks for.
#[cfg(feature = "testing")]
#[derive(Clone)]
pub(crate) enum Step {
    SignIn { problem: Option<SignInProblem> },
    Question { question: String, problem: Option<SignInProblem> },
    Consent { scope: String },
    Error { detail: String },
}

/// Notes for a test what a page shows.
#[cfg(feature = "testing")]
pub(crate) fn shown(mut page: HttpResponse, step: Step, request: &str) -> HttpResponse {
    page.extensions_mut().insert(Shown { step, request: request.to_owned() });
    page
}

/// Sends the browser on by GET: 303, so that it never posts a password there (RFC 9700 §4.12).
pub(crate) fn see_other(location: String) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, location))
        .insert_header((header::CACHE_CONTROL, NO_STORE))
        .insert_header((header::REFERRER_POLICY, NO_REFERRER))
        .finish()
}

/// How many bytes of headers may be added before a proxy refuses them, including those of every answer.
pub(crate) fn room_left(response: &HttpResponse) -> usize {
    let bytes = response.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + AROUND_A_HEADER);
    HEAD_BYTES.saturating_sub(bytes.sum::<usize>())
}

/// Sends the browser to the client with the answer to its authorization request.
pub(crate) fn redirect(
    server: &Server,
    to: &Destination,
    state: Option<&str>,
    answer: &[(&str, &str)],
) -> HttpResponse {
    see_other(answered(server, to, state, answer))
}

/// The URL with the answer to a client's authorization request.
pub(crate) fn answered(server: &Server, to: &Destination, state: Option<&str>, answer: &[(&str, &str)]) -> String {
    let mut parameters = answer.to_vec();
    if let Some(state) = state {
        parameters.push(("state", state));
    }
    // RFC 9207 §2: on success and on error
    parameters.push(("iss", server.issuer().as_str()));
    debug_assert!(
        parameters.iter().all(|(name, _)| OF_ANSWERS.contains(name)),
        "no redirect URI has a parameter of the answer"
    );
    to.with(&parameters)
}

/// An error in JSON (RFC 6749 §5.2).
pub(crate) fn json_error(reason: &Reason) -> HttpResponse {
    let Wire { status, code, text } = reason.wire();
    let mut response = not_stored(HttpResponse::build(status))
        .json(json!({ "error": code.map(|code| code.as_str()), "error_description": text }));
    if status == StatusCode::UNAUTHORIZED {
        challenge_client(&mut response);
    }
    reason.set_retry_after(&mut response);
    response
}

impl ResponseError for StoreError {
    fn status_code(&self) -> StatusCode {
        StatusCode::SERVICE_UNAVAILABLE
    }

    /// Its text may have addresses and names of the engine's: that is for the log.
    fn error_response(&self) -> HttpResponse {
        tracing::warn!(target: "oauth", why = %self, "a handler returned an error of the store");
        json_error(&Reason::StoreUnavailable)
    }
}

/// RFC 6749 §5.2: the scheme that the client used, or could use.
pub(crate) fn challenge_client(response: &mut HttpResponse) {
    let challenge = HeaderValue::from_static("Basic realm=\"token\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
}

/// RFC 6749 §5.1: neither the tokens nor the errors of the token endpoint are kept by a cache.
pub(crate) fn not_stored(mut response: HttpResponseBuilder) -> HttpResponseBuilder {
    response
        .insert_header((header::CACHE_CONTROL, NO_STORE))
        .insert_header((header::PRAGMA, HeaderValue::from_static("no-cache")));
    response
}

/// A document that caches may keep for five minutes: metadata and keys.
pub(crate) fn public_json(document: Bytes) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300")))
        .insert_header(header::ContentType::json())
        .body(document)
}

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");
/// How many bytes of status line and headers nginx accepts by default (`proxy_buffer_size`).
const HEADER_BLOCK: usize = 4096;
/// The status line, `Date`, `Content-Length` and the empty line are 82 bytes; the rest is for what an application adds to
/// each answer, such as `Strict-Transport-Security`.
const OF_EVERY_ANSWER: usize = 256;
/// What is left for the other headers.
pub(crate) const HEAD_BYTES: usize = HEADER_BLOCK - OF_EVERY_ANSWER;
/// The colon, the space, and the end of the line.
pub(crate) const AROUND_A_HEADER: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn has(response: &HttpResponse, headers: &[(&str, &str)]) {
        for (name, value) in headers {
            let found = response.headers().get(*name).and_then(|found| found.to_str().ok());
            assert_eq!(found, Some(*value), "{name}");
        }
    }

    #[test]
    fn c30_c33_every_page_and_every_redirect_has_the_headers_that_keep_it_to_itself() {
        let failed = || Err("the author's template has a mistake".into());
        for (html, status, kind) in [
            (Ok(String::new()), StatusCode::OK, "text/html; charset=utf-8"),
            // An answer of the author's pages that could not be made is no way around them.
            (failed(), StatusCode::INTERNAL_SERVER_ERROR, "text/plain; charset=utf-8"),
        ] {
            let page = document(StatusCode::OK, html, "https://app.example");
            assert_eq!(page.status(), status);
            has(
                &page,
                &[
                    ("content-type", kind),
                    ("cache-control", "no-store"),
                    ("referrer-policy", "no-referrer"),
                    ("x-frame-options", "DENY"),
                    ("x-content-type-options", "nosniff"),
                    (
                        "content-security-policy",
                        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' https://app.example; \
                         frame-ancestors 'none'; base-uri 'none'",
                    ),
                ],
            );
        }
        let away = see_other("https://app.example/cb?code=1".to_owned());
        assert_eq!(away.status(), StatusCode::SEE_OTHER);
        has(&away, &[("cache-control", "no-store"), ("referrer-policy", "no-referrer")]);
    }
}
