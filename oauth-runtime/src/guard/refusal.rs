//! How a guard refuses: status, challenge, body, and what the log says.

mod hints;
mod prepared;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::error::InternalError;
use actix_web::http::{StatusCode, header};
use actix_web::web::Bytes;
use actix_web::{Error, HttpRequest, HttpResponse, ResponseError};
use serde::Serialize;

use crate::error::{Code, Reason, Wire};
use crate::guard::own::is_pattern;
use crate::guard::proofs::{ALGORITHMS, DPOP_NONCE, Proofs};
use crate::keys::Verified;
use crate::model::Scope;
use crate::model::issuer::Issuer;
use crate::policy::{Guard, Need};

pub(super) use hints::is_preflight;
use prepared::Answer;
pub(crate) use prepared::Prepared;

/// A guard's refusal: what [`AccessToken::satisfies`](crate::AccessToken::satisfies) returns, and what
/// [`Builder::refusal_body`](crate::Builder::refusal_body) is given. `Display` and `Debug` print its description.
#[derive(Clone)]
pub struct Refusal {
    reason: Reason,
    /// The form of the resource; `None` without one.
    form: Option<Arc<RefusalForm>>,
    decided: Option<Decided>,
    /// The scope that a client without a valid token should ask for.
    asked: Option<Box<Scope>>,
    /// Whether it is a user in a browser who is refused, and not a token.
    is_on_page: bool,
    /// Whether the log has it.
    is_logged: bool,
}

/// Which guard refused, and the terms that decided, if anyone will read them.
#[derive(Clone)]
struct Decided {
    guard: &'static Guard,
    terms: Option<String>,
}

/// Where a valid token is refused, and whose it is, for the log.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// `None` within a handler, which has only the token.
    pub(crate) request: Option<&'a HttpRequest>,
    /// The guard of that handler, if it is known.
    pub(crate) within: Option<&'static Guard>,
    pub(crate) by: Option<&'a Verified>,
}

/// How a resource refuses: what its challenges say, and the author's own body.
pub(crate) struct RefusalForm {
    /// The issuer.
    pub(crate) realm: String,
    pub(crate) resource: Option<Resource>,
    /// How proofs of possession are checked; `None` if there is only one scheme.
    pub(crate) proofs: Option<Arc<Proofs>>,
    pub(crate) body: Option<Arc<RefusalBody>>,
    /// Whether the body has the policy and the terms that decided.
    pub(crate) explains: bool,
    /// Whether this service issues the tokens that it refuses.
    pub(crate) issues: bool,
    /// Answers that are the same each time.
    pub(crate) prepared: Prepared,
}

impl fmt::Debug for RefusalForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefusalForm").field("realm", &self.realm).finish_non_exhaustive()
    }
}

/// The author's own body of a refusal.
pub(crate) type RefusalBody = dyn Fn(&Refusal, &HttpRequest) -> HttpResponse + Send + Sync;

impl Refusal {
    pub(crate) fn new(reason: Reason, form: Option<&Arc<RefusalForm>>) -> Self {
        Refusal { reason, form: form.cloned(), decided: None, asked: None, is_on_page: false, is_logged: false }
    }

    /// Adds the scope that the policy needs if the token is missing or invalid (RFC 6750 §3).
    pub(crate) fn asking(self, scope: impl FnOnce() -> Scope) -> Self {
        if self.status() != StatusCode::UNAUTHORIZED {
            return self;
        }
        let scope = scope();
        Refusal { asked: (!scope.is_empty()).then(|| Box::new(scope)), ..self }
    }

    /// Addresses the refusal: a user in a browser is not told about tokens.
    pub(crate) fn to(self, verified: &Verified) -> Self {
        match (verified.is_session, &self.reason) {
            (true, Reason::PolicyRefused(_)) => Refusal { reason: Reason::UserRefused, ..self }.on_page(),
            (true, _) => self.on_page(),
            (false, _) => self,
        }
    }

    pub(crate) fn on_page(self) -> Self {
        Refusal { is_on_page: true, ..self }
    }

    pub(crate) fn is_on_page(&self) -> bool {
        self.is_on_page
    }

