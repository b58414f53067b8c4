//! The configuration, behind named methods.

pub(crate) mod address;
#[cfg(feature = "backchannel-logout")]
pub(crate) mod back_channel;
pub(crate) mod cookie_names;
pub(crate) mod described;
mod documents;
pub(crate) mod granting;
pub(crate) mod grants;
pub(crate) mod health;
mod host;
pub(crate) mod one_time;
mod over;
pub(crate) mod paths;
pub(crate) mod prepared;
mod presented;
pub(crate) mod shown;
mod users;

use std::collections::BTreeMap;
use std::future::{Ready, ready};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use parking_lot::Mutex;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::clients::Clients;
use crate::error::Reason;
use crate::event::{EventKind, Fact};
use crate::guard::protection::{OwnTokens, Protection, no_service};
use crate::guard::refusal::Refusal;
use crate::keys::KeyRing;
use crate::limit::Limits;
use crate::model::client::RegisteredClient;
use crate::model::form::Parameters;
use crate::model::issuer::Issuer;
use crate::model::jwk::Algorithm;
use crate::model::record::Record;
use crate::model::release::Releases;
use crate::model::resource::Resources;
use crate::model::{Clock, Scope, Timestamp};
use crate::pages::{Brand, Logo, Pages, Texts};
use crate::seal::Sealer;
use crate::server::address::ClientAddress;
use crate::server::cookie_names::CookieNames;
use crate::server::described::Described;
use crate::server::paths::{Paths, Url};
use crate::server::prepared::Documents;
use crate::server::shown::Shown;
use crate::standing::{Decision, Ledger};
use crate::store::StoreError;
use crate::users::granting::Narrow;
use crate::users::known::KnownClaims;
use crate::users::repeats::Repeats;
use crate::users::{Authenticator, SecondFactor};
pub(crate) use users::{Refreshing, Sessions, SignInBy, Users};

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
///         (login.username == "admin" && &*login.password == "admin123").then(|| json!({ "sub": "1", "role": "admin" }))
///     })
///     .build()
///     .unwrap();
///
/// let app = App::new().configure(oauth.routes());
/// # let _ = app;
/// ```
#[derive(Clone)]
pub struct OAuthService(Arc<Server>);

/// A service as its endpoints see it.
pub(crate) struct Server {
    configured: Configuration,
    cookie_names: CookieNames,
    documents: Documents,
    /// The id of the key that signed last.
    signed_by: Mutex<Option<String>>,
    repeats: Repeats,
    /// Whether the author has named the user of a wrong password.
    names_users: AtomicBool,
    /// Whether the log says that browsers come by another host.
    told_of_host: AtomicBool,
}

/// Everything that was configured, parsed.
pub(crate) struct Configuration {
    pub(crate) issuer: Issuer,
    pub(crate) tokens: Arc<OwnTokens>,
    pub(crate) protection: Arc<Protection>,
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) limits: Limits,
    pub(crate) paths: Paths,
    pub(crate) clients: Clients,
    /// Each with its description.
    pub(crate) scopes: BTreeMap<String, String>,
    /// The same, in the author's order.
    pub(crate) scope_order: Vec<String>,
    pub(crate) default_scope: Scope,
    /// Which claims each scope releases.
    pub(crate) releases: Releases,
    /// Resources whose tokens have all claims in the open.
    pub(crate) own_resources: Resources,
    /// Resources whose guards are in this `App`.
    pub(crate) served: Resources,
    pub(crate) described: Described,
    /// Whether a user may grant a scope; `None` if each may grant each.
    pub(crate) narrow_scopes: Option<Arc<Narrow>>,
    /// What `/userinfo` decides by: it accepts what the guards accept, and tokens that are only for it.
    pub(crate) userinfo: Arc<Protection>,
    pub(crate) shown: Shown,
    /// The strengths of a sign-in that the author declared, if any.
    pub(crate) acr_values: Vec<String>,
    /// Algorithms for assertions of clients.
    pub(crate) assertion_algorithms: Vec<Algorithm>,
    /// Whether authorization requests must be pushed first.
    pub(crate) requires_pushed_requests: bool,
    pub(crate) users: Users,
    pub(crate) known_claims: KnownClaims,
    pub(crate) access_token_lifetime: Duration,
    pub(crate) code_lifetime: Duration,
    pub(crate) appearance: Appearance,
    pub(crate) client_address: ClientAddress,
}

