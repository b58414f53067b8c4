//! A policy over an `App`, a scope or a resource.

use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::Error;
use actix_web::body::EitherBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};

use crate::guard::decide;
use crate::guard::protection::Protection;
use crate::policy::Policy;
use crate::server::OAuthService;

impl OAuthService {
    /// Puts a policy over all that an `App`, a scope or a resource has.
    ///
    /// ```
    /// use actix_web::{App, web};
    /// use oauth_runtime::policy;
    /// # use oauth_runtime::{Client, Login, OAuthService};
    /// # let oauth = OAuthService::builder().issuer("http://127.0.0.1:8000").client(Client::public("demo")
    /// #     .redirect_uri("http://127.0.0.1/")).authenticate_blocking(|_: Login| Some(serde_json::json!({})))
    /// #     .build().unwrap();
    ///
    /// let admin = web::scope("/admin").wrap(oauth.require(policy!(role = "admin")));
    /// let app = App::new().configure(oauth.routes()).service(admin);
    /// # let _ = app;
    /// ```
    ///
    /// The server's own addresses pass it, so that signing in is possible below an `App` that is wrapped whole. A CORS
    /// preflight does not: it has no token, so put the CORS layer around this one. Guards on the handlers decide after it,
    /// and decide for themselves.
    #[must_use]
    pub fn require(&self, policy: Policy) -> Require {
        Require { protection: Arc::clone(&self.0.protection), policy }
    }
}

/// The middleware of [`OAuthService::require`].
#[derive(Clone, Debug)]
pub struct Require {
    pub(crate) protection: Arc<Protection>,
    pub(crate) policy: Policy,
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
            if !is_own(&request, &protection) {
                // Borrowed, since actix routes only a request that nobody else holds.
                let admitted = decide::decide(request.request(), &protection, policy.0).await;
                #[cfg(feature = "testing")]
                crate::testing::note(request.request(), policy.0, admitted.is_ok());
                if let Err(refusal) = admitted {
                    let response = refusal.into_response(request.request());
                    return Ok(request.into_response(response).map_into_right_body());
                }
            }
            service.call(request).await.map(ServiceResponse::map_into_left_body)
        })
    }
}

/// An `App` without the server's routes has handlers of its own at such a path, or nothing.
fn is_own(request: &ServiceRequest, protection: &Arc<Protection>) -> bool {
    let mounted = request.app_data::<Arc<Protection>>().is_some_and(|mounted| Arc::ptr_eq(mounted, protection));
    mounted && protection.is_own_path(request.path())
}
