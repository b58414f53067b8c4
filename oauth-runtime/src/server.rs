//! The service, and the map of its URLs.

pub(crate) mod paths;

use std::collections::{BTreeMap, HashMap};
use std::future::{Ready, ready};
use std::net::IpAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use parking_lot::Mutex;

use crate::builder::ClientAddress;
use crate::error::Reason;
use crate::guard::protection::Protection;
use crate::guard::refusal::Refusal;
use crate::keys::{Expected, IdTokenHint, KeyRing};
use crate::model::claims::OPENID;
use crate::model::client::RegisteredClient;
use crate::model::form::Parameters;
use crate::model::issuer::Issuer;
use crate::model::refresh::{GRACE, RefreshLifetimes};
use crate::model::resource::Resources;
use crate::model::session::SessionLifetimes;
use crate::model::time::LONGEST_ACCESS_TOKEN;
use crate::model::{Clock, Scope, Timestamp};
use crate::pages::{Brand, Logo, Pages, Texts};
use crate::seal::Sealer;
use crate::server::paths::Paths;
use crate::store::{Store, StoreError};
use crate::users::{Authenticator, SecondFactor};

/// An OAuth 2.1 authorization server, to be embedded in an actix-web application.
///
/// Build it once, outside the closure given to `HttpServer::new`, and give every worker its routes:
///
/// ```
/// use actix_web::App;
/// use oauth_runtime::{Client, Login, OAuthService};
/// use serde_json::json;
///
/// let oauth = OAuthService::builder()
///     .issuer("http://127.0.0.1:8000")
///     .client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"))
///     .authenticate_blocking(|login: Login| {
///         (login.username == "admin" && &*login.password == "admin123").then(|| json!({ "role": "admin" }))
///     })
///     .build()
///     .unwrap();
///
/// let app = App::new().configure(oauth.routes());
/// # let _ = app;
/// ```
#[derive(Clone)]
pub struct OAuthService(pub(crate) Arc<Inner>);

/// Everything that was configured, parsed.
pub(crate) struct Inner {
    pub(crate) issuer: Issuer,
    pub(crate) expected: Expected,
    /// Of all tokens that are signed here: that of the guards, and those of other resources.
    pub(crate) audiences: Vec<Expected>,
    /// What the guards decide by.
    pub(crate) protection: Arc<Protection>,
    pub(crate) paths: Paths,
    pub(crate) clients: HashMap<String, RegisteredClient>,
    pub(crate) scopes: BTreeMap<String, String>,
    pub(crate) default_scope: Scope,
    pub(crate) origins: Vec<String>,
    pub(crate) sealer: Sealer,
    pub(crate) keys: Arc<KeyRing>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Clock,
    /// None where users sign in elsewhere.
    pub(crate) authenticator: Option<Authenticator>,
    pub(crate) second_factor: Option<Authenticator<SecondFactor>>,
    /// The path of the author's own sign-in page.
    pub(crate) sign_in_at: Option<String>,
    /// None where nobody stays signed in.
    pub(crate) sessions: Option<Sessions>,
    /// None where no refresh tokens are issued.
    pub(crate) refreshing: Option<Refreshing>,
    pub(crate) access_token_lifetime: Duration,
    pub(crate) code_lifetime: Duration,
    pub(crate) brand: Brand,
    pub(crate) stylesheet: String,
    pub(crate) logo: Option<Logo>,
    pub(crate) pages: Arc<dyn Pages>,
    pub(crate) english: Texts,
    /// English among them.
    pub(crate) languages: Vec<Texts>,
    pub(crate) client_address: Option<Arc<ClientAddress>>,
}

/// All that refresh tokens need.
pub(crate) struct Refreshing {
    pub(crate) lifetimes: RefreshLifetimes,
    /// Whether the scope `offline_access` has to be granted for one.
    pub(crate) needs_offline_access: bool,
    /// From a subject to its claims of today.
    pub(crate) reload: Arc<Authenticator<String>>,
}

/// All that sessions need.
pub(crate) struct Sessions {
    pub(crate) lifetimes: SessionLifetimes,
    /// From a subject to its claims of today.
    pub(crate) reload: Arc<Authenticator<String>>,
}

impl OAuthService {
    /// Ends all that a user holds: sessions, access tokens, refresh tokens, and codes not yet redeemed.
    ///
    /// For a new password, a lost device, a dismissal. What is handed out within the same second is refused too: a user
    /// who signs in again that fast has to do it once more. A client's id ends the tokens that the client has in its own
    /// name.
    ///
    /// ```
    /// # use oauth_runtime::{OAuthService, store::StoreError};
    /// async fn change_password(oauth: OAuthService, user: &str) -> Result<(), StoreError> {
    ///     // .. the new hash is in the database by now ..
    ///     oauth.sign_out(user).await
    /// }
    /// ```
    ///
    /// # Errors
    /// The store has no answer: nobody was signed out.
    pub async fn sign_out(&self, subject: &str) -> Result<(), StoreError> {
        let at = self.issue_time().await?;
        self.0.store.set_not_before(subject, at, self.grant_ends(at)).await?;
        tracing::info!(target: "oauth", "a user was signed out everywhere");
        Ok(())
    }

