//! The same guards over the tokens of an external issuer, verified by its published keys.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{AppService, HttpServiceFactory};
use actix_web::http::header;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use aws_lc_rs::hmac;
use serde_json::json;
use url::Url;

use crate::guard::cache::TokenCache;
use crate::guard::closed::Closed;
use crate::guard::forged::Forged;
use crate::guard::map;
use crate::guard::own::{self, OwnUrls};
use crate::guard::proofs::{ALGORITHMS, Proofs, Rules};
use crate::guard::protection::{Below, Protection, Tokens};
use crate::guard::refusal::{Prepared, Refusal, RefusalBody, RefusalForm, Resource};
use crate::guard::require::Require;
use crate::keys::{DiscoveryError, Expected, IssuerAway, IssuerHealth, RemoteKeys, Shape};
use crate::model::Clock;
use crate::model::id::random_id;
use crate::model::issuer::Issuer;
use crate::model::jwk::SignatureAlgorithm;
use crate::model::resource::Resources;
use crate::policy::Policy;

/// Guards for an application whose tokens another server issues: an identity provider, or another process with an
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
/// A token that the issuer revokes is accepted here until it expires: use short lifetimes.
///
/// The issuer may be away when this starts: guards answer 503 until its keys are there, and the log says what is missing.
/// Once there, they are fetched again when they are ten minutes old, and trusted for
/// [`max_staleness`](ResourceServerBuilder::max_staleness).
#[derive(Clone)]
pub struct ResourceServer {
    protection: Arc<Protection>,
    keys: Arc<RemoteKeys>,
}

impl ResourceServer {
    /// Starts with the issuer's name, which is also the address of its metadata.
    pub fn discover(issuer: impl Into<String>) -> ResourceServerBuilder {
        ResourceServerBuilder {
            issuer: issuer.into(),
            audience: None,
            algorithms: SignatureAlgorithm::ALL.to_vec(),
            accepted_type: None,
            without_audience: Vec::new(),
            max_staleness: Duration::from_secs(3600),
            leeway: Duration::from_secs(10),
            token_cache: 16 << 20,
            refusal_body: None,
            explains_refusals: false,
            proofs_at: None,
            requires_proofs: false,
            clock: Clock::system(),
        }
    }

    /// For [`actix_web::App::configure`], or that of a `web::scope`: what the guards there decide by.
    ///
    /// In an `App` it is also the metadata of the resource, if its audience is a URL (RFC 9728). Its address is above any
    /// scope, so in a scope there is none: the log says so, and refusals there name none.
    pub fn routes(&self) -> impl FnOnce(&mut ServiceConfig) + use<> {
        let protection = Arc::clone(&self.protection);
        move |app| {
            app.app_data(Arc::clone(&protection)).service(Metadata(protection));
        }
    }

    /// Closes an `App`, as [`OAuthService::closed`](crate::OAuthService::closed).
    #[must_use]
    pub fn closed(&self) -> Closed {
        Closed::new(&self.protection)
    }

    /// Puts a policy over everything in an `App`, a scope or a resource, as
    /// [`OAuthService::require`](crate::OAuthService::require) does.
    #[must_use]
    pub fn require(&self, policy: Policy) -> Require {
        Require::new(&self.protection, policy)
    }

    /// The state of the issuer's keys, for a health check: an error means that guards answer 503 to every token.
    ///
    /// If they are missing, or older than ten minutes, it asks the issuer as a guard would, and waits for the answer
    /// for at most ten seconds, or twenty if another question is under way. So a process that gets no requests until it is
    /// healthy still gets its keys.
    ///
    /// ```
    /// # #[actix_web::main] async fn main() {
    /// # use oauth_runtime::ResourceServer;
    /// let api = ResourceServer::discover("http://127.0.0.1:9").audience("https://api.example").build().await.unwrap();
    /// // Nothing listens there.
    /// let away = api.health().await.unwrap_err();
    /// assert_eq!((away.issuer.as_str(), away.away_for.as_secs()), ("http://127.0.0.1:9", 0));
    /// # }
    /// ```
    ///
    /// # Errors
    /// There are no keys of the issuer that may be trusted.
    pub async fn health(&self) -> Result<IssuerHealth, IssuerAway> {
        self.keys.health().await
    }
}

