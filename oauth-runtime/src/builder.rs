//! How a service is configured: the builder and its defaults. The folder has the rest of its methods by topic, each beside
//! what [`Builder::build`] makes of it.

mod appearance;
pub(crate) mod back_channel;
mod build;
pub mod client_address;
mod clients;
pub(crate) mod error;
mod guards;
mod implied;
mod lifetimes;
pub(crate) mod misfit;
pub(crate) mod openings;
mod paths;
mod proof_settings;
mod proofs;
mod requests;
mod secrets;
pub(crate) mod state;
mod told;
mod typing;
mod unlisted;
mod users;
mod whole;

use std::fmt;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse};

use crate::builder::openings::Openings;
use crate::builder::proof_settings::ProofSettings;
use crate::builder::state::WithoutReload;
use crate::clients::told::Function;
use crate::event::Event;
use crate::event::teller::Listener;
use crate::guard::refusal::{Refusal, RefusalBody};
use crate::keys::Keys;
use crate::model::client::{ClientSettings, Complete};
use crate::model::jwk::SignatureAlgorithm;
use crate::model::lifetime::GRACE;
use crate::model::session::Remember;
use crate::model::{Client, Clock, Secret};
use crate::pages::{BuiltInPages, Look, Pages, Texts};
use crate::server::OAuthService;
use crate::server::address::ClientAddress;
use crate::server::paths::Endpoint;
use crate::standing::Patience;
use crate::store::Store;
use crate::users::granting::{Granting, Narrow};
use crate::users::{Authenticate, ClaimsType, SecondFactor, Typing};

/// Configures an [`OAuthService`]; made by [`OAuthService::builder`].
///
/// Required: an issuer, a client and one of the two `authenticate` methods. All else has a default.
///
/// Refresh tokens and sessions look their user up again, so what configures them comes after [`Builder::reload`]: it answers a
/// `Builder<WithReload>`, and their methods are for that one alone.
///
/// ```
/// use oauth_runtime::states::WithReload;
/// use oauth_runtime::{Builder, Client, Login, OAuthService};
/// # use serde_json::{Value, json};
///
/// fn base() -> Builder {
///     let builder = OAuthService::builder().issuer("http://127.0.0.1:8000");
///     let builder = builder.client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"));
///     builder.authenticate(async |login: Login| Some(json!({ "sub": login.username })))
/// }
///
/// fn staying(builder: Builder) -> Builder<WithReload> {
///     builder.reload(async |subject: &str| Some(json!({ "sub": subject }))).account_page()
/// }
///
/// assert!(base().build().is_ok() && staying(base()).build().is_ok());
/// ```
///
/// ```compile_fail,E0277
/// # use oauth_runtime::OAuthService;
/// let builder = OAuthService::builder().refresh_tokens(true); // they need .reload(..) before them
/// ```
#[must_use]
pub struct Builder<S = WithoutReload> {
    settings: Settings,
    state: PhantomData<fn() -> S>,
}

/// What was said to the builder.
struct Settings {
    issuer: Option<String>,
    audience: Option<String>,
    resources: Vec<String>,
    secret: Option<Secret>,
    previous_secrets: Vec<Secret>,
    next_secrets: Vec<Secret>,
    keys: Option<Keys>,
    clients: Vec<ClientSettings>,
    told: Option<Arc<Function>>,
    openings: Openings,
    /// Of the scope that was named before.
    implied: Vec<(Option<String>, String)>,
    scopes: Vec<(String, String)>,
    /// Of the scope that was named before.
    releases: Vec<(Option<String>, Vec<String>)>,
    seals_claims: bool,
    own_resources: Vec<String>,
    default_scope: Option<String>,
    narrow_scopes: Option<Arc<Narrow>>,
    acr_values: Vec<String>,
    assertion_algorithms: Vec<SignatureAlgorithm>,
    requires_pushed_requests: bool,
    proofs: ProofSettings,
    authenticate: Option<(Authenticate, ClaimsType)>,
    typing: Typing,
    authenticate_timeout: Duration,
    blocking_at_once: usize,
    second_factor: Option<(Authenticate<SecondFactor>, ClaimsType)>,
    sign_in_at: Option<String>,
    reload: Option<(Authenticate<String>, ClaimsType)>,
    sessions: bool,
    session_idle: Option<Duration>,
    session_lifetime: Option<Duration>,
    languages: Vec<Texts>,
    refresh_tokens: bool,
    refresh_token_idle: Option<Duration>,
    refresh_token_lifetime: Option<Duration>,
    refresh_token_grace: Duration,
    access_token_lifetime: Duration,
    code_lifetime: Duration,
    paths: Vec<(Endpoint, String)>,
    origins: Vec<String>,
    store: Option<Arc<dyn Store>>,
    patience: Patience,
    clock: Clock,
    name: Option<String>,
    accent: Option<String>,
    account_page: bool,
    remember: Remember,
    links: Vec<(String, String)>,
    terms: Option<String>,
    privacy: Option<String>,
    look: Look,
    pages: Arc<dyn Pages>,
    refusal_body: Option<Arc<RefusalBody>>,
    explains_refusals: bool,
    token_cache: usize,
    client_address: ClientAddress,
    listeners: Vec<Listener>,
}