/// What the pages look like and say.
pub(crate) struct Appearance {
    pub(crate) brand: Brand,
    pub(crate) stylesheet: String,
    pub(crate) logo: Option<Logo>,
    /// The links on the sign-in page: the label and the path of each.
    pub(crate) links: Vec<(String, String)>,
    pub(crate) pages: Arc<dyn Pages>,
    pub(crate) english: Texts,
    /// The languages besides English.
    pub(crate) languages: Vec<Texts>,
}

impl OAuthService {
    /// Ends all that a user holds: sessions, access tokens, refresh tokens, and codes not yet redeemed.
    ///
    /// For a new password, a lost device, a dismissal. It takes effect at once, and at the guards of other processes
    /// that share the store within [`Builder::revocation_lag`](crate::Builder::revocation_lag). A sign-in that is under
    /// way ends too, and so does one that begins within the next second (three, over a store that machines share): such
    /// a user has to sign in once more. With a client's id it ends the tokens that the client has in its own name.
    ///
    /// ```
    /// # use oauth_runtime::{OAuthService, store::StoreError};
    /// async fn change_password(oauth: OAuthService, user: &str) -> Result<(), StoreError> {
    ///     // .. the old hash is gone from the database by now ..
    ///     oauth.sign_out(user).await
    ///     // .. and the new one is stored once this has worked ..
    /// }
    /// ```
    ///
    /// # Errors
    /// The store gave no answer: the user is not signed out.
    pub async fn sign_out(&self, subject: &str) -> Result<(), StoreError> {
        self.end_all(subject, Record::sign_out, EventKind::SignedOutEverywhere).await
    }

    pub(crate) fn new(configured: Configuration) -> Self {
        let signed_by = Mutex::new(configured.tokens.keys.signs_with());
        let service = OAuthService(Arc::new(Server {
            cookie_names: CookieNames::of(&configured.issuer),
            documents: Documents::default(),
            configured,
            signed_by,
            repeats: Repeats::default(),
            names_users: AtomicBool::new(false),
            told_of_host: AtomicBool::new(false),
        }));
        warn_of_twins(&service.0);
        service
    }

    pub(crate) fn server(&self) -> &Server {
        &self.0
    }

    /// The service of the `App`.
    pub(crate) fn of(request: &HttpRequest) -> Result<&OAuthService, Reason> {
        let oauth = request.app_data::<OAuthService>();
        oauth.ok_or_else(|| no_service(request, "a handler wants the OAuthService and there is none"))
    }
}

impl Server {
    /// The claims that a token is made of.
    pub(crate) fn known_claims(&self) -> &KnownClaims {
        &self.configured.known_claims
    }

    /// Notes that wrong passwords are counted for users, since the author named one.
    pub(crate) fn note_named_user(&self) {
        self.names_users.store(true, Ordering::Relaxed);
    }

    /// Whether wrong passwords are counted for users: then the right one must be, too.
    pub(crate) fn names_users(&self) -> bool {
        self.names_users.load(Ordering::Relaxed)
    }

    pub(crate) fn cookie_names(&self) -> &CookieNames {
        &self.cookie_names
    }

    pub(crate) fn issuer(&self) -> &Issuer {
        &self.configured.issuer
    }

    /// The audience of access tokens if no resource is asked for, which the guards expect.
    pub(crate) fn audience(&self) -> &str {
        &self.configured.protection.expected.audience
    }

    pub(crate) fn protection(&self) -> &Arc<Protection> {
        &self.configured.protection
    }

    /// The resource of the document at this path.
    pub(crate) fn described_at(&self, path: &str) -> Option<&str> {
        self.configured.described.at(path)
    }

    /// The protection of `/userinfo`.
    pub(crate) fn userinfo(&self) -> &Arc<Protection> {
        &self.configured.userinfo
    }

