//! The same guards over somebody else's tokens: those of an external issuer, verified by its published keys.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use actix_web::http::header;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use jsonwebtoken::Algorithm;
use parking_lot::RwLock;
use serde_json::{Value, json};
use url::Url;

use crate::error::Reason;
use crate::guard::cache::TokenCache;
use crate::guard::map;
use crate::guard::protection::{Protection, Tokens};
use crate::guard::refusal::{Refusal, RefusalBody, RefusalForm, Resource};
use crate::guard::require::Require;
use crate::keys::{Expected, Jwt, PublicKey, Verified, is_access_token_type};
use crate::model::issuer::{Issuer, is_loopback};
use crate::model::{Clock, Timestamp};
use crate::policy::Policy;

/// Guards for an application whose tokens somebody else issues: an identity provider, or another process with an
/// [`OAuthService`](crate::OAuthService). The handlers are the same.
///
/// ```no_run
/// use actix_web::{App, HttpServer, Responder, get};
/// use oauth_runtime::{ResourceServer, require_claim};
///
/// #[require_claim(scope = "notes:read")]
/// #[get("/notes")]
/// async fn notes() -> impl Responder { "notes" }
///
/// #[actix_web::main]
/// async fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let api = ResourceServer::discover("https://idp.example").audience("https://api.example").build().await?;
///     HttpServer::new(move || App::new().configure(api.routes()).service(notes)).bind(("127.0.0.1", 8000))?.run().await?;
///     Ok(())
/// }
/// ```
///
/// What the issuer revokes is refused here when the token expires, and not before: short lifetimes bound that.
#[derive(Clone, Debug)]
pub struct ResourceServer(Arc<Protection>);

impl ResourceServer {
    /// Starts with the issuer's name, which is also the address of its metadata.
    pub fn discover(issuer: impl Into<String>) -> ResourceServerBuilder {
        ResourceServerBuilder {
            issuer: issuer.into(),
            audience: None,
            algorithms: vec![SignatureAlgorithm::Es256, SignatureAlgorithm::EdDsa, SignatureAlgorithm::Rs256],
            accepted_type: None,
            leeway: Duration::from_secs(10),
            token_cache: 16 << 20,
            refusal_body: None,
            explains_refusals: false,
            clock: Clock::system(),
        }
    }

    /// For [`actix_web::App::configure`], or that of a `web::scope`: what the guards there decide by, and the metadata of
    /// the resource where its audience is an address (RFC 9728).
    pub fn routes(&self) -> impl FnOnce(&mut ServiceConfig) + use<> {
        let protection = Arc::clone(&self.0);
        move |app| {
            if let Some(resource) = &protection.refusals.resource {
                let metadata = json!({
                    "resource": resource.identifier,
                    "authorization_servers": [protection.expected.issuer],
                    "bearer_methods_supported": ["header"],
                    "scopes_supported": map::scopes(),
                });
                app.route(
                    &resource.path,
                    web::get().to(move || {
                        let answer = HttpResponse::Ok()
                            .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
                            .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
                            .json(&metadata);
                        async { answer }
                    }),
                );
            }
            app.app_data(protection);
        }
    }

    /// Puts a policy over all that an `App`, a scope or a resource has, as
    /// [`OAuthService::require`](crate::OAuthService::require) does.
    #[must_use]
    pub fn require(&self, policy: Policy) -> Require {
        Require::new(&self.0, policy)
    }
}

/// How an issuer signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureAlgorithm {
    /// ECDSA over P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
    /// RSA PKCS#1 v1.5 with SHA-256.
    Rs256,
}

/// Configures a [`ResourceServer`]; made by [`ResourceServer::discover`].
#[must_use]
pub struct ResourceServerBuilder {
    issuer: String,
    audience: Option<String>,
    algorithms: Vec<SignatureAlgorithm>,
    accepted_type: Option<String>,
    leeway: Duration,
    token_cache: usize,
    refusal_body: Option<Arc<RefusalBody>>,
    explains_refusals: bool,
    clock: Clock,
}

impl ResourceServerBuilder {
    /// Whom the tokens have to be for, their `aud`. Needed: without it a token for any other service would do.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// Which algorithms are taken: all three unless set. Secret keys and `none` never are.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = SignatureAlgorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// Takes tokens of this `typ` (such as `JWT`) as well, from issuers that do not follow RFC 9068; `azp` may then stand
    /// for `client_id`, and `jti` may be missing.
    ///
    /// The danger: such an issuer's ID tokens may have the same type, and only the audience tells them apart. Choose one
    /// that is no client's id.
    pub fn danger_accept_type(mut self, typ: impl Into<String>) -> Self {
        self.accepted_type = Some(typ.into());
        self
    }

