//! What a handler learns about its caller.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::dev::Payload;
use actix_web::{Error, FromRequest, HttpRequest};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::Reason;
use crate::guard::bearer::{self, Lookup};
use crate::guard::decide::{self, Parsed};
use crate::guard::found;
use crate::guard::near::Known;
use crate::guard::protection::Protection;
use crate::guard::refusal::Refusal;
use crate::keys::Verified;
use crate::model::{Scope, Timestamp};
use crate::policy::{self, Guard, Policy};

/// The custom claims of the request's token, and its `sub`, as a type of your own or as JSON.
///
/// Needs no guard: without a valid token the answer is 401. Claims that are not a `T` are refused with 403, and the log
/// says which field does not fit. If a guard is a pattern of `T`, this is the value that it matched.
///
/// These are all claims of the user, whatever scope was granted: a handler that answers with them
/// [tells a third party too](macro@crate::require_token#any-valid-token-is-one-of-a-third-party-too).
///
/// ```
/// use oauth_runtime::Claims;
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct User { sub: String, role: String }
///
/// #[oauth_runtime::require_token]
/// #[actix_web::get("/me")]
/// async fn me(Claims(user): Claims<User>) -> String {
///     format!("{} is {}", user.sub, user.role)
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claims<T = Value>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Claims<T> {
    type Error = Error;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        Extracted::new(request, |request, protection, verified| {
            match Parsed::take(request, &verified).map(|parsed| parsed.downcast::<T>()) {
                Some(Ok(claims)) => return Ok(Claims(*claims)),
                Some(Err(of_another_type)) => Parsed::keep(request, &verified, of_another_type),
                None => {}
            }
            policy::read(verified.claimed()).map(Claims).map_err(|misfit| {
                tracing::warn!(target: "oauth", misfit, "claims of another shape");
                protection.refusal(Reason::ClaimsOfAnotherShape).to(&verified)
            })
        })
    }
}

/// The registered claims of the request's token (RFC 9068 §2.2). Needs no guard: without a valid token the answer is
/// 401.
///
/// ```
/// use oauth_runtime::AccessToken;
///
/// #[oauth_runtime::require_token]
/// #[actix_web::get("/me")]
/// async fn me(token: AccessToken) -> String {
///     let methods: Vec<&str> = token.amr().collect();
///     format!("{} signed in by {methods:?} at {:?}", token.subject(), token.auth_time())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct AccessToken {
    verified: Arc<Verified>,
    protection: Arc<Protection>,
    /// The guard of the handler, for the log.
    within: Option<&'static Guard>,
}

impl AccessToken {
    /// Decides a policy within a handler, if it depends on what only the handler knows.
    ///
    /// ```
    /// use oauth_runtime::{AccessToken, Refusal, policy};
    ///
    /// #[oauth_runtime::require_token]
    /// #[actix_web::delete("/notes/{id}")]
    /// async fn delete(token: AccessToken) -> Result<&'static str, Refusal> {
    ///     let shared = true; // asked of the database
    ///     if shared {
    ///         token.satisfies(policy!(role = "admin"))?;
    ///     }
    ///     Ok("deleted")
    /// }
    /// ```
    ///
    /// # Errors
    /// The refusal. Returned as a handler's error, it becomes the answer that a guard gives, with a JSON body.
    pub fn satisfies(&self, policy: Policy) -> Result<(), Refusal> {
        decide::decide_claims(&self.verified, &self.protection, policy.0, self.within)
    }

