//! The same guards over somebody else's tokens: those of an external issuer, verified by its published keys.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Resource as ActixResource};
use serde_json::json;

use crate::guard::cache::TokenCache;
use crate::guard::closed::Closed;
use crate::guard::map;
use crate::guard::own::{self, OwnUrls};
use crate::guard::protection::{Protection, Tokens};
use crate::guard::refusal::{Refusal, RefusalBody, RefusalForm, Resource};
use crate::guard::require::Require;
use crate::keys::{DiscoveryError, Expected, RemoteKeys};
use crate::model::Clock;
use crate::model::issuer::Issuer;
use crate::model::jwk::Algorithm;
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
                let describe = web::get().to(move || {
                    let answer = HttpResponse::Ok()
                        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
                        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
                        .json(&metadata);
                    async { answer }
                });
                app.service(own::named(ActixResource::new(resource.path.as_str())).route(describe));
            }
            app.app_data(protection);
        }
    }

    /// Closes an `App`, as [`OAuthService::closed`](crate::OAuthService::closed).
    #[must_use]
    pub fn closed(&self) -> Closed {
        Closed::new(&self.0)
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

    /// Which algorithms are accepted. Secret keys and `none` never are. Default: all three.
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

    /// By how much the issuer's clock may differ. Default: 10 seconds.
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
        let algorithms = self.algorithms.into_iter().map(SignatureAlgorithm::jose).collect();
        let keys = RemoteKeys::discover(&issuer, algorithms, self.accepted_type, self.clock).await?;
        let resource = audience.parse::<Issuer>().ok().and_then(|of_audience| Resource::new(&audience, &of_audience));
        Ok(ResourceServer(Arc::new(Protection {
            tokens: Tokens::Remote(Arc::new(keys)),
            token_cache: TokenCache::new(self.token_cache),
            own_urls: OwnUrls::new(resource.iter().map(|resource| resource.path.clone())),
            refusals: Arc::new(RefusalForm {
                realm: self.issuer.clone(),
                resource,
                body: self.refusal_body,
                explains: self.explains_refusals,
            }),
            expected: Expected {
                issuer: self.issuer,
                audience,
                or: Vec::new(),
                is_for_any: false,
                leeway: self.leeway,
            },
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