    pub(crate) fn keys(&self) -> &KeyRing {
        &self.configured.tokens.keys
    }

    /// Signs claims as an access token.
    pub(crate) fn sign(&self, claims: &impl Serialize) -> Option<String> {
        let token = self.keys().sign(claims);
        let signs = self.keys().signs_with();
        let mut signed = self.signed_by.lock();
        if let Some(key) = &signs
            && *signed != signs
        {
            self.tell(Fact::of(EventKind::KeyChanged).key(key));
            signed.clone_from(&signs);
        }
        token
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.configured.tokens.ledger
    }

    /// Reports what happened to the log and the author.
    pub(crate) fn tell(&self, fact: Fact<'_>) {
        self.configured.tokens.events.tell(fact);
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.configured.limits
    }

    /// Ends a grant of this subject: its family of refresh tokens, and the access tokens that it gave.
    pub(crate) async fn end_grant(&self, subject: &str, client: &str, grant: &str) -> Result<(), Reason> {
        let end = |record: &mut Record, now| {
            record.end_grant(grant, client, now);
            Ok(Decision::Write(()))
        };
        // Nothing is presented that could be from an earlier memory: the grant is named.
        let changed = self.ledger().change(subject, None, end).await;
        changed.map(drop).map_err(|why| why.into_reason(|_| Reason::Internal))
    }

    pub(crate) fn sealer(&self) -> &Sealer {
        &self.configured.sealer
    }

    pub(crate) fn clients(&self) -> &Clients {
        &self.configured.clients
    }

    /// The path of one of the server's URLs, including the issuer's own path.
    pub(crate) fn path(&self, url: Url) -> &str {
        self.configured.paths.of(url)
    }

    pub(crate) fn paths(&self) -> &Paths {
        &self.configured.paths
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock().now()
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.configured.tokens.clock
    }

    pub(crate) fn access_token_lifetime(&self) -> Duration {
        self.configured.access_token_lifetime
    }

    pub(crate) fn code_lifetime(&self) -> Duration {
        self.configured.code_lifetime
    }

    pub(crate) fn sign_in(&self) -> &SignInBy {
        &self.configured.users.sign_in
    }

    pub(crate) fn second_factor(&self) -> Option<&Authenticator<SecondFactor>> {
        self.configured.users.second_factor.as_ref()
    }

    pub(crate) fn repeats(&self) -> &Repeats {
        &self.repeats
    }

    pub(crate) fn sessions(&self) -> Option<&Sessions> {
        self.configured.users.sessions.as_ref()
    }

    /// Remembers which claims a sign-in gave, in case `reload` forgets some.
    pub(crate) fn note_given(&self, subject: &str, claims: &Map<String, Value>) {
        if let Some(given) = &self.configured.users.given {
            given.note(subject, claims);
        }
    }

    pub(crate) fn refreshing(&self) -> Option<&Refreshing> {
        self.configured.users.refreshing.as_ref()
    }

    /// The end of everything from a sign-in at this time.
    pub(crate) fn sign_in_ends(&self, at: Timestamp) -> Timestamp {
        let sessions = self.sessions().map_or(Duration::ZERO, |sessions| sessions.lifetimes.absolute);
        let refreshing = self.refreshing().map_or(Duration::ZERO, |refreshing| refreshing.lifetimes.absolute);
        at + sessions.max(refreshing)
    }