/// The metadata of the resource, where clients look for it (RFC 9728 §3.1).
struct Metadata(Arc<Protection>);

impl HttpServiceFactory for Metadata {
    fn register(self, app: &mut AppService) {
        let Metadata(protection) = self;
        let Some(resource) = &protection.refusals.resource else { return };
        resource.place.mount(app.is_root());
        if !app.is_root() {
            tracing::warn!(
                target: "oauth",
                resource = resource.identifier,
                metadata = resource.metadata,
                "api.routes() was given to a web::scope: the guards there work, and the metadata, which clients look for \
                 above any scope, is not served; if they need it, give api.routes() to App::configure"
            );
            return;
        }
        let mut metadata = json!({
            "resource": resource.identifier,
            "authorization_servers": [protection.expected.issuer],
            "bearer_methods_supported": ["header"],
            "scopes_supported": map::scopes(),
        });
        // RFC 9728 §2
        if let Some(proofs) = &protection.proofs {
            metadata["dpop_signing_alg_values_supported"] = json!(ALGORITHMS);
            metadata["dpop_bound_access_tokens_required"] = json!(proofs.is_required);
        }
        let describe = web::get().to(move |_request: HttpRequest| {
            #[cfg(feature = "testing")]
            crate::guard::probe::answered_by_the_server(&_request);
            let answer = HttpResponse::Ok()
                .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
                .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
                .json(&metadata);
            async { answer }
        });
        own::resource(&resource.path).route(describe).register(app);
    }
}

impl fmt::Debug for ResourceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ResourceServer").field(&self.protection).finish()
    }
}

/// Configures a [`ResourceServer`]; made by [`ResourceServer::discover`].
#[must_use]
pub struct ResourceServerBuilder {
    issuer: String,
    audience: Option<String>,
    algorithms: Vec<SignatureAlgorithm>,
    accepted_type: Option<String>,
    without_audience: Vec<String>,
    max_staleness: Duration,
    leeway: Duration,
    token_cache: usize,
    refusal_body: Option<Arc<RefusalBody>>,
    explains_refusals: bool,
    proofs_at: Option<String>,
    requires_proofs: bool,
    clock: Clock,
}

impl ResourceServerBuilder {
    /// The audience that tokens must have, their `aud`. Required: without it, a token for any other service would be
    /// accepted.
    ///
    /// `https://api.example` and `https://api.example/` are the same audience; no other spellings are.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// Which algorithms are accepted. Secret keys and `none` never are. Default: all three.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = SignatureAlgorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// Accepts tokens of this `typ` as well, from issuers that do not follow RFC 9068. `JWT` says nothing, so with it a
    /// token may also have no type: this is what Auth0, Cognito, Entra, Keycloak, Okta and Zitadel send.
    ///
    /// The danger: such an issuer's ID tokens have the same type. A token is refused if it looks like one: a `typ`
    /// among the claims other than `Bearer`, a `token_use` other than `access`, a `nonce` or `at_hash`, no client, or
    /// an audience that is the client itself, without a scope. The rest are distinguished only by their audience:
    /// choose one that is not a client's id.
    pub fn danger_accept_type(mut self, typ: impl Into<String>) -> Self {
        self.accepted_type = Some(typ.into());
        self
    }

    /// Accepts tokens without `aud`, such as Cognito's, if they were issued to one of these clients. A token with an
    /// `aud` must still have [`audience`](Self::audience).
    ///
    /// The danger: nothing in such a token says which API it is for. Another API to which one of the clients sends it
    /// can send it here. Name only clients that use no other API.
    pub fn danger_without_audience(mut self, clients: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.without_audience = clients.into_iter().map(Into::into).collect();
        self
    }

    /// How long keys that could not be fetched again are trusted; guards answer 503 after that. At least a minute.
    /// Default: an hour.
    pub fn max_staleness(mut self, longest: Duration) -> Self {
        self.max_staleness = longest;
        self
    }

    /// How far the issuer's clock may differ. Default: 10 seconds.
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

