//! The guard on a handler: a request is decided before anything else of it is touched.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;

use actix_web::dev::Payload;
use actix_web::error::InternalError;
use actix_web::http::{StatusCode, header};
use actix_web::{Error, FromRequest, HttpMessage as _, HttpRequest, HttpResponse};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::error::{Reason, Wire};
use crate::keys::Verified;
use crate::model::claims::REGISTERED;
use crate::model::{Scope, Timestamp};
use crate::policy::Rule;
use crate::service::OAuthService;

/// One guard, as the macro writes it into the handler's body.
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

/// A handler's arguments before the guard has decided: the request and its body, untouched.
///
/// Actix polls all extractors of a handler together, so the macro makes one of them.
pub struct Guarded<E> {
    request: HttpRequest,
    payload: Payload,
    arguments: PhantomData<fn() -> E>,
}

impl<E> Guarded<E> {
    /// Decides: token, then policy. Only then the handler's own extractors run.
    ///
    /// # Errors
    /// The refusal, or the error of an extractor.
    pub async fn admit(mut self, guard: &'static Guard) -> Result<E, Error>
    where
        E: FromRequest,
    {
        if let Err(reason) = decide(&self.request, guard).await {
            return Err(Refusal::new(reason).into_error(Some(guard), &self.request));
        }
        E::from_request(&self.request, &mut self.payload).await.map_err(Into::into)
    }
}

impl<E: 'static> FromRequest for Guarded<E> {
    type Error = Error;
    type Future = std::future::Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        std::future::ready(Ok(Guarded { request: request.clone(), payload: payload.take(), arguments: PhantomData }))
    }
}

async fn decide(request: &HttpRequest, guard: &Guard) -> Result<(), Reason> {
    let verified = verified(request).await?;
    let decision = guard.rule.decide(&verified.claims);
    if decision.admits() { Ok(()) } else { Err(Reason::PolicyRefused(guard.rule.scope())) }
}

/// The request's token, verified once however many guards and extractors ask.
async fn verified(request: &HttpRequest) -> Result<Rc<Verified>, Reason> {
    let once = {
        let mut extensions = request.extensions_mut();
        match extensions.get::<Rc<Once>>() {
            Some(once) => Rc::clone(once),
            None => {
                let once = Rc::<Once>::default();
                extensions.insert(Rc::clone(&once));
                once
            }
        }
    };
    once.get_or_init(|| verify(request)).await.clone()
}

type Once = OnceCell<Result<Rc<Verified>, Reason>>;

async fn verify(request: &HttpRequest) -> Result<Rc<Verified>, Reason> {
    let oauth = OAuthService::of(request)?;
    let service = &oauth.0;
    let verified = service.keys.verify(bearer(request)?, &service.expected, oauth.now())?;
    let token = &verified.registered;
    // A store that forgot what was revoked takes nothing from before.
    if token.issued_at <= service.store.birth().await? {
        return Err(Reason::TokenForgotten);
    }
    if let Some(grant) = &token.grant
        && service.store.is_revoked(grant).await?
    {
        return Err(Reason::TokenRevoked);
    }
    if service.store.not_before(&token.subject).await?.is_some_and(|not_before| token.issued_at <= not_before) {
        return Err(Reason::TokenRevoked);
    }
    Ok(Rc::new(verified))
}

/// The token of the `Authorization` header; from nowhere else (RFC 9700 §4.3.2, OAuth 2.1 §5.1).
fn bearer(request: &HttpRequest) -> Result<&str, Reason> {
    let mut headers = request.headers().get_all(header::AUTHORIZATION);
    let value = match (headers.next(), headers.next()) {
        (None, _) => return Err(Reason::TokenMissing),
        (Some(value), None) => value.to_str().map_err(|_| Reason::AuthorizationMalformed)?,
        (Some(_), Some(_)) => return Err(Reason::AuthorizationMalformed),
    };
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    // RFC 9110 §11.1: the scheme is compared without case
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Reason::TokenMissing);
    }
    let token = token.trim_start_matches(' ');
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    // RFC 6750 §2.1: b64token
    if token.is_empty() || !token.bytes().all(is_token) {
        return Err(Reason::AuthorizationMalformed);
    }
    Ok(token)
}

/// A guard's refusal, for [`crate::Builder::refusal_body`].
#[derive(Clone, Debug)]
pub struct Refusal {
    reason: Reason,
}

impl Refusal {
    pub(crate) fn new(reason: Reason) -> Self {
        Refusal { reason }
    }