    /// By how much the issuer's clock may differ: 10 seconds unless set.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// As [`Builder::token_cache`](crate::Builder::token_cache).
    pub fn token_cache(mut self, bytes: usize) -> Self {
        self.token_cache = bytes;
        self
    }

    /// As [`Builder::refusal_body`](crate::Builder::refusal_body).
    pub fn refusal_body(
        mut self,
        body: impl Fn(&Refusal, &HttpRequest) -> HttpResponse + Send + Sync + 'static,
    ) -> Self {
        self.refusal_body = Some(Arc::new(body));
        self
    }

    /// As [`Builder::danger_explain_refusals`](crate::Builder::danger_explain_refusals).
    pub fn danger_explain_refusals(mut self) -> Self {
        self.explains_refusals = true;
        self
    }

    /// Reads the time from this clock: for tests that advance it.
    #[cfg(feature = "testing")]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Asks the issuer for its metadata and its keys.
    ///
    /// # Errors
    /// What is wrong, with what to change. The issuer has to be there when this starts; later it may be away.
    pub async fn build(self) -> Result<ResourceServer, DiscoveryError> {
        let audience = self.audience.filter(|audience| !audience.is_empty()).ok_or(DiscoveryError::NoAudience)?;
        if self.algorithms.is_empty() {
            return Err(DiscoveryError::NoAlgorithm);
        }
        let issuer: Issuer = self.issuer.parse().map_err(|_| DiscoveryError::Issuer { issuer: self.issuer.clone() })?;
        let http = reqwest::Client::builder()
            // A redirect could lead to where nobody has vouched for.
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .build()
            .map_err(|why| DiscoveryError::Unreachable { url: self.issuer.clone(), why: why.to_string() })?;
        let jwks_uri = discovered(&http, &issuer).await?;
        let keys = RemoteKeys {
            http,
            jwks_uri,
            algorithms: self.algorithms.iter().map(|algorithm| algorithm.jose()).collect(),
            accepted_type: self.accepted_type,
            clock: self.clock.clone(),
            state: RwLock::new(Fetched { keys: Arc::new(Vec::new()), at: self.clock.now() }),
            attempted: tokio::sync::Mutex::new(self.clock.now()),
            is_refreshing: AtomicBool::new(false),
            generation: AtomicU64::new(0),
        };
        keys.replace().await?;
        let resource = audience.parse::<Issuer>().ok().and_then(|of_audience| Resource::new(&audience, &of_audience));
        Ok(ResourceServer(Arc::new(Protection {
            tokens: Tokens::Remote(Arc::new(keys)),
            token_cache: TokenCache::new(self.token_cache),
            own_paths: resource.iter().map(|resource| resource.path.clone()).collect(),
            refusals: Arc::new(RefusalForm {
                realm: self.issuer.clone(),
                resource,
                body: self.refusal_body,
                explains: self.explains_refusals,
            }),
            expected: Expected { issuer: self.issuer, audience, leeway: self.leeway },
        })))
    }
}

impl fmt::Debug for ResourceServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceServerBuilder").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl SignatureAlgorithm {
    fn jose(self) -> Algorithm {
        match self {
            SignatureAlgorithm::Es256 => Algorithm::ES256,
            SignatureAlgorithm::EdDsa => Algorithm::EdDSA,
            SignatureAlgorithm::Rs256 => Algorithm::RS256,
        }
    }
}

/// Where the keys are, by the issuer's metadata: OpenID Connect's place, then OAuth's.
async fn discovered(http: &reqwest::Client, issuer: &Issuer) -> Result<String, DiscoveryError> {
    let openid = format!("{}{}/.well-known/openid-configuration", issuer.origin(), issuer.path());
    let oauth = format!("{}{}", issuer.origin(), issuer.well_known("oauth-authorization-server"));
    let (url, metadata) = match fetched(http, &openid).await {
        Ok(metadata) => (openid, metadata),
        Err(DiscoveryError::NotFound { .. }) => (oauth.clone(), fetched(http, &oauth).await?),
        Err(why) => return Err(why),
    };
    // RFC 8414 §3.3: else another could speak for it
    match metadata.get("issuer").and_then(Value::as_str) {
        Some(named) if named == issuer.as_str() => {}
        named => {
            let named = named.unwrap_or_default().to_owned();
            return Err(DiscoveryError::OtherIssuer { issuer: issuer.as_str().to_owned(), named });
        }
    }
    let jwks_uri = metadata.get("jwks_uri").and_then(Value::as_str).ok_or(DiscoveryError::NoKeys { url })?;
    let is_safe = Url::parse(jwks_uri).is_ok_and(|url| {
        url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url) && !issuer.is_https())
    });
    if is_safe { Ok(jwks_uri.to_owned()) } else { Err(DiscoveryError::PlainHttp { url: jwks_uri.to_owned() }) }
}

