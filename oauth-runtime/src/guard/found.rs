//! The token that a guard has admitted, for the extractors that run right after it: nothing is decided twice.

use std::cell::RefCell;

use actix_web::HttpRequest;
use actix_web::dev::RequestHead;

use crate::guard::near::Known;
use crate::policy::Guard;

/// Calls extractors, which find the token of this request meanwhile.
pub(crate) fn during<T>(
    request: &HttpRequest,
    guard: &'static Guard,
    verified: Option<Known>,
    extract: impl FnOnce() -> T,
) -> T {
    let found = verified.map(|verified| Found { of: request.head(), guard, verified });
    let _ends = Ends(FOUND.replace(found));
    extract()
}

/// The token of this request, if a guard has just decided it. Middlewares change requests before the guard or after the
/// answer, and only this request gets the token.
pub(crate) fn of(request: &HttpRequest) -> Option<Known> {
    with(request, |found| found.verified.clone())
}

/// The guard that has decided it.
pub(crate) fn guard_of(request: &HttpRequest) -> Option<&'static Guard> {
    with(request, |found| found.guard)
}

fn with<T>(request: &HttpRequest, read: impl FnOnce(&Found) -> T) -> Option<T> {
    let is_this = |found: &&Found| std::ptr::eq(found.of, request.head());
    FOUND.with_borrow(|found| found.as_ref().filter(is_this).map(read))
}

struct Found {
    /// Only compared, never read.
    of: *const RequestHead,
    guard: &'static Guard,
    verified: Known,
}

/// Puts back what was there before, after a panic as well.
struct Ends(Option<Found>);

impl Drop for Ends {
    fn drop(&mut self) {
        FOUND.set(self.0.take());
    }
}

thread_local! {
    static FOUND: RefCell<Option<Found>> = const { RefCell::new(None) };
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use actix_web::test::TestRequest;
    use serde_json::json;

    use super::*;
    use crate::guard::on_page::SIGNED_IN;
    use crate::keys::{Expected, Verified};
    use crate::model::Timestamp;

    fn verified() -> Arc<Verified> {
        let claims = json!({
            "iss": "a", "aud": "a", "sub": "alice", "client_id": "spa", "iat": 900, "exp": 1100, "jti": "1"
        });
        let claims = claims.as_object().expect("an object").clone();
        let now = Timestamp::from_seconds(1_000);
        Arc::new(Verified::parse(claims, &Expected::own("a", "a"), now).expect("all claims of a token"))
    }

    #[test]
    fn it_is_of_one_request_and_for_as_long_as_its_extractors_are_called() {
        let (request, other) = (TestRequest::default().to_http_request(), TestRequest::default().to_http_request());
        let verified = verified();
        during(&request, &SIGNED_IN, Some(Known::Shared(Arc::clone(&verified))), || {
            assert!(of(&request.clone()).is_some_and(|found| std::ptr::eq(&*found, &*verified)));
            assert!(of(&other).is_none());
            assert!(guard_of(&request).is_some() && guard_of(&other).is_none());
            // An extractor that calls a handler of another request, whose guard asks for nothing.
            during(&other, &SIGNED_IN, None, || assert!(of(&request).is_none() && of(&other).is_none()));
            assert!(of(&request).is_some());
        });
        assert!(of(&request).is_none());
        let broken = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            during(&request, &SIGNED_IN, Some(Known::Shared(verified)), || panic!("an extractor breaks"));
        }));
        assert!(broken.is_err() && of(&request).is_none());
    }
}