    pub(crate) fn reason(&self) -> &Reason {
        &self.reason
    }

    pub(crate) fn by(self, guard: &'static Guard, terms: String) -> Self {
        Refusal { decided: Some(Decided { guard, terms: Some(terms) }), ..self }
    }

    /// The same, and logged. Putting the terms into words costs more than the rest of a refusal, so it is done only if
    /// they are read.
    pub(crate) fn logged_by(self, guard: &'static Guard, asked: Asked<'_>, terms: impl Fn() -> String) -> Self {
        let is_told = cfg!(feature = "testing") || self.form.as_ref().is_some_and(|form| form.explains);
        let decided = Decided { guard, terms: is_told.then(&terms) };
        let refusal = Refusal { decided: Some(decided), ..self };
        refusal.write_log(asked, || Some(terms()));
        Refusal { is_logged: true, ..refusal }
    }

    /// 401 without a valid token or with too weak a sign-in, 403 if the policy refuses, 400 for a malformed header, 429
    /// in a flood of bad signatures, 500 and 503 for failures of the server.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.reason.wire().status
    }

    /// The error code of RFC 6750 §3.1 or RFC 9470 §3; `None` if the request had no token.
    #[must_use]
    pub fn error(&self) -> Option<&'static str> {
        self.reason.wire().code.map(Code::as_str)
    }

    /// What to change, in English.
    #[must_use]
    pub fn description(&self) -> String {
        self.reason.wire().text.into_owned()
    }

    /// The whole scope with which the policy would admit the token; empty if no scope would be enough.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.scope_needed().cloned().unwrap_or_default()
    }

    /// The same; `None` if it is empty.
    fn scope_needed(&self) -> Option<&Scope> {
        let scope = match &self.reason {
            Reason::PolicyRefused(scope) | Reason::SignInAgain(Need { scope, .. }) => Some(scope),
            _ => self.asked.as_deref(),
        };
        scope.filter(|scope| !scope.is_empty())
    }

    /// The answer to a request: its body is the author's, if there is one.
    pub(crate) fn into_response(self, request: &HttpRequest) -> HttpResponse {
        self.response(request)
    }

    pub(crate) fn into_error(self, request: &HttpRequest) -> Error {
        let response = self.response(request);
        InternalError::from_response(self, response).into()
    }

    fn response(&self, request: &HttpRequest) -> HttpResponse {
        self.log(request);
        // A cross-origin request of a page always names its origin (Fetch §3.2).
        let is_exposed = request.headers().contains_key(header::ORIGIN);
        match self.form.as_ref().and_then(|form| form.body.as_ref()) {
            Some(body) => self.with_headers(body(self, request), is_exposed),
            None => self.own_response(is_exposed),
        }
    }

    fn own_response(&self, is_exposed: bool) -> HttpResponse {
        match self.form.as_deref().and_then(|form| self.prepared(form)) {
            Some(prepared) => prepared.response(is_exposed),
            // The challenges and the rest are added with the headers.
            None => self.with_headers(self.answer(Vec::new()).response(is_exposed), is_exposed),
        }
    }

    /// The prepared answer, if this one has nothing of its own.
    fn prepared<'a>(&self, form: &'a RefusalForm) -> Option<&'a Answer> {
        let is_explained = form.explains && self.decided.is_some();
        if self.asked.is_some() || self.is_on_page || is_explained {
            return None;
        }
        form.prepared.get(&self.reason, |reason| {
            let refusal = Refusal::new(reason, None);
            refusal.answer(refusal.challenges(form))
        })
    }

    fn answer(&self, challenges: Vec<header::HeaderValue>) -> Answer {
        Answer { status: self.status(), body: self.body(), challenges }
    }

    /// Why, as a test shows it: the terms that decided, or what does not fit.
    #[cfg(feature = "testing")]
    pub(crate) fn why(&self) -> String {
        self.decided.as_ref().and_then(|decided| decided.terms.clone()).unwrap_or_else(|| self.description())
    }

    pub(crate) fn log(&self, request: &HttpRequest) {
        if !self.is_logged {
            let asked = Asked { request: Some(request), within: None, by: None };
            self.write_log(asked, || self.decided.as_ref()?.terms.clone());
        }
    }

    fn write_log(&self, Asked { request, within, by }: Asked<'_>, terms: impl Fn() -> Option<String>) {
        let guard = self.decided.as_ref().map(|decided| decided.guard);
        let of_handler = within.or(guard);
        let texts = by.map(|by| by.registered.texts());
        // The values of an event are computed only if there is a subscriber. Of the path only the route's pattern: what is filled
        // in may be a secret or a user's name.
        tracing::info!(
            target: "oauth",
            reason = ?self.reason,
            method = request.map(|request| request.method().as_str()),
            // One pattern stands for all of the server's own URLs, whose path is in the span.
            route = request.and_then(HttpRequest::match_pattern).filter(|pattern| !is_pattern(pattern)),
            policy = guard.map(|guard| guard.policy),
            handler = of_handler.and_then(|guard| guard.handler),
            module = of_handler.map(|guard| guard.module),
            subject = texts.as_ref().map(|texts| texts.subject),
            // A session has no client.
            client = texts.as_ref().map(|texts| texts.client_id).filter(|client| !client.is_empty()),
            decided = terms(),
            hint = self.hint(request),
            "request refused"
        );
    }

    fn body(&self) -> Bytes {
        /// In the order of their names.
        #[derive(Serialize)]
        struct Body<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            decided: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            error: Option<&'a str>,
            error_description: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            policy: Option<&'a str>,
        }
        let Wire { code, text, .. } = self.reason.wire();
        let explained = self.decided.as_ref().filter(|_| self.form.as_ref().is_some_and(|form| form.explains));
        let body = Body {
            decided: explained.and_then(|decided| decided.terms.as_deref()),
            error: code.map(Code::as_str),
            error_description: &text,
            policy: explained.map(|decided| decided.guard.policy),
        };
        // Strings are always valid JSON.
        serde_json::to_vec(&body).unwrap_or_default().into()
    }

    fn with_headers(&self, mut response: HttpResponse, is_exposed: bool) -> HttpResponse {
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, prepared::NO_STORE);
        if let Some(form) = &self.form {
            let mut exposed = prepared::EXPOSED;
            if let Some(nonce) = self.nonce(form) {
                headers.insert(DPOP_NONCE, nonce);
                exposed = "DPoP-Nonce, WWW-Authenticate";
            }
            prepared::say(headers, self.challenges(form), is_exposed.then_some(exposed));
        }
        self.reason.set_retry_after(&mut response);
        if self.is_on_page {
            // The middleware makes a page of it if a page was requested.
            response.extensions_mut().insert(self.clone());
        }
        response
    }

    /// RFC 9449 §9: the nonce for the next proof.
    fn nonce(&self, form: &RefusalForm) -> Option<header::HeaderValue> {
        match &self.reason {
            Reason::ProofNonce(_) => form.proofs.as_ref()?.rules.nonce()?.parse().ok(),
            _ => None,
        }
    }

    /// The challenges, by scheme: both if either is accepted (RFC 9449 §7.2), and only that of bound tokens if nothing
    /// else is (§7.1).
    fn challenges(&self, form: &RefusalForm) -> Vec<header::HeaderValue> {
        let schemes: &[&str] = match &form.proofs {
            None => &["Bearer"],
            Some(proofs) if proofs.is_required || self.reason.is_of_a_proof() => &["DPoP"],
            Some(_) => &["Bearer", "DPoP"],
        };
        schemes.iter().filter_map(|scheme| self.challenge(form, scheme)).collect()
    }

    /// RFC 6750 §3: tells the client what it needs.
    fn challenge(&self, form: &RefusalForm, scheme: &str) -> Option<header::HeaderValue> {
        let Wire { status, code, text } = self.reason.wire();
        // No token of any kind would do better.
        if status.is_server_error()
            || status == StatusCode::TOO_MANY_REQUESTS
            || (self.is_on_page && status == StatusCode::FORBIDDEN)
        {
            return None;
        }
        let mut challenge = String::with_capacity(MOST_CHALLENGES);
        let mut say = |parts: &[&str]| parts.iter().for_each(|part| challenge.push_str(part));
        say(&[scheme, " realm=\"", &form.realm, "\""]);
        if let Some(code) = code {
            say(&[", error=\"", code.as_str(), "\", error_description=\"", &text, "\""]);
        }
        if let Some(scope) = self.scope_needed() {
            say(&[", scope=\""]);
            for (at, token) in scope.iter().enumerate() {
                say(&[if at > 0 { " " } else { "" }, token]);
            }
            say(&["\""]);
        }
        if let Reason::SignInAgain(need) = &self.reason {
            // RFC 9470 §3
            if !need.acr.is_empty() {
                say(&[", acr_values=\"", &need.acr.join(" "), "\""]);
            }
            if let Some(max_age) = need.max_age {
                say(&[", max_age=\"", &max_age.to_string(), "\""]);
            }
        }
        // RFC 9728 §5.1
        if let Some(resource) = form.resource.as_ref().filter(|resource| resource.is_described()) {
            say(&[", resource_metadata=\"", &resource.metadata, "\""]);
        }
        if scheme == "DPoP" {
            say(&[", algs=\"", &ALGORITHMS.join(" "), "\""]);
        }
        challenge.try_into().ok()
    }
}