    /// 401 without a good token, 403 where the policy refuses, 400 for a broken header, 500 and 503 for ours.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.reason.wire().status
    }

    /// The error code of RFC 6750 §3.1; none where the request had no token.
    #[must_use]
    pub fn error(&self) -> Option<&'static str> {
        self.reason.wire().code.map(crate::error::Code::as_str)
    }

    /// What to change, in English.
    #[must_use]
    pub fn description(&self) -> String {
        self.reason.wire().text
    }

    /// The scope that the policy asks for; empty if it asks for none.
    #[must_use]
    pub fn scope(&self) -> Scope {
        if let Reason::PolicyRefused(scope) = &self.reason { scope.clone() } else { Scope::default() }
    }

    pub(crate) fn into_error(self, guard: Option<&'static Guard>, request: &HttpRequest) -> Error {
        tracing::info!(
            target: "oauth",
            reason = ?self.reason,
            policy = guard.map(|guard| guard.policy),
            handler = guard.map(|guard| guard.handler),
            "request refused"
        );
        let response = self.response(request);
        InternalError::from_response(self.description(), response).into()
    }

    fn response(&self, request: &HttpRequest) -> HttpResponse {
        let Wire { status, code, text } = self.reason.wire();
        let service = request.app_data::<OAuthService>();
        let body = service.and_then(|oauth| oauth.0.refusal_body.as_ref());
        let mut response = match body {
            Some(body) => body(self, request),
            None => {
                let mut json = json!({ "error_description": text });
                if let Some(code) = code {
                    json["error"] = json!(code.as_str());
                }
                HttpResponse::build(status).json(json)
            }
        };
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
        if let Some(challenge) = service.and_then(|oauth| self.challenge(oauth)) {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
            // So that a page of another origin, let in by the author's CORS layer, can read it.
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, header::HeaderValue::from_static("WWW-Authenticate"));
        }
        crate::endpoints::answer::retry_after(&mut response, &self.reason);
        response
    }

    /// RFC 6750 §3: what a client needs to do better.
    fn challenge(&self, oauth: &OAuthService) -> Option<header::HeaderValue> {
        let Wire { status, code, text } = self.reason.wire();
        if status.is_server_error() {
            return None;
        }
        let mut challenge = format!("Bearer realm=\"{}\"", oauth.0.issuer.as_str());
        if let Some(code) = code {
            challenge.push_str(&format!(", error=\"{}\", error_description=\"{text}\"", code.as_str()));
        }
        let scope = self.scope();
        if !scope.is_empty() {
            challenge.push_str(&format!(", scope=\"{scope}\""));
        }
        header::HeaderValue::from_str(&challenge).ok()
    }
}

/// The custom claims of the request's token, and its `sub`, as a type of your own or as JSON.
///
/// Needs no guard: without a good token the answer is 401. Claims that are not a `T` are refused with 403.
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
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let refuse = |reason| Refusal::new(reason).into_error(None, &request);
            let verified = verified(&request).await.map_err(refuse)?;
            let custom = verified.claims.iter().filter(|(name, _)| !REGISTERED.contains(&name.as_str()));
            let custom = custom.map(|(name, value)| (name.clone(), value.clone())).collect();
            T::deserialize(Value::Object(custom)).map(Claims).map_err(|error| {
                tracing::warn!(target: "oauth", %error, wanted = std::any::type_name::<T>(), "claims of another shape");
                refuse(Reason::ClaimsOfAnotherShape)
            })
        })
    }
}

/// The registered claims of the request's token (RFC 9068 §2.2). Needs no guard: without a good token, 401.
#[derive(Clone, Debug)]
pub struct AccessToken(Rc<Verified>);

impl AccessToken {
    /// `sub`: who signed in.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.0.registered.subject
    }

    /// `iss`: who issued the token.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.0.registered.issuer
    }

    /// `aud`: whom it is for.
    pub fn audience(&self) -> impl Iterator<Item = &str> {
        self.0.registered.audience.iter().map(String::as_str)
    }

    /// `exp`: from when on it is refused.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.0.registered.expires_at
    }

    /// `iat`: when it was issued.
    #[must_use]
    pub fn issued_at(&self) -> Timestamp {
        self.0.registered.issued_at
    }

    /// `jti`: its own id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.registered.id
    }

    /// `client_id`: the application that it was issued to.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.0.registered.client_id
    }

    /// `scope`: what the application may do; empty if nothing was granted.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.0.registered.scope
    }
}

impl FromRequest for AccessToken {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let refuse = |reason| Refusal::new(reason).into_error(None, &request);
            verified(&request).await.map(AccessToken).map_err(refuse)
        })
    }
}