impl OAuthService {
    /// Starts the configuration of a service.
    pub fn builder() -> Builder {
        Builder::new()
    }
}

impl Builder {
    pub(crate) fn new() -> Self {
        Builder::of(Settings::new())
    }
}

impl Settings {
    fn new() -> Self {
        Settings {
            issuer: None,
            audience: None,
            resources: Vec::new(),
            secret: None,
            previous_secrets: Vec::new(),
            next_secrets: Vec::new(),
            keys: None,
            clients: Vec::new(),
            told: None,
            openings: Openings::default(),
            implied: Vec::new(),
            scopes: Vec::new(),
            releases: Vec::new(),
            seals_claims: false,
            own_resources: Vec::new(),
            default_scope: None,
            narrow_scopes: None,
            acr_values: Vec::new(),
            assertion_algorithms: SignatureAlgorithm::ALL.to_vec(),
            requires_pushed_requests: false,
            proofs: ProofSettings::default(),
            authenticate: None,
            typing: Typing::One,
            authenticate_timeout: Duration::from_secs(10),
            // A password hash fills a core. With the part that is kept, strangers leave the workers one to answer on.
            blocking_at_once: std::thread::available_parallelism().map_or(2, |cores| cores.get().clamp(2, 16)),
            second_factor: None,
            sign_in_at: None,
            reload: None,
            sessions: true,
            session_idle: None,
            session_lifetime: None,
            languages: Vec::new(),
            refresh_tokens: true,
            refresh_token_idle: None,
            refresh_token_lifetime: None,
            refresh_token_grace: GRACE,
            access_token_lifetime: Duration::from_secs(3600),
            code_lifetime: Duration::from_secs(60),
            paths: Vec::new(),
            origins: Vec::new(),
            store: None,
            patience: Patience::default(),
            clock: Clock::system(),
            name: None,
            accent: None,
            account_page: false,
            remember: Remember::default(),
            links: Vec::new(),
            terms: None,
            privacy: None,
            look: Look::default(),
            pages: Arc::new(BuiltInPages),
            refusal_body: None,
            explains_refusals: false,
            token_cache: 16 << 20,
            client_address: ClientAddress::Unsaid,
            listeners: Vec::new(),
        }
    }
}

impl<S> Builder<S> {
    fn of(settings: Settings) -> Self {
        Builder { settings, state: PhantomData }
    }