/// How long challenges usually are at most, in bytes.
const MOST_CHALLENGES: usize = 256;

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.description())
    }
}

crate::model::debug_as_text!(Refusal);

impl std::error::Error for Refusal {}

/// When a handler itself returns a refusal, there is no request to pass to the author's function, so the body is JSON.
impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    fn error_response(&self) -> HttpResponse {
        self.own_response(true)
    }
}

/// Guarded handlers as a protected resource with a URL (RFC 9728).
#[derive(Clone)]
pub(crate) struct Resource {
    pub(crate) identifier: String,
    /// The path that the handlers are below, without a slash at its end.
    pub(crate) handlers: String,
    /// The path of its metadata.
    pub(crate) path: String,
    /// Their URL.
    pub(crate) metadata: String,
    pub(crate) place: Arc<Place>,
}

/// Where the metadata of a resource was to be served: only an `App` itself can do so.
#[derive(Default)]
pub(crate) struct Place {
    is_in_app: AtomicBool,
    is_in_scope: AtomicBool,
}

impl Place {
    #[cfg(feature = "resource-server")]
    pub(crate) fn mount(&self, is_root: bool) {
        let place = if is_root { &self.is_in_app } else { &self.is_in_scope };
        place.store(true, Ordering::Relaxed);
    }
}