    /// Accepts, besides bearer tokens, tokens that are bound to a key, with a proof of possession for each request
    /// (DPoP, RFC 9449). The argument is the origin at which clients reach this application, such as
    /// `https://api.example`: the URLs in proofs must begin with it, whatever a request says. Default: such tokens are
    /// refused.
    ///
    /// Each proof is good for one request, within a minute, and once in each process.
    ///
    /// ```
    /// # #[actix_web::main] async fn main() {
    /// # use oauth_runtime::ResourceServer;
    /// let api = ResourceServer::discover("http://127.0.0.1:9").audience("https://api.example").dpop("https://api.example");
    /// assert!(api.build().await.is_ok());
    /// # }
    /// ```
    pub fn dpop(mut self, origin: impl Into<String>) -> Self {
        self.proofs_at = Some(origin.into());
        self
    }

    /// Like [`dpop`](Self::dpop), and refuses tokens that are not bound to a key.
    pub fn require_dpop(mut self, origin: impl Into<String>) -> Self {
        self.requires_proofs = true;
        self.dpop(origin)
    }

    /// Reads the time from this clock: for tests that advance it.
    #[cfg(feature = "testing")]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Asks the issuer for its metadata and its keys, once. If it does not answer, or its answer is of no use, the log
    /// says what to change, and guards answer 503 and ask again.
    ///
    /// # Errors
    /// What is wrong with the configuration, and what to change.
    pub async fn build(self) -> Result<ResourceServer, DiscoveryError> {
        let audience = self.audience.filter(|audience| !audience.is_empty()).ok_or(DiscoveryError::NoAudience)?;
        if self.algorithms.is_empty() {
            return Err(DiscoveryError::NoAlgorithm);
        }
        if let Some(origin) = self.proofs_at.as_ref().filter(|origin| !is_origin(origin)) {
            return Err(DiscoveryError::ProofsAt { origin: origin.clone() });
        }
        let issuer: Issuer = self.issuer.parse().map_err(|_| DiscoveryError::Issuer { issuer: self.issuer.clone() })?;
        let algorithms = self.algorithms.into_iter().map(SignatureAlgorithm::jose).collect();
        let shape = Shape { accepted_type: self.accepted_type, without_audience: self.without_audience };
        let keys = RemoteKeys::new(issuer, algorithms, shape, self.max_staleness, self.clock)?;
        keys.ask().await;
        let keys = Arc::new(keys);
        let resource = Resource::here(&audience);
        let proofs = self.proofs_at.map(|origin| {
            let names = hmac::Key::new(hmac::HMAC_SHA256, random_id().as_bytes());
            let rules = Arc::new(Rules::new(None, false, Resources::default(), names, keys.clock().clone()));
            Arc::new(Proofs { origin, is_required: self.requires_proofs, rules })
        });
        let protection = Arc::new(Protection {
            tokens: Tokens::Remote(Arc::clone(&keys)),
            token_cache: TokenCache::new(self.token_cache),
            forged: Arc::new(Forged::by_peers()),
            own_urls: Arc::new(OwnUrls::new(resource.iter().map(|resource| resource.path.clone()))),
            below: Below::default(),
            proofs: proofs.clone(),
            refusals: Arc::new(RefusalForm {
                realm: self.issuer.clone(),
                resource,
                proofs: proofs.clone(),
                body: self.refusal_body,
                explains: self.explains_refusals,
                issues: false,
                prepared: Prepared::default(),
            }),
            expected: Expected {
                issuer: self.issuer,
                or: other_spelling(&audience).into_iter().collect(),
                audience,
                is_for_any: false,
                leeway: self.leeway,
            },
        });
        Ok(ResourceServer { protection, keys })
    }
}

/// Scheme, host and port, as a browser writes them.
fn is_origin(text: &str) -> bool {
    text.parse::<Issuer>().is_ok_and(|it| it.origin() == text)
}

/// The same audience with or without its trailing slash: by RFC 3986 §6.2.3 an empty path equals `/`.
fn other_spelling(audience: &str) -> Option<String> {
    let bare = audience.strip_suffix('/').unwrap_or(audience);
    let origin = Url::parse(bare).ok()?.origin().ascii_serialization();
    // With a path, a query, or anything that a parser would change, it is compared as it is.
    let is_origin = bare == origin && (bare.starts_with("https://") || bare.starts_with("http://"));
    is_origin.then(|| if bare == audience { format!("{bare}/") } else { bare.to_owned() })
}

impl fmt::Debug for ResourceServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceServerBuilder").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}
