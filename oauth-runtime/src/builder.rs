//! How a service is configured: the builder, its defaults, and what it refuses.

mod clients;
pub(crate) mod error;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::builder::clients::clients;
use crate::builder::error::BuildError;
use crate::guard::cache::TokenCache;
use crate::guard::map;
use crate::guard::protection::{Protection, Verifier};
use crate::guard::refusal::{Refusal, RefusalBody, Resource};
use crate::keys::{Expected, KeyRing, Keys};
use crate::model::claims::OPENID;
use crate::model::issuer::{Issuer, is_plain_path};
use crate::model::refresh::RefreshLifetimes;
use crate::model::resource::is_resource;
use crate::model::session::SessionLifetimes;
use crate::model::time::LONGEST_ACCESS_TOKEN;
use crate::model::{Client, Clock, Scope, Secret};
use crate::pages::{Brand, BuiltInPages, Logo, Look, Pages, Texts};
use crate::policy::Rule;
use crate::seal::Sealer;
use crate::server::paths::{Endpoint, Has, Paths};
use crate::server::{Inner, OAuthService, Refreshing, Sessions};
use crate::store::{MemoryStore, Store};
use crate::users::{Answer, Authenticate, Authenticator, ClaimsType, Login, SecondFactor};

/// Configures an [`OAuthService`]; made by [`OAuthService::builder`].
///
/// Needed are an issuer, a client and one of the two `authenticate` methods. All else has a default.
#[must_use]
pub struct Builder {
    issuer: Option<String>,
    audience: Option<String>,
    resources: Vec<String>,
    secret: Option<Secret>,
    previous_secrets: Vec<Secret>,
    keys: Option<Keys>,
    clients: Vec<Client>,
    scopes: Vec<(String, String)>,
    default_scope: Option<String>,
    authenticate: Option<(Authenticate, ClaimsType)>,
    denies_foreign_claims: bool,
    authenticate_timeout: Duration,
    blocking_at_once: usize,
    second_factor: Option<(Authenticate<SecondFactor>, ClaimsType)>,
    sign_in_at: Option<String>,
    reload: Option<(Authenticate<String>, ClaimsType)>,
    sessions: Option<bool>,
    session_idle: Option<Duration>,
    session_lifetime: Option<Duration>,
    languages: Vec<Texts>,
    refresh_tokens: Option<bool>,
    refresh_token_idle: Option<Duration>,
    refresh_token_lifetime: Option<Duration>,
    access_token_lifetime: Duration,
    code_lifetime: Duration,
    paths: Vec<(Endpoint, String)>,
    origins: Vec<String>,
    store: Option<Arc<dyn Store>>,
    clock: Clock,
    name: Option<String>,
    accent: Option<String>,
    look: Look,
    pages: Arc<dyn Pages>,
    refusal_body: Option<Arc<RefusalBody>>,
    explains_refusals: bool,
    token_cache: usize,
    client_address: Option<Arc<ClientAddress>>,
}

pub(crate) type ClientAddress = dyn Fn(&HttpRequest) -> Option<IpAddr> + Send + Sync;

impl OAuthService {
    /// Starts the configuration of a service.
    pub fn builder() -> Builder {
        Builder::new()
    }
}

impl Builder {
    pub(crate) fn new() -> Self {
        Builder {
            issuer: None,
            audience: None,
            resources: Vec::new(),
            secret: None,
            previous_secrets: Vec::new(),
            keys: None,
            clients: Vec::new(),
            scopes: Vec::new(),
            default_scope: None,
            authenticate: None,
            denies_foreign_claims: false,
            authenticate_timeout: Duration::from_secs(10),
            // A password hash fills a core; a few more keep the cores busy while others wait for a database.
            blocking_at_once: std::thread::available_parallelism().map_or(4, |cores| (cores.get() * 2).clamp(4, 16)),
            second_factor: None,
            sign_in_at: None,
            reload: None,
            sessions: None,
            session_idle: None,
            session_lifetime: None,
            languages: Vec::new(),
            refresh_tokens: None,
            refresh_token_idle: None,
            refresh_token_lifetime: None,
            access_token_lifetime: Duration::from_secs(3600),
            code_lifetime: Duration::from_secs(60),
            paths: Vec::new(),
            origins: Vec::new(),
            store: None,
            clock: Clock::system(),
            name: None,
            accent: None,
            look: Look::default(),
            pages: Arc::new(BuiltInPages),
            refusal_body: None,
            explains_refusals: false,
            token_cache: 16 << 20,
            client_address: None,
        }
    }

