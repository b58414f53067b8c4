//! The OAuth 2.1 authorization server that an actix-web application embeds in one line, and the guards for its
//! handlers.
//!
//! ```no_run
//! use actix_web::{App, HttpServer, Responder, get, web};
//! use oauth_runtime::{Claims, Client, Login, OAuthService, require_claim};
//! use serde_json::{Value, json};
//!
//! /// For clients with an access token.
//! #[require_claim(role = "admin")]
//! #[get("/admin")]
//! async fn admin() -> impl Responder {
//!     "Admin access granted!"
//! }
//!
//! /// For browsers: one that is not signed in gets the sign-in page first.
//! #[get("")]
//! async fn home(Claims(user): Claims<Value>) -> impl Responder {
//!     web::Json(user)
//! }
//!
//! // Replace both: look the user up in your table, and check an Argon2 hash.
//! fn sign_in(login: Login) -> Option<Value> {
//!     if &*login.password == "admin123" { find_user(&login.username) } else { None }
//! }
//!
//! fn find_user(name: &str) -> Option<Value> {
//!     (name == "admin").then(|| json!({ "sub": "admin", "role": "admin" }))
//! }
//!
//! #[actix_web::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let oauth = OAuthService::builder()
//!         .issuer("http://127.0.0.1:8000")
//!         .name("Notes")
//!         .client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"))
//!         .authenticate_blocking(sign_in)
//!         .reload_blocking(find_user)
//!         .build()?;
//!     HttpServer::new(move || {
//!         let pages = web::scope("/app").wrap(oauth.pages()).service(home);
//!         App::new().configure(oauth.routes()).service(admin).service(pages)
//!     })
//!     .bind(("127.0.0.1", 8000))?
//!     .run()
//!     .await?;
//!     Ok(())
//! }
//! ```
//!
//! [`OAuthService`] is the server, and [`Builder`] has all its settings. [`macro@require_claim`],
//! [`macro@require_token`], [`macro@public`] and [`policy!`](macro@policy) guard handlers; [`Claims`](struct@Claims)
//! and [`AccessToken`] tell a handler about its caller. [`policy_map`] lists the guards. [`store`] has the storage
//! engines, [`pages`] what users see, and [`rule`] what a guard demands, as data.
//!
//! # Features
//!
//! None is on by default.
//!
//! | Feature | What it adds |
//! |---|---|
//! | `sqlite`, `postgres`, `redis` | a [`store`] that outlives a restart, and that processes share |
//! | `mcp` | clients whose id is the URL of a document about them, and an HTTP client to fetch it |
//! | `doctor` | a check of the running service from a client's side, and an HTTP client |
//! | `backchannel-logout` | sign-outs that are reported to clients, and an HTTP client |
//! | `metrics` | counters and durations, for the recorder that you install |
//! | `resource-server` | guards over the tokens of another issuer, and an HTTP client |
//! | `utoipa` | what the guards demand, in your OpenAPI document |
//! | `testing` | tokens and a clock for your tests, and the contract of a store |
//!
//! # Versions
//!
//! A compatible release may add to an enum or a struct that is `#[non_exhaustive]`, methods with a default to [`Store`] and
//! [`Pages`](pages::Pages), and sentences to [`Texts`]. Types of other crates that these pages name are those of actix-web 4 and
//! serde_json 1, with `postgres` of sqlx 0.9, and with `utoipa` of utoipa 6: another major version of one of them is a breaking
//! release of this crate.
//!
//! # Next
//!
//! The [`guide`] has a page for each part: how users sign in, the language of the guards, clients, sessions, stores, operation, errors and
//! threats.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod builder;
mod client_auth;
mod clients;
#[cfg(feature = "doctor")]
pub mod doctor;
mod endpoints;
mod error;
mod event;
mod guard;
mod keys;
mod limit;
mod meter;
mod model;
#[cfg(feature = "utoipa")]
mod openapi;
pub mod pages;
mod policy;
mod response;
mod routes;
mod seal;
mod server;
mod sign_in;
mod standing;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod users;

#[doc(inline)]
pub use oauth_macros::{Claims, claims, policy, public, require_claim, require_token};

