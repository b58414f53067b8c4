//! A policy over an `App`, a scope or a resource.

use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::Error;
use actix_web::body::EitherBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};

use crate::guard::answer;
use crate::guard::decide;
use crate::guard::protection::Protection;
use crate::guard::watch;
use crate::policy::Policy;

/// The middleware of [`OAuthService::require`](crate::OAuthService::require).
#[derive(Clone, Debug)]
pub struct Require {
    protection: Arc<Protection>,
    policy: Policy,
}

impl Require {
    pub(crate) fn new(protection: &Arc<Protection>, policy: Policy) -> Self {
        Require { protection: Arc::clone(protection), policy }
    }
}

impl<S, B> Transform<S, ServiceRequest> for Require
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = Required<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        #[cfg(feature = "testing")]
        crate::guard::probe::note_wrap(self.policy.0);
        ready(Ok(Required { protection: Arc::clone(&self.protection), policy: self.policy, service: Rc::new(service) }))
    }
}

/// A service behind a policy.
pub struct Required<S> {
    protection: Arc<Protection>,
    policy: Policy,
    service: Rc<S>,
}

impl<S> std::fmt::Debug for Required<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Required").field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl<S, B> Service<ServiceRequest> for Required<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let (protection, policy, service) = (Arc::clone(&self.protection), self.policy, Rc::clone(&self.service));
        Box::pin(async move {
            let is_own = protection.is_own(&request);
            if !is_own {
                // Borrowed, since actix routes only a request that nobody else holds.
                let protection = protection.at(request.request());
                let admitted = decide::decide(request.request(), protection, policy.0).await;
                watch::note(request.request(), policy.0, admitted.as_ref().err());
                if let Err(refusal) = admitted {
                    let response = refusal.into_response(request.request());
                    return Ok(request.into_response(response).map_into_right_body());
                }
            }
            let mut response = service.call(request).await?;
            if !is_own {
                answer::keep_private(response.headers_mut());
            }
            Ok(response.map_into_left_body())
        })
    }
}