impl Resource {
    /// Only an audience on the issuer's own origin can be described here.
    pub(crate) fn new(audience: &str, issuer: &Issuer) -> Option<Self> {
        let is_here = |it: &Resource| it.metadata.strip_suffix(it.path.as_str()) == Some(issuer.origin());
        Resource::here(audience).filter(is_here)
    }

    /// A resource that is known to be served here, whatever its host.
    pub(crate) fn here(identifier: &str) -> Option<Self> {
        let parsed: Issuer = identifier.parse().ok()?;
        // RFC 9728 §3.1
        let path = parsed.well_known(WELL_KNOWN);
        let metadata = format!("{}{path}", parsed.origin());
        let (identifier, handlers) = (identifier.to_owned(), parsed.path().to_owned());
        Some(Resource { identifier, handlers, path, metadata, place: Arc::default() })
    }

    /// Whether its metadata may be where clients look: not if it was given to a scope alone.
    pub(crate) fn is_described(&self) -> bool {
        let Place { is_in_app, is_in_scope } = &*self.place;
        is_in_app.load(Ordering::Relaxed) || !is_in_scope.load(Ordering::Relaxed)
    }

    /// Scheme, host and port of its handlers.
    pub(crate) fn origin(&self) -> String {
        self.metadata.strip_suffix(self.path.as_str()).unwrap_or_default().to_owned()
    }

    /// Where clients look that know only the host.
    pub(crate) fn root() -> String {
        format!("/.well-known/{WELL_KNOWN}")
    }
}

const WELL_KNOWN: &str = "oauth-protected-resource";

#[cfg(test)]
#[path = "refusal/tests.rs"]
mod tests;