pub use builder::Builder;
pub use builder::back_channel::BackchannelError;
pub use builder::client_address;
pub use builder::error::BuildError;
pub use builder::misfit::UnknownScope;
pub use builder::openings::OpeningError;
#[cfg(feature = "mcp")]
pub use clients::documents::hosts::Hosts;
pub use clients::told::FoundClient;
pub use event::{Event, EventKind};
pub use guard::closed::Closed;
pub use guard::extract::{AccessToken, Claims};
pub use guard::map::{Entry, PolicyMap, policy_map};
pub use guard::refusal::Refusal;
pub use guard::require::Require;
#[cfg(feature = "resource-server")]
pub use guard::resource_server::{ResourceServer, ResourceServerBuilder};
#[cfg(feature = "resource-server")]
pub use keys::{DiscoveryError, IssuerAway, IssuerHealth};
pub use keys::{KeyError, Keys, SigningKey};
pub use model::code::Prompt;
pub use model::issuer::InvalidIssuer;
pub use model::jwk::{InvalidJwk, SignatureAlgorithm};
pub use model::question::{Choice, Question};
pub use model::redirect_uri::InvalidRedirectUri;
pub use model::session::Remember;
pub use model::{Client, Clock, GrantType, InvalidScope, Password, Scope, Secret, SecretError, Timestamp};
pub use pages::{InvalidColour, Logo, LogoBytes, Texts};
pub use policy::Policy;
pub use server::OAuthService;
pub use server::grants::{Given, Grant, Holder};
pub use server::health::Health;
pub use server::one_time::{Enclosed, OneTime, OneTimeError};
pub use server::paths::Endpoint;
pub use sign_in::own_pages::OwnPages;
pub use sign_in::pending::{AuthTime, PendingAuthorization};
pub use store::{Store, StoreError};
pub use users::granting::Granting;
pub use users::{Answer, Login, SecondFactor, SignIn};

/// What a guard demands, as data, and how it is decided.
///
/// The macros write a [`Rule`](rule::Rule); [`Rule::decide`](rule::Rule::decide) reads it against the [`Facts`](rule::Facts) of a
/// request. Nothing in it knows of HTTP: a rule can be built by hand, printed, and decided over any JSON object.
pub mod rule {
    pub use crate::policy::{
        Decision, Facts, Field, Inquiry, Order, Route, Rule, Shape, Shaped, Test, Typed, Value, Verdict,
    };
}

/// What a [`Builder`] and a [`Client`] still need, as types: `Builder` and `Client` alone are the usual ones.
///
/// Name them where a function takes or returns one in another state.
///
/// ```
/// use oauth_runtime::states::{NeedsRedirectUri, Reloads};
/// use oauth_runtime::{Builder, Client, Remember};
///
/// fn unreachable(id: &str) -> Client<NeedsRedirectUri> {
///     Client::public(id).name("Notes")
/// }
///
/// fn remembering<S: Reloads>(builder: Builder<S>) -> Builder<S> {
///     builder.remember_sessions(Remember::Asked)
/// }
///
/// let app: Client = unreachable("app").redirect_uri("https://notes.example/callback");
/// assert!(format!("{app:?}").contains("Notes"));
/// # let _ = remembering::<oauth_runtime::states::WithReload>;
/// ```
pub mod states {
    pub use crate::builder::state::{Reloads, WithReload, WithoutReload};
    pub use crate::model::client::{Complete, NeedsRedirectUri, Ready};
}

/// What the macros write; not for use by hand, and not covered by semantic versioning.
#[doc(hidden)]
pub mod __private {
    pub use inventory;
    pub use serde_json::Value as Json;
    pub type JsonObject = serde_json::Map<String, Json>;
    pub type JsonMap = std::collections::HashMap<String, Json>;
    pub type JsonTree = std::collections::BTreeMap<String, Json>;

    pub use crate::guard::answer::Answer;
    pub use crate::guard::decide::Guarded;
    pub use crate::guard::extracted::{Extracted, OtherExtractor};
    pub use crate::guard::map::Registered;
    pub use crate::model::literal;
    pub use crate::policy::bound::{Binding, Binds, Bound, BoundType, Listed, NotIssued, NotListed, Probe, unbound};
    pub use crate::policy::fit::{at_root, check, check_absent, check_any, check_claims, check_rule, check_together};
    pub use crate::policy::kept::{Kept, can_fail, names_some};
    pub use crate::policy::kind::Kind;
    pub use crate::policy::written::{Guard, place_of};
    pub use crate::policy::{Order, Route, Rule, Test, Typed, Value};
}

#[cfg(feature = "testing")]
#[doc(hidden)]
#[path = "bench.rs"]
pub mod __bench;

#[cfg(fuzzing)]
#[doc(hidden)]
#[path = "fuzz.rs"]
pub mod __fuzz;

#[cfg(any(doc, doctest))]
pub mod guide;