    /// `sub`: who signed in.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.verified.registered.texts().subject
    }

    /// `iss`: who issued the token.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.verified.registered.texts().issuer
    }

    /// `aud`: the resources that it is for.
    pub fn audience(&self) -> impl Iterator<Item = &str> {
        self.verified.registered.audience.iter().map(String::as_str)
    }

    /// `exp`: the time from which it is refused.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.verified.registered.expires_at
    }

    /// `iat`: when it was issued.
    #[must_use]
    pub fn issued_at(&self) -> Timestamp {
        self.verified.registered.issued_at
    }

    /// `jti`: its own id.
    #[must_use]
    pub fn id(&self) -> &str {
        self.verified.registered.texts().id
    }

    /// `client_id`: the application that it was issued to.
    #[must_use]
    pub fn client_id(&self) -> &str {
        self.verified.registered.texts().client_id
    }

    /// `auth_time`: when the user was authenticated. `None` for a client in its own name.
    #[must_use]
    pub fn auth_time(&self) -> Option<Timestamp> {
        self.verified.registered.signed_in_at
    }

    /// `amr`: by which methods the user was authenticated (RFC 8176), such as `pwd` and `otp`; empty if not known.
    pub fn amr(&self) -> impl Iterator<Item = &str> {
        self.verified.others.get("amr").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    /// `acr`: how strongly the user was authenticated, as [`SignIn::acr`](crate::SignIn::acr) named it.
    #[must_use]
    pub fn acr(&self) -> Option<&str> {
        self.verified.others.get("acr").and_then(Value::as_str)
    }

    /// `sid`: the session in which the user signed in, the same for all tokens of that session; `None` without
    /// sessions.
    #[must_use]
    pub fn session_id(&self) -> Option<&str> {
        self.verified.registered.texts().session
    }

    /// `scope`: what the application may do; empty if nothing was granted.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.verified.registered.scope
    }
}

impl FromRequest for AccessToken {
    type Error = Error;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        Extracted::new(request, |request, protection, verified| {
            if verified.is_session {
                tracing::warn!(
                    target: "oauth",
                    "a handler below oauth.pages() has an AccessToken among its arguments, and a user in a browser has none: take \
                     Claims<..> there, or the handler out of the pages"
                );
                return Err(protection.refusal(Reason::TokenNeeded).on_page());
            }
            let (verified, protection) = (verified.into_shared(), Arc::clone(protection));
            Ok(AccessToken { verified, protection, within: found::guard_of(request) })
        })
    }
}

/// The future of the extractors: ready at once, unless the store has to be awaited.
pub struct Extracted<T>(Extraction<T>);

enum Extraction<T> {
    Now(Option<Result<T, Error>>),
    Later(Pin<Box<dyn Future<Output = Result<T, Error>>>>),
}

impl<T: 'static> Extracted<T> {
    fn new(
        request: &HttpRequest,
        read: impl FnOnce(&HttpRequest, &Arc<Protection>, Known) -> Result<T, Refusal> + 'static,
    ) -> Self {
        let protection = match Protection::of(request) {
            Ok(protection) => protection,
            Err(reason) => return Extracted::now(Err(Refusal::new(reason, None).into_error(request))),
        };
        let finish = |request: &HttpRequest, protection: &Arc<Protection>, verified: Result<Known, Reason>| {
            verified
                .map_err(|reason| protection.refusal(reason))
                .and_then(|verified| read(request, protection, verified))
                .map_err(|refusal| refusal.into_error(request))
        };
        if let Some(verified) = found::of(request) {
            return Extracted::now(finish(request, protection, Ok(verified)));
        }
        match bearer::without_waiting(request, protection) {
            Lookup::Decided(verified) => Extracted::now(finish(request, protection, verified)),
            Lookup::Pending(standing) => {
                let (request, protection) = (request.clone(), Arc::clone(protection));
                let later = async move { finish(&request, &protection, standing.decided().await.map(Known::Shared)) };
                Extracted(Extraction::Later(Box::pin(later)))
            }
            Lookup::KeysMissing(_) => {
                let (request, protection) = (request.clone(), Arc::clone(protection));
                let later = async move {
                    let verified = bearer::of_request(&request, &protection).await.map(Known::Shared);
                    finish(&request, &protection, verified)
                };
                Extracted(Extraction::Later(Box::pin(later)))
            }
        }
    }

    fn now(result: Result<T, Error>) -> Self {
        Extracted(Extraction::Now(Some(result)))
    }
}

// Its content is moved out, never pinned.
impl<T> Unpin for Extracted<T> {}

impl<T> Future for Extracted<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Extraction::Now(result) => match result.take() {
                Some(result) => Poll::Ready(result),
                // Polled after it was ready: it never wakes, as the contract of `Future` leaves open.
                None => Poll::Pending,
            },
            Extraction::Later(future) => future.as_mut().poll(context),
        }
    }
}

impl<T> std::fmt::Debug for Extracted<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Extracted")
    }
}
