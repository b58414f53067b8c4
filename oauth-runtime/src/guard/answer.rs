//! What a guarded handler answers: for this user alone.

use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{Error, HttpRequest, HttpResponse, Responder};

/// What a handler below a guard answers, or why it was not asked.
pub struct Answer<R> {
    answer: Result<R, Error>,
    is_private: bool,
}

impl<R> Answer<R> {
    /// Of the handler.
    pub fn given(answer: R, is_private: bool) -> Self {
        Answer { answer: Ok(answer), is_private }
    }

    /// Of the guard, or of an extractor.
    pub fn refused(error: Error, is_private: bool) -> Self {
        Answer { answer: Err(error), is_private }
    }
}

/// Whatever a `Result` of it is one for: a `()` too, so that a missing answer is refused by the attribute alone.
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

/// RFC 9111 section 5.2.2.7: a cache that many share keeps no answer to a token. It should not by itself, where it sees the
/// header `Authorization` (section 3.5), but caches by the path alone are written every day.
pub(crate) fn keep_private(headers: &mut HeaderMap) {
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private"));
    }
}