    /// The server's name and address: `https://host`, with a path if it is to live below one; http on loopback only.
    /// It is never taken from a request (RFC 9700 §4.4).
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Who the access tokens are for, their `aud`: the issuer unless set.
    ///
    /// Where it is a URL of the issuer's own origin, it is described at its well-known address (RFC 9728), and every
    /// challenge of a guard says where.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// A further resource that clients may ask tokens for, with the parameter `resource` (RFC 8707): another server, that
    /// takes the tokens of this one. Call it once for each.
    ///
    /// A token for it has it as its `aud`, and is refused by the guards here unless it is for
    /// [`Builder::audience`] as well. Where no resource is asked for, that one is meant.
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.resources.push(resource.into());
        self
    }

    /// What everything is signed and sealed under: at least 32 random bytes, the same in every process of the service.
    ///
    /// Left out, one is drawn, with a warning: tokens then end with the process.
    pub fn secret(mut self, secret: impl Into<Secret>) -> Self {
        self.secret = Some(secret.into());
        self
    }

    /// A secret used before: what was made under it is still taken, and nothing more is made under it.
    pub fn previous_secret(mut self, secret: impl Into<Secret>) -> Self {
        self.previous_secrets.push(secret.into());
        self
    }

    /// What signs the tokens, so that others can verify them: HS256 under a key derived from the secret unless set, which
    /// only this service can verify.
    pub fn keys(mut self, keys: Keys) -> Self {
        self.keys = Some(keys);
        self
    }

    /// An application that may send its users here to sign in: call it once for each.
    pub fn client(mut self, client: Client) -> Self {
        self.clients.push(client);
        self
    }

    /// A scope that clients may ask for, and what the sign-in page says of it. A scope that is not named here is
    /// refused with `invalid_scope`.
    pub fn scope(mut self, scope: impl Into<String>, description: impl Into<String>) -> Self {
        self.scopes.push((scope.into(), description.into()));
        self
    }

    /// What is granted where a client asks for no scope: nothing, unless set.
    pub fn default_scope(mut self, scope: impl Into<String>) -> Self {
        self.default_scope = Some(scope.into());
        self
    }

    /// Finds out who signs in: an async function from [`Login`] to claims, `None` for no.
    ///
    /// It answers `Option<claims>` or `Result<Option<claims>, error>`, the claims being any `Serialize` struct or a
    /// JSON object. The token's `sub` is the claims' own, or else the name as typed: return one where names are compared
    /// without case. Take the same time whether or not the user exists. It must not block: a blocking call in it stops
    /// its worker, and no timeout can help; hash passwords with [`Builder::authenticate_blocking`].
    pub fn authenticate<R: Answer + 'static>(
        mut self,
        function: impl AsyncFn(Login) -> R + Send + Sync + 'static,
    ) -> Self {
        self.authenticate = Some((Authenticate::asynchronous(function), ClaimsType::of::<R>()));
        self
    }

    /// As [`Builder::authenticate`], with a plain function that may block: it runs on threads of its own, a bounded
    /// number of them at once ([`Builder::blocking_at_once`]). Who has waited a second for a place gets a 503.
    pub fn authenticate_blocking<R: Answer>(mut self, function: impl Fn(Login) -> R + Send + Sync + 'static) -> Self {
        self.authenticate = Some((Authenticate::blocking(function), ClaimsType::of::<R>()));
        self
    }

    /// Refuses to build where a guard's pattern is of another type than `authenticate` answers. Such a guard refuses
    /// everybody whose claims do not happen to have its shape; unless this is set, a warning at start-up says so.
    pub fn deny_foreign_claims(mut self) -> Self {
        self.denies_foreign_claims = true;
        self
    }

    /// How long `authenticate` may take: 10 seconds unless set. After that the answer is a 503.
    pub fn authenticate_timeout(mut self, timeout: Duration) -> Self {
        self.authenticate_timeout = timeout;
        self
    }

    /// How many calls of `authenticate_blocking` may run at once: twice the cores, 4 to 16, unless set. Argon2 takes
    /// 20 to 40 MiB for each.
    pub fn blocking_at_once(mut self, calls: usize) -> Self {
        self.blocking_at_once = calls;
        self
    }

    /// Takes the answer to what `authenticate` asked with [`SignIn::ask`](crate::SignIn::ask), after the password was right:
    /// an async function from [`SecondFactor`] to a [`SignIn`](crate::SignIn). It may ask again.
    ///
    /// Wrong answers are counted and slowed down, by name. A right one signs in once.
    ///
    /// ```
    /// # use oauth_runtime::{Client, Login, OAuthService, Question, SecondFactor, SignIn};
    /// # use serde_json::{Value, json};
    /// # fn is_right(login: &Login) -> bool { true }
    /// # fn is_code_of(username: &str, code: &str) -> bool { true }
    /// let oauth = OAuthService::builder()
    ///     .issuer("http://127.0.0.1:8000")
    ///     .client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"))
    ///     .authenticate(async |login: Login| -> SignIn<Value> {
    ///         if is_right(&login) { SignIn::ask(Question::code("Enter the code of your app")) } else { SignIn::refused() }
    ///     })
    ///     .second_factor(async |factor: SecondFactor| {
    ///         if is_code_of(&factor.username, &factor.answer) {
    ///             SignIn::done(json!({ "sub": factor.username })).amr("pwd").amr("otp").acr("two-factors")
    ///         } else {
    ///             SignIn::refused()
    ///         }
    ///     })
    ///     .build()
    ///     .unwrap();
    /// # let _ = oauth;
    /// ```
    pub fn second_factor<R: Answer + 'static>(
        mut self,
        function: impl AsyncFn(SecondFactor) -> R + Send + Sync + 'static,
    ) -> Self {
        self.second_factor = Some((Authenticate::asynchronous(function), ClaimsType::of::<R>()));
        self
    }

    /// As [`Builder::second_factor`], with a plain function that may block; it shares the threads of
    /// [`Builder::authenticate_blocking`].
    pub fn second_factor_blocking<R: Answer>(
        mut self,
        function: impl Fn(SecondFactor) -> R + Send + Sync + 'static,
    ) -> Self {
        self.second_factor = Some((Authenticate::blocking(function), ClaimsType::of::<R>()));
        self
    }

    /// Signs users in on a page of your own, at this path of the same origin, instead of the built-in one: with passkeys,
    /// by mail, by an upstream provider. `authenticate` is then not needed.
    ///
    /// The browser comes to it as `/path?request=..`. [`OAuthService::pending`] opens that request, and
    /// [`PendingAuthorization::finish`](crate::PendingAuthorization::finish) answers it once you know who it is.
    pub fn sign_in_at(mut self, path: impl Into<String>) -> Self {
        self.sign_in_at = Some(path.into());
        self
    }

    /// Looks a subject's claims up again: an async function from a token's `sub` to the claims of today, `None` for a
    /// user who is not to be let in any more. It turns refresh tokens and sessions on.
    ///
    /// Refresh tokens and sessions carry the subject and not the claims: a role that was taken away is gone at the next refresh, and
    /// with `None` the grant ends. An error, a panic or too long a time means 503, and the refresh token stays as good as
    /// it was. It answers what [`Builder::authenticate`] answers, within the same time, and must not block either.
    ///
    /// ```
    /// # use oauth_runtime::{Client, Login, OAuthService};
    /// # use serde_json::{Value, json};
    /// # async fn role_of(subject: &str) -> Result<Option<Value>, std::io::Error> { Ok(None) }
    /// let oauth = OAuthService::builder()
    ///     .issuer("http://127.0.0.1:8000")
    ///     .client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"))
    ///     .authenticate(async |login: Login| Some(json!({ "sub": login.username, "role": "admin" })))
    ///     .reload(async |subject: &str| role_of(subject).await)
    ///     .build()
    ///     .unwrap();
    /// # let _ = oauth;
    /// ```
    pub fn reload<R: Answer + 'static>(mut self, function: impl AsyncFn(&str) -> R + Send + Sync + 'static) -> Self {
        let function = Authenticate::asynchronous(async move |subject: String| function(&subject).await);
        self.reload = Some((function, ClaimsType::of::<R>()));
        self
    }

    /// As [`Builder::reload`], with a plain function that may block; it shares the threads of
    /// [`Builder::authenticate_blocking`].
    pub fn reload_blocking<R: Answer>(mut self, function: impl Fn(&str) -> R + Send + Sync + 'static) -> Self {
        let function = Authenticate::blocking(move |subject: String| function(&subject));
        self.reload = Some((function, ClaimsType::of::<R>()));
        self
    }

    /// Whether clients get refresh tokens: once [`Builder::reload`] is there, unless set. Where the builder names a scope
    /// `offline_access`, only a client that was granted it gets one.
    pub fn refresh_tokens(mut self, issued: bool) -> Self {
        self.refresh_tokens = Some(issued);
        self
    }

    /// How long a refresh token is good that is not used: 14 days unless set.
    pub fn refresh_token_idle(mut self, lifetime: Duration) -> Self {
        self.refresh_token_idle = Some(lifetime);
        self
    }

    /// How long after the sign-in refresh tokens are good at all, however often they are used: 90 days unless set. After
    /// that the user signs in again.
    pub fn refresh_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.refresh_token_lifetime = Some(lifetime);
        self
    }

    /// Whether a browser stays signed in, so that the next client gets a code without asking: once [`Builder::reload`] is
    /// there, unless set. The session is a sealed cookie that ends with the browser.
    pub fn sessions(mut self, kept: bool) -> Self {
        self.sessions = Some(kept);
        self
    }

    /// How long a session is good that no client asks for: a day unless set.
    pub fn session_idle(mut self, lifetime: Duration) -> Self {
        self.session_idle = Some(lifetime);
        self
    }

    /// How long after the sign-in a session is good at all: 14 days unless set. After that the user signs in again.
    pub fn session_lifetime(mut self, lifetime: Duration) -> Self {
        self.session_lifetime = Some(lifetime);
        self
    }

    /// A further language of the pages, besides English: call it once for each. A client asks for it with `ui_locales`,
    /// else the browser's preference counts.
    ///
    /// ```
    /// use oauth_runtime::{OAuthService, Texts};
    ///
    /// let oauth = OAuthService::builder().language(Texts::german()).language(Texts {
    ///     language: "nl".into(),
    ///     sign_in: "Inloggen".into(),
    ///     // .. all that is left out is English ..
    ///     ..Texts::english()
    /// });
    /// # let _ = oauth;
    /// ```
    pub fn language(mut self, texts: Texts) -> Self {
        self.languages.push(texts);
        self
    }

    /// How long an access token is good: an hour unless set, a day at most, in whole seconds.
    pub fn access_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.access_token_lifetime = lifetime;
        self
    }

    /// How long an authorization code is good: 60 seconds unless set, ten minutes at most (RFC 6749 §4.1.2).
    pub fn code_lifetime(mut self, lifetime: Duration) -> Self {
        self.code_lifetime = lifetime;
        self
    }

    /// Moves a URL of the server. The path begins with `/` and is below the issuer's own.
    pub fn path(mut self, endpoint: Endpoint, path: impl Into<String>) -> Self {
        self.paths.push((endpoint, path.into()));
        self
    }

    /// A web origin whose pages may call `/token`, besides those of the registered redirect URIs.
    pub fn origin(mut self, origin: impl Into<String>) -> Self {
        self.origins.push(origin.into());
        self
    }

    /// What remembers that a code was spent or a grant revoked: this process's memory unless set.
    pub fn store(mut self, store: impl Store) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Reads the time from this clock: for tests that advance it.
    #[cfg(feature = "testing")]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// What the pages call this service: the issuer's host unless set.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The colour of the pages, as `#rrggbb`. What is written on it stays legible whatever it is.
    pub fn accent(mut self, colour: impl Into<String>) -> Self {
        self.accent = Some(colour.into());
        self
    }

    /// The image on the pages.
    pub fn logo(mut self, logo: Logo) -> Self {
        self.look.logo = Some(logo);
        self
    }

    /// Makes the pages by other means than the built-in templates.
    pub fn pages(mut self, pages: impl Pages) -> Self {
        self.pages = Arc::new(pages);
        self
    }

    /// Replaces the body of a guard's refusal. Status and `WWW-Authenticate` stay the guard's own.
    pub fn refusal_body(
        mut self,
        body: impl Fn(&Refusal, &HttpRequest) -> HttpResponse + Send + Sync + 'static,
    ) -> Self {
        self.refusal_body = Some(Arc::new(body));
        self
    }

    /// Tells whoever is refused the policy and the terms that decided, as `policy` and `decided` in the JSON body: for
    /// development, since it tells a stranger what to look for. The log has both in any case.
    pub fn danger_explain_refusals(mut self) -> Self {
        self.explains_refusals = true;
        self
    }

    /// How many bytes of verified tokens are kept, so that a token that comes again is not verified again: 16 MiB unless
    /// set, enough for several thousand; 0 keeps none. Expiry and revocation are decided on every request all the same.
    pub fn token_cache(mut self, bytes: usize) -> Self {
        self.token_cache = bytes;
        self
    }

    /// Whose attempts to sign in are counted together: the peer's address unless set.
    ///
    /// Behind a reverse proxy every peer is the proxy: read the header there that the proxy itself writes. Where this
    /// is left out, an https service that delays a peer on its own machine warns of it, once.
    pub fn client_address(mut self, address: impl Fn(&HttpRequest) -> Option<IpAddr> + Send + Sync + 'static) -> Self {
        self.client_address = Some(Arc::new(address));
        self
    }

    /// Checks all of it.
    ///
    /// # Errors
    /// The first thing to change, with what to write.
    pub fn build(self) -> Result<OAuthService, BuildError> {
        let issuer_text = self.issuer.ok_or(BuildError::NoIssuer)?;
        let issuer: Issuer =
            issuer_text.parse().map_err(|why| BuildError::Issuer { issuer: issuer_text.clone(), why })?;
        if let Some(path) = &self.sign_in_at
            && (path.is_empty() || !is_plain_path(path) || self.authenticate.is_some())
        {
            return Err(BuildError::SignInAt { path: path.clone() });
        }
        let sign_in = self.authenticate.or_else(|| {
            // Who signs users in elsewhere has no function whose claims could be compared with anything.
            self.sign_in_at
                .as_ref()
                .map(|_| (Authenticate::blocking(|_| None::<Value>), ClaimsType::of::<Option<Value>>()))
        });
        let (function, claims_type) = sign_in.ok_or(BuildError::NoAuthenticate)?;
        let secret = match self.secret {
            Some(secret) => secret,
            None => {
                let what =
                    if self.keys.is_some() { "sign-ins, sessions and refresh tokens end" } else { "every token ends" };
                tracing::warn!(
                    target: "oauth",
                    "no secret is configured: one was drawn, and {what} with this process; add .secret(..)"
                );
                Secret::random()
            }
        };
        for secret in self.previous_secrets.iter().chain([&secret]) {
            if secret.bytes().len() < Secret::MIN_BYTES {
                return Err(BuildError::ShortSecret { bytes: secret.bytes().len() });
            }
        }
        let audience = self.audience.unwrap_or_else(|| issuer_text.clone());
        if audience.is_empty() {
            return Err(BuildError::EmptyAudience);
        }
        if let Some(resource) = self.resources.iter().find(|resource| !is_resource(resource)) {
            return Err(BuildError::Resource { resource: resource.clone() });
        }
        let expected = |audience: &String| Expected::own(&issuer_text, audience);
        let audiences = std::iter::once(&audience).chain(&self.resources).map(expected).collect();
        for (what, lifetime, longest) in [
            ("access_token_lifetime", self.access_token_lifetime, LONGEST_ACCESS_TOKEN),
            ("code_lifetime", self.code_lifetime, LONGEST_CODE),
            (
                "refresh_token_idle",
                self.refresh_token_idle.unwrap_or(RefreshLifetimes::DEFAULT.idle),
                RefreshLifetimes::LONGEST,
            ),
            ("session_idle", self.session_idle.unwrap_or(SessionLifetimes::DEFAULT.idle), SessionLifetimes::LONGEST),
            (
                "session_lifetime",
                self.session_lifetime.unwrap_or(SessionLifetimes::DEFAULT.absolute),
                SessionLifetimes::LONGEST,
            ),
            (
                "refresh_token_lifetime",
                self.refresh_token_lifetime.unwrap_or(RefreshLifetimes::DEFAULT.absolute),
                RefreshLifetimes::LONGEST,
            ),
        ] {
            if lifetime < Duration::from_secs(1) || lifetime > longest {
                return Err(BuildError::Lifetime { what, longest });
            }
        }
        if self.blocking_at_once == 0 || self.authenticate_timeout.is_zero() {
            return Err(BuildError::NeverAnswers);
        }
        let scopes = scopes(self.scopes)?;
        let default_scope = match self.default_scope {
            None => Scope::default(),
            Some(text) => match text.parse::<Scope>() {
                Ok(scope) if scope.iter().all(|scope| scopes.contains_key(scope)) => scope,
                Ok(_) | Err(_) => return Err(BuildError::DefaultScope { scope: text }),
            },
        };
        let has_offline_access = scopes.contains_key("offline_access");
        let wants_refresh_tokens = match self.refresh_tokens {
            Some(wanted) => wanted,
            None => {
                self.reload.is_some()
                    || has_offline_access
                    || self.refresh_token_idle.is_some()
                    || self.refresh_token_lifetime.is_some()
            }
        };
        let wants_sessions = self
            .sessions
            .unwrap_or_else(|| self.reload.is_some() || self.session_idle.is_some() || self.session_lifetime.is_some());
        if self.reload.is_none() && (wants_refresh_tokens || wants_sessions) {
            return Err(BuildError::NoReload);
        }
        let second_factor = self.second_factor.as_ref().map(|(_, claims)| ("second_factor", claims));
        for (function, other) in
            self.reload.as_ref().map(|(_, claims)| ("reload", claims)).into_iter().chain(second_factor)
        {
            if other.is_known() && claims_type.is_known() && other.id != claims_type.id {
                return Err(BuildError::OtherClaims { authenticate: claims_type.name, function, other: other.name });
            }
        }
        let lifetimes = RefreshLifetimes {
            idle: self.refresh_token_idle.unwrap_or(RefreshLifetimes::DEFAULT.idle),
            absolute: self.refresh_token_lifetime.unwrap_or(RefreshLifetimes::DEFAULT.absolute),
        };
        let permits = Arc::new(Semaphore::new(self.blocking_at_once.min(Semaphore::MAX_PERMITS)));
        let timeout = self.authenticate_timeout;
        let reload = self
            .reload
            .map(|(function, _)| Arc::new(Authenticator { function, timeout, permits: Arc::clone(&permits) }));
        let refreshing = reload.clone().filter(|_| wants_refresh_tokens).map(|reload| Refreshing {
            lifetimes,
            needs_offline_access: has_offline_access,
            reload,
        });
        let sessions = reload.filter(|_| wants_sessions).map(|reload| Sessions {
            lifetimes: SessionLifetimes {
                idle: self.session_idle.unwrap_or(SessionLifetimes::DEFAULT.idle),
                absolute: self.session_lifetime.unwrap_or(SessionLifetimes::DEFAULT.absolute),
            },
            reload,
        });
        let second_factor =
            self.second_factor.map(|(function, _)| Authenticator { function, timeout, permits: Arc::clone(&permits) });
        let mut languages = vec![Texts::english()];
        for texts in self.languages {
            if let Err(why) = texts.check() {
                return Err(BuildError::Language { language: texts.language.into_owned(), why });
            }
            // An author's own English replaces ours.
            languages.retain(|other| !other.language.eq_ignore_ascii_case(&texts.language));
            languages.push(texts);
        }
        check_guards(&scopes, claims_type, self.denies_foreign_claims)?;
        let mut look = self.look;
        if let Some(accent) = self.accent {
            look.accent = accent.parse()?;
        }
        let resource = Resource::new(&audience, &issuer);
        let clients = clients(self.clients, &scopes)?;
        let has = Has {
            logo: look.logo.is_some(),
            introspection: clients.values().any(|client| client.credentials.is_some()),
            public_keys: self.keys.is_some(),
            openid: scopes.contains_key(OPENID),
            sessions: sessions.is_some(),
        };
        // OpenID Connect Core §2: a client verifies its ID token by itself
        if has.openid && !has.public_keys {
            return Err(BuildError::OpenidWithoutKeys);
        }
        let paths = Paths::parse(&issuer, resource.as_ref(), self.paths, has)?;
        for origin in &self.origins {
            let parsed = url::Url::parse(origin).ok();
            if parsed.is_none_or(|url| !url.origin().is_tuple() || url.origin().ascii_serialization() != *origin) {
                return Err(BuildError::Origin { origin: origin.clone() });
            }
        }
        let brand = Brand {
            name: self
                .name
                .unwrap_or_else(|| issuer.origin().split_once("://").map_or("", |(_, host)| host).to_owned()),
            logo: look.logo.is_some().then(|| paths.logo.clone()),
            stylesheet: paths.stylesheet.clone(),
        };
        let clock = self.clock;
        let keys = match self.keys {
            Some(keys) => {
                keys.set_clock(clock.clone());
                Some(KeyRing::Own(keys))
            }
            None => KeyRing::hs256(&secret, &self.previous_secrets),
        };
        let (Some(sealer), Some(keys)) = (Sealer::new(&secret, &self.previous_secrets, &issuer_text), keys) else {
            return Err(BuildError::Cryptography);
        };
        let keys = Arc::new(keys);
        let store =
            self.store.unwrap_or_else(|| Arc::new(MemoryStore::with(MemoryStore::DEFAULT_CAPACITY, clock.clone())));
        let expected = Expected::own(&issuer_text, &audience);
        let protection = Arc::new(Protection {
            expected: expected.clone(),
            resource,
            token_cache: TokenCache::new(self.token_cache),
            keys: Verifier::Own(Arc::clone(&keys)),
            store: Some(Arc::clone(&store)),
            clock: clock.clone(),
            refusal_body: self.refusal_body,
            explains_refusals: self.explains_refusals,
            own_paths: paths.own.clone(),
        });
        Ok(OAuthService::new(Inner {
            audiences,
            expected,
            protection,
            issuer,
            paths,
            clients,
            scopes,
            default_scope,
            origins: self.origins,
            sealer,
            keys,
            store,
            clock,
            authenticator: self.sign_in_at.is_none().then_some(Authenticator { function, timeout, permits }),
            second_factor,
            sign_in_at: self.sign_in_at,
            sessions,
            english: languages
                .iter()
                .find(|texts| texts.language.eq_ignore_ascii_case("en"))
                .cloned()
                .unwrap_or_else(Texts::english),
            languages,
            refreshing,
            access_token_lifetime: self.access_token_lifetime,
            code_lifetime: self.code_lifetime,
            brand,
            stylesheet: crate::pages::stylesheet(&look),
            logo: look.logo,
            pages: self.pages,
            client_address: self.client_address,
        }))
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("issuer", &self.issuer).field("clients", &self.clients).finish_non_exhaustive()
    }
}