    /// The server's name and address: `https://host`, with a path if it is to live below one; http on loopback only.
    /// It is never taken from a request (RFC 9700 §4.4).
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.settings.issuer = Some(issuer.into());
        self
    }

    /// Who the access tokens are for, their `aud`. Default: the issuer.
    ///
    /// Where it is a URL of the issuer's own origin, it is described at its well-known address (RFC 9728), and every
    /// challenge of a guard says where.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.settings.audience = Some(audience.into());
        self
    }

    /// A further resource that clients may ask tokens for, with the parameter `resource` (RFC 8707): another server, that
    /// takes the tokens of this one. Call it once for each.
    ///
    /// Clients may spell it otherwise, as far as URLs do: the case of scheme and host, the default port, a closing slash. A token
    /// for it has it as its `aud`, as it is written here, is for it alone, and is refused by the guards here: the server could use it at the
    /// others. Where no resource is asked for, [`Builder::audience`] is meant.
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.settings.resources.push(resource.into());
        self
    }

    /// As [`Builder::resource`], for a server of your own: tokens for it have all claims of the user in the open, those of third
    /// parties' clients too, since it cannot open what is sealed. Those clients can read them then.
    ///
    /// One token can be for several servers of your own, this one among them.
    pub fn own_resource(mut self, resource: impl Into<String>) -> Self {
        let resource = resource.into();
        self.settings.own_resources.push(resource.clone());
        self.resource(resource)
    }

    /// Seals in the access tokens of every client what it was granted no scope for: claims of the user, the session, the
    /// grant. Guards here see no difference; another server sees what is in the open. Default: in those of third parties.
    pub fn seal_claims(mut self) -> Self {
        self.settings.seals_claims = true;
        self
    }

    /// What signs the tokens, so that others can verify them. Default: keys derived from the secret. With the scope
    /// `openid` or a [`Builder::resource`] these are keys for ES256, a new one every 30 days; else HS256 signs, which only
    /// this service can verify.
    pub fn keys(mut self, keys: Keys) -> Self {
        self.settings.keys = Some(keys);
        self
    }

    /// An application that may send its users here to sign in: call it once for each.
    ///
    /// A public client needs a redirect URI first: without one it does not compile.
    pub fn client(mut self, client: Client<impl Complete>) -> Self {
        self.settings.clients.push(client.settings);
        self
    }

    /// A scope that clients may ask for, and what the sign-in page says of it. A scope that is not named here is not
    /// granted: the answer says what was, and a request for nothing else is refused with `invalid_scope` (RFC 6749 §3.3).
    /// Which client may ask for which is [`Client::allow_scopes`].
    pub fn scope(mut self, scope: impl Into<String>, description: impl Into<String>) -> Self {
        self.settings.scopes.push((scope.into(), description.into()));
        self
    }

    /// What is granted where a client asks for no scope. Default: nothing.
    pub fn default_scope(mut self, scope: impl Into<String>) -> Self {
        self.settings.default_scope = Some(scope.into());
        self
    }

    /// Decides which scopes a user may grant: a plain function, asked for each scope that a client asks for and may have.
    /// What it answers `false` for is not granted. Default: each user may grant each scope.
    ///
    /// It is asked when a code is made and redeemed, and at each refresh with the claims of [`Builder::reload`]: a scope that
    /// a user may not grant any more is gone at the next one. It must not block. A panic refuses the request. Claims of a type are
    /// read by [`Granting::claims`], those that are JSON by [`Granting::claim`].
    ///
    /// ```
    /// use oauth_runtime::Granting;
    /// # use oauth_runtime::{Client, Login, OAuthService};
    /// # use serde_json::json;
    ///
    /// let oauth = OAuthService::builder()
    ///     .issuer("http://127.0.0.1:8000")
    ///     .client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"))
    ///     .scope("notes:read", "Read your notes")
    ///     .scope("users:write", "Change users")
    ///     .narrow_scopes(|user: &Granting<'_>, scope| scope != "users:write" || user.claim("role") == "admin")
    ///     .authenticate(async |_: Login| Some(json!({ "sub": "ada", "role": "admin" })))
    ///     .build()
    ///     .unwrap();
    /// # let _ = oauth;
    /// ```
    pub fn narrow_scopes(mut self, may_grant: impl Fn(&Granting<'_>, &str) -> bool + Send + Sync + 'static) -> Self {
        self.settings.narrow_scopes = Some(Arc::new(may_grant));
        self
    }

    /// The strengths of a sign-in that [`SignIn::acr`](crate::SignIn::acr) may say, in your words. Clients may ask for these
    /// (`acr_values`, RFC 9470 §4) and get their user in one of the ways asked for, or the error
    /// `unmet_authentication_requirements`; what else they ask for is ignored. The metadata lists them. Default: none is
    /// declared, and whatever a client asks for has to be met.
    pub fn acr_values<T: Into<String>>(mut self, values: impl IntoIterator<Item = T>) -> Self {
        self.settings.acr_values.extend(values.into_iter().map(Into::into));
        self
    }

    /// How clients may sign their assertions (`private_key_jwt`); the metadata lists it. A client whose registered keys are of
    /// another kind is a [`BuildError`](crate::BuildError). Default: all three.
    ///
    /// FAPI 2.0 §5.4.1 leaves RS256 out: `.assertion_algorithms([SignatureAlgorithm::Es256, SignatureAlgorithm::EdDsa])`.
    pub fn assertion_algorithms(mut self, algorithms: impl IntoIterator<Item = SignatureAlgorithm>) -> Self {
        self.settings.assertion_algorithms = algorithms.into_iter().collect();
        self
    }

    /// Moves a URL of the server. The path begins with `/` and is below the issuer's own.
    pub fn path(mut self, endpoint: Endpoint, path: impl Into<String>) -> Self {
        self.settings.paths.push((endpoint, path.into()));
        self
    }

    /// A web origin whose pages may call `/token`, `/revoke` and `/userinfo`, besides those of the registered redirect
    /// URIs.
    pub fn origin(mut self, origin: impl Into<String>) -> Self {
        self.settings.origins.push(origin.into());
        self
    }

    /// What remembers that a code was spent or a grant revoked. Default: this process's memory.
    pub fn store(mut self, store: impl Store) -> Self {
        self.settings.store = Some(Arc::new(store));
        self
    }

    /// How long a revocation may take to hold in other processes that share the store, at their guards: for as long a
    /// guard counts what the store last said of a user, and does not ask again. With zero it asks each time. Default: 2
    /// seconds. The store in memory is always asked.
    pub fn revocation_lag(mut self, lag: Duration) -> Self {
        self.settings.patience.revocation_lag = lag;
        self
    }

    /// How long guards go on with what the store last said, where it does not answer. All else that needs the store is
    /// refused at once, with status 503. Default: 30 seconds.
    pub fn outage_tolerance(mut self, tolerance: Duration) -> Self {
        self.settings.patience.outage_tolerance = tolerance;
        self
    }

    /// Within what time the store has to answer; else it is taken to be away. Default: 5 seconds.
    pub fn store_deadline(mut self, deadline: Duration) -> Self {
        self.settings.patience.deadline = deadline;
        self
    }

    /// Reads the time from this clock: for tests that advance it.
    #[cfg(feature = "testing")]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.settings.clock = clock;
        self
    }

    /// Replaces the body of a guard's refusal. Status and `WWW-Authenticate` stay the guard's own.
    pub fn refusal_body(
        mut self,
        body: impl Fn(&Refusal, &HttpRequest) -> HttpResponse + Send + Sync + 'static,
    ) -> Self {
        self.settings.refusal_body = Some(Arc::new(body));
        self
    }

    /// Tells a caller that is refused the policy and the terms that decided, as `policy` and `decided` in the JSON body: for
    /// development, since it tells a stranger what to look for. The log has both in any case.
    pub fn danger_explain_refusals(mut self) -> Self {
        self.settings.explains_refusals = true;
        self
    }

    /// How many bytes of verified tokens are kept, so that a token that comes again is not verified again; 0 keeps
    /// none. Default: 16 MiB, enough for several thousand. Expiry and revocation are decided on every request all the same.
    /// The few that come most to a thread it keeps itself as well, in less than 1 MiB.
    pub fn token_cache(mut self, bytes: usize) -> Self {
        self.settings.token_cache = bytes;
        self
    }

    /// Whose attempts to sign in are counted together, and where events say that a request came from. Default: the peer's
    /// address. It is asked at each request to the server's own URLs.
    ///
    /// Behind a reverse proxy every peer is the proxy, and all users would share one count: read there what the proxy itself
    /// writes. [`client_address`](crate::client_address) has readers for the usual headers. Requests for which there is no
    /// address count as one network. An https service needs this or [`Builder::direct_peers`]; without either, an http service
    /// that delays a peer on a private network warns of it, once.
    pub fn client_address(mut self, address: impl Fn(&HttpRequest) -> Option<IpAddr> + Send + Sync + 'static) -> Self {
        self.settings.client_address = ClientAddress::Read(Arc::new(address));
        self
    }

    /// Says that browsers connect to this service without a reverse proxy between: failed attempts count for the peer's
    /// address. An https service needs this or [`Builder::client_address`].
    pub fn direct_peers(mut self) -> Self {
        self.settings.client_address = ClientAddress::Peer;
        self
    }

    /// Calls a function with everything that happens, such as a sign-in, a token or a reuse: to keep an audit trail, or to
    /// write to a user whose account was used in a new place. Call it once for each function. Default: the log alone, which
    /// has the same events with the same fields.
    ///
    /// One thread of its own calls the functions, one event after another, so they may block; no request waits for them.
    /// 1,024 events can wait for it, and what is beyond that is dropped: the next event says how many were
    /// ([`Event::dropped`]). A panic is caught, and logged the first time. What waits when the process ends is lost.
    ///
    /// ```
    /// use oauth_runtime::{Event, EventKind};
    /// # use oauth_runtime::{Client, Login, OAuthService};
    /// # #[actix_web::main] async fn main() {
    ///
    /// let (sender, told) = std::sync::mpsc::channel();
    /// let oauth = OAuthService::builder()
    ///     .on_event(move |event: &Event| match event.kind {
    ///         EventKind::SignedOutEverywhere => sender.send(event.subject.clone()).unwrap(),
    ///         _ => {}
    ///     })
    ///     // and the rest
    /// #   .issuer("http://127.0.0.1:8000").client(Client::public("demo").redirect_uri("http://127.0.0.1/"))
    /// #   .authenticate_blocking(|_: Login| Some(serde_json::json!({})))
    ///     .build()
    ///     .unwrap();
    /// oauth.sign_out("alice").await.unwrap();
    /// assert_eq!(told.recv().unwrap().as_deref(), Some("alice"));
    /// # }
    /// ```
    pub fn on_event(mut self, function: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.settings.listeners.push(Box::new(function));
        self
    }
}

impl<S> fmt::Debug for Builder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("issuer", &self.settings.issuer)
            .field("clients", &self.settings.clients)
            .finish_non_exhaustive()
    }
}