    /// The declared scopes, sorted.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = &str> {
        self.configured.scopes.keys().map(String::as_str)
    }

    /// Which claims each scope releases.
    pub(crate) fn releases(&self) -> &Releases {
        &self.configured.releases
    }

    /// What is granted if no scope is asked for.
    pub(crate) fn default_scope(&self) -> &Scope {
        &self.configured.default_scope
    }

    /// How clients may sign their assertions.
    pub(crate) fn assertion_algorithms(&self) -> &[Algorithm] {
        &self.configured.assertion_algorithms
    }

    pub(crate) fn requires_pushed_requests(&self) -> bool {
        self.configured.requires_pushed_requests
    }

    pub(crate) fn acr_values(&self) -> &[String] {
        &self.configured.acr_values
    }

    /// Whether a client may ask for this `acr`: it is not empty, and declared if any are.
    pub(crate) fn knows_acr(&self, acr: &str) -> bool {
        !acr.is_empty() && (self.acr_values().is_empty() || self.acr_values().iter().any(|known| known == acr))
    }

    /// A scope, except for this one, in the author's words and order, in the language of these texts if they have it.
    pub(crate) fn described<'a>(&'a self, scope: &Scope, texts: &'a Texts, but: Option<&str>) -> Vec<&'a str> {
        let order =
            self.configured.scope_order.iter().filter(|name| scope.contains(name) && Some(name.as_str()) != but);
        order.filter_map(|name| self.described_one(name, texts)).collect()
    }

    /// One scope in the author's words.
    pub(crate) fn described_one<'a>(&'a self, scope: &str, texts: &'a Texts) -> Option<&'a str> {
        texts.scopes.get(scope).or_else(|| self.configured.scopes.get(scope)).map(String::as_str)
    }

    /// The scope that a request asks for, if it asks for one (RFC 6749 §3.3).
    pub(crate) fn asked_scope(&self, parameters: &Parameters<'_>) -> Result<Option<Scope>, Reason> {
        let text = parameters.get("scope", Scope::MAX_BYTES)?;
        text.map(|text| text.parse().map_err(|_| Reason::ScopeMalformed)).transpose()
    }

    /// The resources that a request asks for: only those that the client may ask for (RFC 8707 §2).
    pub(crate) fn asked_resources(
        &self,
        client: &RegisteredClient,
        parameters: &Parameters<'_>,
    ) -> Result<Resources, Reason> {
        let asked: Resources = parameters.all("resource", 2048)?.into_iter().collect();
        if client.ceiling.has(&asked) {
            // As the author spells it, since a server compares the `aud` of a token with that.
            Ok(asked.within(&client.ceiling.resources))
        } else {
            Err(Reason::TargetNotForClient)
        }
    }

    pub(crate) fn pages(&self) -> &dyn Pages {
        self.configured.appearance.pages.as_ref()
    }

    pub(crate) fn brand(&self) -> &Brand {
        &self.configured.appearance.brand
    }

    pub(crate) fn links(&self) -> &[(String, String)] {
        &self.configured.appearance.links
    }

    pub(crate) fn stylesheet(&self) -> &str {
        &self.configured.appearance.stylesheet
    }

    pub(crate) fn logo(&self) -> Option<&Logo> {
        self.configured.appearance.logo.as_ref()
    }

    /// The texts of the pages in each language, English first.
    pub(crate) fn languages(&self) -> impl Iterator<Item = &Texts> {
        let Appearance { english, languages, .. } = &self.configured.appearance;
        std::iter::once(english).chain(languages)
    }

    /// The texts of the pages in this language, or else in English.
    pub(crate) fn texts(&self, language: Option<&str>) -> &Texts {
        let asked = language.and_then(|language| self.languages().find(|texts| texts.language == language));
        asked.unwrap_or(&self.configured.appearance.english)
    }

    pub(crate) fn client_address(&self) -> &ClientAddress {
        &self.configured.client_address
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

impl std::fmt::Debug for OAuthService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OAuthService").field("issuer", &self.0.issuer().as_str()).finish_non_exhaustive()
    }
}

/// Two services with one issuer have two memories, and a code could be spent in each.
fn warn_of_twins(server: &Arc<Server>) {
    static SERVERS: Mutex<Vec<Weak<Server>>> = Mutex::new(Vec::new());
    let issuer = server.issuer().as_str();
    let mut servers = SERVERS.lock();
    servers.retain(|other| other.strong_count() > 0);
    let twin = servers.iter().filter_map(Weak::upgrade).any(|other| other.issuer().as_str() == issuer);
    servers.push(Arc::downgrade(server));
    if twin {
        tracing::error!(
            target: "oauth",
            issuer,
            "a second OAuthService for this issuer: build it once, outside the closure of HttpServer::new, or codes can be spent twice"
        );
    }
}