/// A JSON document of bounded length.
async fn fetched(http: &reqwest::Client, url: &str) -> Result<Value, DiscoveryError> {
    let unreachable =
        |why: reqwest::Error| DiscoveryError::Unreachable { url: url.to_owned(), why: why.without_url().to_string() };
    let mut response = http.get(url).header("accept", "application/json").send().await.map_err(unreachable)?;
    match response.status().as_u16() {
        200 => {}
        404 => return Err(DiscoveryError::NotFound { url: url.to_owned() }),
        status => return Err(DiscoveryError::Status { url: url.to_owned(), status }),
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > MAX_DOCUMENT_BYTES {
            return Err(DiscoveryError::NotJson { url: url.to_owned() });
        }
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&body).map_err(|_| DiscoveryError::NotJson { url: url.to_owned() })
}

/// The keys of an issuer elsewhere, as they were published last.
pub(crate) struct RemoteKeys {
    http: reqwest::Client,
    jwks_uri: String,
    algorithms: Vec<Algorithm>,
    accepted_type: Option<String>,
    clock: Clock,
    state: RwLock<Fetched>,
    /// When they were asked for last; held while they are.
    attempted: tokio::sync::Mutex<Timestamp>,
    is_refreshing: AtomicBool,
    generation: AtomicU64,
}

struct Fetched {
    keys: Arc<Vec<(Option<String>, PublicKey)>>,
    at: Timestamp,
}

impl RemoteKeys {
    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Verifies an access token (RFC 9068 §4), by keys that may be stale while the issuer is away.
    pub(crate) fn verify(&self, token: &str, expected: &Expected, now: Timestamp) -> Result<Verified, Reason> {
        let jwt = Jwt::parse(token)?;
        let accepted = self.accepted_type.as_deref();
        // RFC 9068 §4: an ID token or any other JWT is not an access token
        let is_of_type = match jwt.header.typ.as_deref() {
            Some(typ) => is_access_token_type(typ) || accepted.is_some_and(|it| it.eq_ignore_ascii_case(typ)),
            None => false,
        };
        if !is_of_type {
            return Err(Reason::TokenType);
        }
        // RFC 8725 §3.1: what is not expected is not tried
        if !self.algorithms.contains(&jwt.header.alg) {
            return Err(Reason::TokenSignature);
        }
        let keys = Arc::clone(&self.state.read().keys);
        let is_candidate = |(id, key): &&(Option<String>, PublicKey)| {
            key.algorithm == jwt.header.alg && (jwt.header.kid.is_none() || *id == jwt.header.kid)
        };
        let mut candidates = keys.iter().filter(is_candidate);
        match (candidates.next(), candidates.next()) {
            (Some((_, key)), None) => jwt.verify(key)?,
            // Without a name it is clear only where there is one key.
            (Some(_), Some(_)) => return Err(Reason::TokenSignature),
            (None, _) => return Err(Reason::KeyUnknown),
        }
        let mut claims = jwt.claims()?;
        if accepted.is_some() {
            if let (None, Some(party)) = (claims.get("client_id"), claims.get("azp").cloned()) {
                claims.insert("client_id".to_owned(), party);
            }
            claims.entry("jti").or_insert_with(|| json!(""));
        }
        Verified::parse(claims, expected, now)
    }

    /// Asked on every request, those with a token that was verified before among them: so this is where old keys are
    /// noticed. They are used on while others are asked for.
    pub(crate) fn generation(self: &Arc<Self>) -> u64 {
        let is_old = self.clock.now().since(self.state.read().at) >= FRESH;
        if is_old && !self.is_refreshing.swap(true, Ordering::SeqCst) {
            let own = Arc::clone(self);
            actix_web::rt::spawn(async move {
                own.fetch().await;
                own.is_refreshing.store(false, Ordering::SeqCst);
            });
        }
        self.generation.load(Ordering::SeqCst)
    }