/// What only the program as a whole can know of its guards.
fn check_guards(
    scopes: &BTreeMap<String, String>,
    claims_type: ClaimsType,
    denies_foreign_claims: bool,
) -> Result<(), BuildError> {
    for guard in map::guards() {
        let handler = guard.handler.unwrap_or("policy!");
        if let Rule::Typed(typed) = &guard.rule
            && let Some((id, name)) = typed.claims_type()
            && claims_type.is_known()
            && id != claims_type.id
        {
            let (handler, guard_type, claims_type) = (format!("{}::{handler}", guard.module), name, claims_type.name);
            if denies_foreign_claims {
                return Err(BuildError::ForeignClaims { handler, guard_type, claims_type });
            }
            tracing::warn!(
                target: "oauth",
                "the guard of {handler} is a pattern of {guard_type}, and authenticate answers {claims_type}: \
                 who signs in here may not pass it"
            );
        }
        for scope in guard.rule.scopes().into_iter().filter(|scope| !scopes.contains_key(*scope)) {
            tracing::warn!(
                target: "oauth",
                "the guard of {}::{handler} asks for the scope {scope:?}, which no token here can have: \
                 add .scope({scope:?}, \"what it allows\")",
                guard.module
            );
        }
    }
    Ok(())
}

fn scopes(scopes: Vec<(String, String)>) -> Result<BTreeMap<String, String>, BuildError> {
    let mut described = BTreeMap::new();
    for (scope, description) in scopes {
        let one = scope.parse::<Scope>().is_ok_and(|parsed| parsed.contains(&scope) && parsed.iter().count() == 1);
        if !one || described.insert(scope.clone(), description).is_some() {
            return Err(BuildError::Scope { scope });
        }
    }
    Ok(described)
}

const LONGEST_CODE: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests;
