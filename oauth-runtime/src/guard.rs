//! The guard on a handler. (stub for the macros' author: the decision comes with keys.rs)

use actix_web::dev::Payload;
use actix_web::{Error, FromRequest, HttpRequest};

use crate::policy::Rule;

/// One guard, as the macro writes it beside the handler's body.
#[derive(Debug)]
pub struct Guard {
    /// What it demands.
    pub rule: Rule,
    /// The attribute's arguments as written.
    pub policy: &'static str,
    /// The handler's name.
    pub handler: &'static str,
    /// The handler's module path.
    pub module: &'static str,
    /// The source file.
    pub file: &'static str,
    /// The line of the attribute.
    pub line: u32,
}

/// A handler's arguments before the guard has decided: nothing of the request is touched yet.

pub struct Guarded<E> {
    request: HttpRequest,
    payload: Payload,
    arguments: std::marker::PhantomData<fn() -> E>,
}

impl<E> Guarded<E> {
    /// Decides; only then runs the extractors of the handler's own arguments.
    pub async fn admit(mut self, guard: &'static Guard) -> Result<E, Error>
    where
        E: FromRequest,
    {
        let _ = guard;
        E::from_request(&self.request, &mut self.payload).await.map_err(Into::into)
    }
}

impl<E: 'static> FromRequest for Guarded<E> {
    type Error = Error;
    type Future = std::future::Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        std::future::ready(Ok(Guarded {
            request: request.clone(),
            payload: payload.take(),
            arguments: std::marker::PhantomData,
        }))
    }
}
