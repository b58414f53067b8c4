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
mod operation;
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
use std::sync::Arc;
use std::time::Duration;

use crate::builder::openings::Openings;
use crate::builder::proof_settings::ProofSettings;
use crate::builder::state::WithoutReload;
use crate::clients::told::Function;
use crate::event::teller::Listener;
use crate::guard::refusal::RefusalBody;
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
/// Required: an issuer; one of the two `authenticate` methods, or [`sign_in_at`](Builder::sign_in_at); and a client, unless
/// clients come by other ways or there are sessions. Everything else has a default.
///
/// # Settings
///
/// Defaults and limits of each are in [the guide](crate::guide::configuration).
///
/// - Identity: [`issuer`](Builder::issuer), [`audience`](Builder::audience), [`resource`](Builder::resource),
///   [`own_resource`](Builder::own_resource), [`keys`](Builder::keys), [`secret`](Builder::secret),
///   [`danger_passphrase`](Builder::danger_passphrase), [`previous_secret`](Builder::previous_secret),
///   [`next_secret`](Builder::next_secret), [`path`](Builder::path), [`origin`](Builder::origin)
/// - Clients: [`client`](Builder::client), [`clients`](Builder::clients), [`clients_blocking`](Builder::clients_blocking),
///   [`mcp`](Builder::mcp), [`registration`](Builder::registration), [`registration_secret`](Builder::registration_secret),
///   [`registration_schemes`](Builder::registration_schemes), [`open_scopes`](Builder::open_scopes),
///   [`open_resources`](Builder::open_resources), `client_documents`, `without_client_documents`,
///   [`require_pushed_requests`](Builder::require_pushed_requests), [`dpop`](Builder::dpop),
///   [`dpop_nonces`](Builder::dpop_nonces), [`dpop_once`](Builder::dpop_once), [`require_dpop_at`](Builder::require_dpop_at),
///   [`assertion_algorithms`](Builder::assertion_algorithms)
/// - Users: [`authenticate`](Builder::authenticate), [`authenticate_blocking`](Builder::authenticate_blocking),
///   [`authenticate_timeout`](Builder::authenticate_timeout), [`blocking_at_once`](Builder::blocking_at_once),
///   [`second_factor`](Builder::second_factor), [`second_factor_blocking`](Builder::second_factor_blocking),
///   [`acr_values`](Builder::acr_values), [`sign_in_at`](Builder::sign_in_at), [`reload`](Builder::reload),
///   [`reload_blocking`](Builder::reload_blocking), [`untyped_claims`](Builder::untyped_claims)
/// - Sessions: [`sessions`](Builder::sessions), [`session_idle`](Builder::session_idle),
///   [`session_lifetime`](Builder::session_lifetime), [`remember_sessions`](Builder::remember_sessions),
///   [`account_page`](Builder::account_page)
/// - Tokens: [`access_token_lifetime`](Builder::access_token_lifetime), [`code_lifetime`](Builder::code_lifetime),
///   [`refresh_tokens`](Builder::refresh_tokens), [`refresh_token_idle`](Builder::refresh_token_idle),
///   [`refresh_token_lifetime`](Builder::refresh_token_lifetime), [`refresh_token_grace`](Builder::refresh_token_grace),
///   [`scope`](Builder::scope), [`implies`](Builder::implies), [`releases`](Builder::releases),
///   [`default_scope`](Builder::default_scope), [`narrow_scopes`](Builder::narrow_scopes),
///   [`seal_claims`](Builder::seal_claims), [`token_cache`](Builder::token_cache)
/// - Pages: [`name`](Builder::name), [`language`](Builder::language), [`accent`](Builder::accent), [`logo`](Builder::logo),
///   [`link`](Builder::link), [`terms`](Builder::terms), [`privacy`](Builder::privacy), [`pages`](Builder::pages),
///   [`refusal_body`](Builder::refusal_body), [`danger_explain_refusals`](Builder::danger_explain_refusals)
/// - Operations: [`store`](Builder::store), [`revocation_lag`](Builder::revocation_lag),
///   [`outage_tolerance`](Builder::outage_tolerance), [`store_deadline`](Builder::store_deadline),
///   [`client_address`](Builder::client_address), [`direct_peers`](Builder::direct_peers), [`on_event`](Builder::on_event),
///   `clock`
///
/// # Refresh tokens and sessions
///
/// Both look their user up again, so they are configured after [`Builder::reload`], which returns a
/// `Builder<WithReload>`: only that type has their methods.
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

/// The settings as given.
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
            // A password hash keeps a core busy. Because of the places kept for known browsers, strangers leave one
            // core to the workers.
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
}

