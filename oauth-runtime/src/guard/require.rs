//! A policy over an `App`, a scope or a resource.

use std::future::{Ready, ready};
use std::rc::Rc;
use std::sync::Arc;

use actix_web::Error;
use actix_web::body::EitherBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};

use crate::guard::answer;
use crate::guard::around::{Around, Rule};
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
    type Transform = Around<Require, S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        #[cfg(feature = "testing")]
        crate::guard::probe::note_wrap(self.policy.0);
        ready(Ok(Around::new(self.clone(), service)))
    }
}

impl Rule for Require {
    async fn answer<S, B>(
        self: Rc<Self>,
        request: ServiceRequest,
        service: Rc<S>,
    ) -> Result<ServiceResponse<EitherBody<B>>, Error>
    where
        S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
        B: 'static,
    {
        let Require { protection, policy } = &*self;
        let is_own = protection.is_own(&request);
        if !is_own {
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
    }
}
