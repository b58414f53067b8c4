//! The frame of a middleware whose rule decides what happens to a request.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use actix_web::Error;
use actix_web::body::EitherBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, forward_ready};

/// Decides whether a request goes on to the inner service, and what its answer is.
///
/// It borrows the request as long as it decides, since actix routes only one that no other holds.
pub trait Rule: fmt::Debug + 'static {
    /// The answer: on the left that of the inner service, on the right one of its own.
    fn answer<S, B>(
        self: Rc<Self>,
        request: ServiceRequest,
        service: Rc<S>,
    ) -> impl Future<Output = Result<ServiceResponse<EitherBody<B>>, Error>> + 'static
    where
        S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
        B: 'static;
}

/// A service behind a rule.
pub struct Around<R, S> {
    rule: Rc<R>,
    service: Rc<S>,
}

impl<R, S> Around<R, S> {
    pub(crate) fn new(rule: R, service: S) -> Self {
        Around { rule: Rc::new(rule), service: Rc::new(service) }
    }
}

impl<R: fmt::Debug, S> fmt::Debug for Around<R, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Around").field("rule", &self.rule).finish_non_exhaustive()
    }
}

impl<R, S, B> Service<ServiceRequest> for Around<R, S>
where
    R: Rule,
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        Box::pin(Rc::clone(&self.rule).answer(request, Rc::clone(&self.service)))
    }
}
