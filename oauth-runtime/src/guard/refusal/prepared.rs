//! Answers that are the same each time, made once: those that cost an attacker the least to trigger.

use std::mem::discriminant;
use std::sync::OnceLock;

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::web::Bytes;

use crate::error::Reason;
use crate::model::Scope;

/// The answers of one resource, made when the first of them is needed.
#[derive(Default)]
pub(crate) struct Prepared(OnceLock<Vec<(Reason, Answer)>>);

/// An answer with a body of our own.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
    pub(super) challenges: Vec<HeaderValue>,
}

impl Prepared {
    /// The answer for this reason, if it has nothing from the request or the policy, and no `Retry-After`.
    pub(super) fn get(&self, reason: &Reason, make: impl Fn(Reason) -> Answer) -> Option<&Answer> {
        let answers = self.0.get_or_init(|| {
            [
                Reason::TokenMissing,
                Reason::TokenMalformed,
                Reason::TokenSignature,
                Reason::TokenExpired,
                Reason::TokenRevoked,
                Reason::TokenForgotten,
                Reason::AuthorizationMalformed,
                Reason::PolicyRefused(Scope::default()),
            ]
            .map(|reason| (reason.clone(), make(reason)))
            .into()
        });
        let is_same = |prepared: &Reason| discriminant(prepared) == discriminant(reason) && prepared == reason;
        answers.iter().find(|(prepared, _)| is_same(prepared)).map(|(_, answer)| answer)
    }
}

impl Answer {
    pub(super) fn response(&self, is_exposed: bool) -> HttpResponse {
        let mut response = HttpResponse::with_body(self.status, BoxBody::new(self.body.clone()));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, NO_STORE);
        say(headers, self.challenges.iter().cloned(), is_exposed.then_some(EXPOSED));
        response
    }
}

/// Writes the challenges, in this order.
pub(super) fn say(
    headers: &mut HeaderMap,
    challenges: impl IntoIterator<Item = HeaderValue>,
    exposed: Option<&'static str>,
) {
    for (at, challenge) in challenges.into_iter().enumerate() {
        if at == 0 {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
            // So that a page of another origin, admitted by the author's CORS layer, can read it.
            if let Some(exposed) = exposed {
                headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(exposed));
            }
        } else {
            headers.append(header::WWW_AUTHENTICATE, challenge);
        }
    }
}

pub(super) const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
/// What a page of another origin may read.
pub(super) const EXPOSED: &str = "WWW-Authenticate";
