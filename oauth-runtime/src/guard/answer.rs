//! The answer of a guarded handler: only for this user.

use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{Error, HttpRequest, HttpResponse, Responder};

/// The answer of a handler below a guard, or why it was not called.
pub struct Answer<R> {
    answer: Result<R, Error>,
    is_private: bool,
}

impl<R> Answer<R> {
    /// The answer of the handler.
    pub fn given(answer: R, is_private: bool) -> Self {
        Answer { answer: Ok(answer), is_private }
    }

    /// The refusal of the guard, or the error of an extractor.
    pub fn refused(error: Error, is_private: bool) -> Self {
        Answer { answer: Err(error), is_private }
    }
}

/// For all types whose `Result` is a responder, even `()`, so that only the attribute refuses a missing answer.
impl<R> Responder for Answer<R>
where
    Result<R, Error>: Responder,
{
    type Body = <Result<R, Error> as Responder>::Body;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse<Self::Body> {
        let mut response = self.answer.respond_to(request);
        if self.is_private {
            keep_private(response.headers_mut());
        }
        response
    }
}

impl<R> std::fmt::Debug for Answer<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Answer")
    }
}

/// RFC 9111 section 5.2.2.7: a shared cache keeps no answer to a token. It should not anyway when it sees the header
/// `Authorization` (section 3.5), but many caches look only at the path.
pub(crate) fn keep_private(headers: &mut HeaderMap) {
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private"));
    }
}