    pub(crate) fn new(inner: Inner) -> Self {
        let service = OAuthService(Arc::new(inner));
        warn_of_twins(&service);
        service
    }

    /// Whether clients may ask who signed in.
    pub(crate) fn has_openid(&self) -> bool {
        self.0.scopes.contains_key(OPENID)
    }

    /// An ID token that comes back as a hint.
    pub(crate) fn id_token(&self, token: &str) -> Result<IdTokenHint, Reason> {
        self.0.keys.id_token(token, self.0.issuer.as_str()).map_err(|_| Reason::HintMalformed)
    }

    /// What the pages say in this language; English where there is no other.
    pub(crate) fn texts(&self, language: Option<&str>) -> &Texts {
        let asked = language.and_then(|language| self.0.languages.iter().find(|texts| texts.language == language));
        asked.unwrap_or(&self.0.english)
    }

    /// A scope in the author's words, in the language of these texts where he has some.
    pub(crate) fn described<'a>(&'a self, scope: &Scope, texts: &'a Texts) -> Vec<&'a str> {
        let described = |scope: &str| texts.scopes.get(scope).or_else(|| self.0.scopes.get(scope)).map(String::as_str);
        scope.iter().filter_map(described).collect()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// What a request asks a token to be for: known resources, or none (RFC 8707 §2).
    pub(crate) fn asked_resources(&self, parameters: &Parameters<'_>) -> Result<Resources, Reason> {
        let asked = parameters.all("resource", 2048)?;
        let known = |resource: &&str| self.0.audiences.iter().any(|known| known.audience == *resource);
        if asked.iter().all(known) { Ok(asked.into_iter().collect()) } else { Err(Reason::TargetUnknown) }
    }

    pub(crate) fn has_confidential_clients(&self) -> bool {
        self.0.clients.values().any(|client| client.credentials.is_some())
    }

    /// Whose failed attempts are counted together.
    pub(crate) fn peer(&self, request: &HttpRequest) -> Option<IpAddr> {
        match &self.0.client_address {
            Some(address) => address(request),
            None => request.peer_addr().map(|peer| peer.ip()),
        }
    }

    /// Until when something that is issued at this time, or a predecessor of it, can be presented: as long is remembered
    /// that it was ended. An access token may be of a time when their lifetime was set to more.
    pub(crate) fn grant_ends(&self, issued_at: Timestamp) -> Timestamp {
        let idle = self.0.refreshing.as_ref().map_or(Duration::ZERO, |refreshing| refreshing.lifetimes.idle);
        // An answer in grace, or of a slow store, comes a little later.
        issued_at + LONGEST_ACCESS_TOKEN.max(idle) + GRACE + SLOWEST_ANSWER
    }

    /// The time to write into what is handed out now: after the store's birth, at which all is refused. Times are
    /// whole seconds, so within the first second of a store this is the next one.
    pub(crate) async fn issue_time(&self) -> Result<Timestamp, StoreError> {
        Ok(self.now().max(self.0.store.birth().await? + Duration::from_secs(1)))
    }
}

/// A handler can ask for the service itself.
impl FromRequest for OAuthService {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(OAuthService::of(request).cloned().map_err(|reason| Refusal::new(reason, None).into_error(request)))
    }
}

impl OAuthService {
    pub(crate) fn of(request: &HttpRequest) -> Result<&OAuthService, Reason> {
        request.app_data::<OAuthService>().ok_or_else(|| {
            tracing::error!(
                target: "oauth",
                path = request.path(),
                "a guarded handler has no OAuthService: add .configure(oauth.routes()) to the App"
            );
            Reason::NoService
        })
    }
}

impl std::fmt::Debug for OAuthService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OAuthService").field("issuer", &self.0.issuer.as_str()).finish_non_exhaustive()
    }
}

/// For how long a request may be on its way between two steps: for as much longer something spent is remembered.
pub(crate) const SLOWEST_ANSWER: Duration = Duration::from_secs(60);

/// Two services of one issuer have two memories, and a code could be spent in each.
fn warn_of_twins(service: &OAuthService) {
    static SERVICES: Mutex<Vec<Weak<Inner>>> = Mutex::new(Vec::new());
    let mut services = SERVICES.lock();
    services.retain(|other| other.strong_count() > 0);
    let twin =
        services.iter().filter_map(Weak::upgrade).any(|other| other.issuer.as_str() == service.0.issuer.as_str());
    services.push(Arc::downgrade(&service.0));
    if twin {
        tracing::error!(
            target: "oauth",
            issuer = service.0.issuer.as_str(),
            "a second OAuthService for this issuer: build it once, outside the closure of HttpServer::new, or codes can be spent twice"
        );
    }
}