    /// For a key that is not known: once in a while, whoever asks, so that made-up names of keys cost the issuer nothing.
    /// All who ask meanwhile wait for the one answer.
    pub(crate) async fn fetch(&self) {
        let mut attempted = self.attempted.lock().await;
        if self.clock.now().since(*attempted) < FLOOR {
            return;
        }
        *attempted = self.clock.now();
        if let Err(why) = self.replace().await {
            tracing::warn!(target: "oauth", %why, "the issuer's keys could not be fetched: those of before go on");
        }
    }

    async fn replace(&self) -> Result<(), DiscoveryError> {
        let set = fetched(&self.http, &self.jwks_uri).await?;
        let listed = set.get("keys").and_then(Value::as_array).map_or(&[] as &[Value], Vec::as_slice);
        let keys: Vec<_> = listed
            .iter()
            .take(MAX_KEYS)
            .filter_map(PublicKey::from_jwk)
            .filter(|(_, key)| self.algorithms.contains(&key.algorithm))
            .collect();
        // An empty set is more likely a mistake than a wish that nobody gets in: what was known goes on.
        if keys.is_empty() {
            return Err(DiscoveryError::NoKeys { url: self.jwks_uri.clone() });
        }
        let is_there = |before: &(Option<String>, PublicKey)| {
            keys.iter().any(|(name, key)| *name == before.0 && key.id == before.1.id)
        };
        let mut state = self.state.write();
        let is_one_gone = !state.keys.iter().all(is_there);
        *state = Fetched { keys: Arc::new(keys), at: self.clock.now() };
        drop(state);
        if is_one_gone {
            // After the key is gone: whoever reads the new generation verifies without it.
            self.generation.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    }
}

/// Why an issuer cannot be relied on.
///
/// `Display` and `Debug` print the same text, which says what to change.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoveryError {
    /// [`audience`](crate::ResourceServerBuilder::audience) was not called, or is an empty string.
    #[error(
        "whom the tokens have to be for is not said: add .audience(\"https://api.example\"), \
         the aud that the issuer writes"
    )]
    NoAudience,
    /// [`algorithms`](crate::ResourceServerBuilder::algorithms) was called with an empty list.
    #[error("no algorithm is left: leave .algorithms(..) out, or name one")]
    NoAlgorithm,
    /// The issuer is not an https URL (http on loopback) in normal form.
    #[error("the issuer {issuer:?} must be an https URL (or http on loopback) without a query, as its metadata has it")]
    Issuer {
        /// The issuer as given.
        issuer: String,
    },
    /// The issuer cannot be reached, or does not answer in time.
    #[error("{url} cannot be fetched: {why}")]
    Unreachable {
        /// The URL of the metadata or the keys.
        url: String,
        /// The text of the HTTP client's error.
        why: String,
    },
    /// The answer is 404.
    #[error("there is nothing at {url}: check the issuer, its path and a closing slash included")]
    NotFound {
        /// The URL of the metadata or the keys.
        url: String,
    },
    /// The answer is neither 200 nor 404.
    #[error("{url} answers {status} instead of 200; redirects are not followed")]
    Status {
        /// The URL of the metadata or the keys.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// The answer is not JSON, or is too long.
    #[error("{url} is no JSON, or longer than {MAX_DOCUMENT_BYTES} bytes")]
    NotJson {
        /// The URL of the metadata or the keys.
        url: String,
    },
    /// The metadata is that of another issuer (RFC 8414 §3.3).
    #[error(
        "the metadata of {issuer:?} is that of {named:?}: write the issuer just like that, if it is the one you trust"
    )]
    OtherIssuer {
        /// The issuer as configured.
        issuer: String,
        /// The issuer in the metadata; empty if it has none.
        named: String,
    },
    /// The keys are at an address that is neither https nor, for an issuer on loopback, on loopback.
    #[error("the keys are at {url:?}, and must be at an https address")]
    PlainHttp {
        /// The `jwks_uri` of the metadata.
        url: String,
    },
    /// The metadata has no `jwks_uri`, or none of the published keys can be used.
    #[error(
        "there is no key at {url} that could be used: ES256, EdDSA and RS256 (2048 bits and more) can, \
         of those that .algorithms(..) names"
    )]
    NoKeys {
        /// The URL of the metadata or the keys.
        url: String,
    },
}

crate::model::debug_as_text!(DiscoveryError);

const TIMEOUT: Duration = Duration::from_secs(5);
const MAX_DOCUMENT_BYTES: usize = 256 * 1024;
const MAX_KEYS: usize = 64;
/// How long keys are used before others are asked for.
const FRESH: Duration = Duration::from_secs(600);
/// How long the issuer is left alone after it was asked.
const FLOOR: Duration = Duration::from_secs(30);