/// # Identity: issuer, keys, clients and scopes
impl<S> Builder<S> {
    /// The server's name and address: `https://host`, with a path if it is to live below one; http on loopback only.
    /// It is never taken from a request (RFC 9700 §4.4).
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.settings.issuer = Some(issuer.into());
        self
    }

    /// Who the access tokens are for, their `aud`. Default: the issuer.
    ///
    /// If it is a URL of the issuer's own origin, its metadata is at its well-known address (RFC 9728), and every
    /// challenge of a guard names that address.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.settings.audience = Some(audience.into());
        self
    }

    /// A further resource that clients may ask tokens for, with the parameter `resource` (RFC 8707): another server
    /// that accepts the tokens of this one. Call it once for each.
    ///
    /// Clients may spell it differently, as far as URLs allow: the case of scheme and host, the default port, a
    /// trailing slash. A token for it has it, as written here, as its only `aud`. The guards here refuse such a token,
    /// since the other server could replay it. A request that names no resource means [`Builder::audience`].
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.settings.resources.push(resource.into());
        self
    }

    /// Like [`Builder::resource`], for a server of your own. It cannot open what is sealed, so tokens for it have all
    /// claims of the user in the open, even those of third-party clients, which can then read them.
    ///
    /// One token can be for several servers of your own, this one among them.
    pub fn own_resource(mut self, resource: impl Into<String>) -> Self {
        let resource = resource.into();
        self.settings.own_resources.push(resource.clone());
        self.resource(resource)
    }

    /// Seals, in the access tokens of every client, all that it was granted no scope for: claims of the user, the
    /// session, the grant. Guards here see no difference; another server sees only what is in the open. Default: only
    /// in those of third parties.
    pub fn seal_claims(mut self) -> Self {
        self.settings.seals_claims = true;
        self
    }

    /// The keys that sign the tokens, so that others can verify them. Default: keys derived from the secret. With the
    /// scope `openid` or a [`Builder::resource`] of another server they are ES256 keys, a new one every 30 days; else
    /// tokens are signed with HS256, which only this service can verify.
    pub fn keys(mut self, keys: Keys) -> Self {
        self.settings.keys = Some(keys);
        self
    }

    /// An application that may send its users here to sign in: call it once for each.
    ///
    /// A public client needs a redirect URI first: without one the call does not compile.
    pub fn client(mut self, client: Client<impl Complete>) -> Self {
        self.settings.clients.push(client.settings);
        self
    }

    /// A scope that clients may ask for, and how the sign-in page describes it. A scope that is not named here is not
    /// granted: the response lists what was, and a request for unknown scopes alone is refused with `invalid_scope`
    /// (RFC 6749 §3.3). A scope has at most 1,024 bytes, and so have all that one request asks for together.
    /// [`Client::allow_scopes`] says which client may ask for which.
    pub fn scope(mut self, scope: impl Into<String>, description: impl Into<String>) -> Self {
        self.settings.scopes.push((scope.into(), description.into()));
        self
    }

    /// What is granted where a client asks for no scope. Default: nothing.
    ///
    /// ```
    /// # use oauth_runtime::{BuildError, Client, Login, OAuthService};
    /// # use serde_json::json;
    /// # let builder = OAuthService::builder().issuer("http://127.0.0.1:8000");
    /// # let builder = builder.client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"));
    /// # let builder = builder.authenticate(async |login: Login| Some(json!({ "sub": login.username })));
    /// let builder = builder.scope("notes:read", "Read your notes").default_scope("notes:write");
    /// assert!(matches!(builder.build(), Err(BuildError::DefaultScope(_))));
    /// ```
    pub fn default_scope(mut self, scope: impl Into<String>) -> Self {
        self.settings.default_scope = Some(scope.into());
        self
    }

    /// Decides which scopes a user may grant: a plain function, called for each scope that a client asks for and may
    /// have. A scope for which it returns `false` is not granted. Default: each user may grant each scope.
    ///
    /// It is called when a code is made and when it is redeemed, and at each refresh with the claims of
    /// [`Builder::reload`]: a scope that the user may no longer grant is gone at the next refresh. It must not block. A
    /// panic refuses the request. [`Granting::claims`] reads claims of a type, [`Granting::claim`] those that are JSON.
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

    /// The strengths of a sign-in that [`SignIn::acr`](crate::SignIn::acr) may name, in your own words. Clients may ask
    /// for these (`acr_values`, RFC 9470 §4) and get their user in one of the ways asked for, or the error
    /// `unmet_authentication_requirements`; other values are ignored. The metadata lists them. Default: none are
    /// declared, and whatever a client asks for must be met.
    ///
    /// ```
    /// # use oauth_runtime::{BuildError, Client, Login, OAuthService};
    /// # use serde_json::json;
    /// # let builder = OAuthService::builder().issuer("http://127.0.0.1:8000");
    /// # let builder = builder.client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"));
    /// # let builder = builder.authenticate(async |login: Login| Some(json!({ "sub": login.username })));
    /// let oauth = builder.acr_values(["password two-factors"]).build(); // one value each
    /// assert!(matches!(oauth, Err(BuildError::AcrValue { .. })));
    /// ```
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
}

/// # Addresses
impl<S> Builder<S> {
    /// Moves a URL of the server. The path begins with `/` and is below the issuer's own.
    ///
    /// ```
    /// # use oauth_runtime::{BuildError, Client, Endpoint, Login, OAuthService};
    /// # use serde_json::json;
    /// # let builder = OAuthService::builder().issuer("http://127.0.0.1:8000");
    /// # let builder = builder.client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"));
    /// # let builder = builder.authenticate(async |login: Login| Some(json!({ "sub": login.username })));
    /// let oauth = builder.path(Endpoint::Token, "/authorize").build(); // another URL of the server
    /// assert!(matches!(oauth, Err(BuildError::Path { .. })));
    /// ```
    pub fn path(mut self, endpoint: Endpoint, path: impl Into<String>) -> Self {
        self.settings.paths.push((endpoint, path.into()));
        self
    }

    /// A web origin whose pages may call `/par`, `/token`, `/device_authorization`, `/register`, `/revoke` and `/userinfo`,
    /// besides those of the registered redirect URIs. Where a client need not be listed, pages of any origin may.
    ///
    /// ```
    /// # use oauth_runtime::{BuildError, Client, Login, OAuthService};
    /// # use serde_json::json;
    /// # let builder = OAuthService::builder().issuer("http://127.0.0.1:8000");
    /// # let builder = builder.client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"));
    /// # let builder = builder.authenticate(async |login: Login| Some(json!({ "sub": login.username })));
    /// let oauth = builder.origin("https://app.example/").build(); // without the slash
    /// assert!(matches!(oauth, Err(BuildError::Origin { .. })));
    /// ```
    pub fn origin(mut self, origin: impl Into<String>) -> Self {
        self.settings.origins.push(origin.into());
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
