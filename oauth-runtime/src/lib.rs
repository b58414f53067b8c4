//! The OAuth 2.1 authorization server that an actix-web application embeds in one line, and the guards for its
//! handlers.
//!
//! [`OAuthService`] is the server, [`macro@require_claim`] the guard, [`Claims`](struct@Claims) and [`AccessToken`] are what a handler
//! learns of its caller. [`policies`] lists the guards. [`store`] is what remembers, [`pages`] is what a person sees,
//! [`mod@policy`] is what a guard demands, as data.
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
pub mod pages;
pub mod policy;
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
pub use guard::map::{Entry, Policies, policies};
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
pub use model::{Client, Clock, GrantType, InvalidScope, Password, Scope, Secret, Timestamp};
pub use pages::{InvalidColour, Logo, Texts};
pub use policy::Policy;
pub use server::OAuthService;
pub use server::grants::{Given, Grant, Holder};
pub use server::health::Health;
pub use server::one_time::{Enclosed, OneTime, OneTimeError};
pub use server::paths::Endpoint;
pub use sign_in::own_pages::OwnPages;
pub use sign_in::pending::{AuthTime, PendingAuthorization};
pub use store::Store;
pub use users::granting::Granting;
pub use users::{Answer, Login, SecondFactor, SignIn};

/// What a [`Builder`] and a [`Client`] still need, as types: `Builder` and `Client` alone are the usual ones.
///
/// They are to be named where a function takes or answers one that is not.
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
    pub use crate::policy::fit::{at_root, check, check_any, check_claims, check_rule, check_together};
    pub use crate::policy::kept::{Kept, can_fail, names_some};
    pub use crate::policy::kind::Kind;
    pub use crate::policy::written::{Guard, place_of};
    pub use crate::policy::{Order, Route, Rule, Test, Typed, Value};
}

#[cfg(feature = "testing")]
#[doc(hidden)]
#[path = "bench.rs"]
pub mod __bench;

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../../docs/mcp.md")]
struct McpPage;

#[cfg(doctest)]
#[doc = include_str!("../../docs/fapi.md")]
struct FapiPage;

#[cfg(doctest)]
#[doc = include_str!("../../docs/dpop.md")]
struct DpopPage;

#[cfg(doctest)]
#[doc = include_str!("../../docs/refresh.md")]
struct RefreshPage;

#[cfg(doctest)]
#[doc = include_str!("../../docs/clients.md")]
struct ClientsPage;

#[cfg(doctest)]
#[doc = include_str!("../../docs/policies.md")]
struct WritingPolicies;

#[cfg(doctest)]
#[doc = include_str!("../../docs/events.md")]
struct EventsPage;

#[cfg(doctest)]
#[doc = include_str!("../../docs/openid.md")]
struct OpenIdPage;

#[cfg(doctest)]
#[doc = include_str!("../../docs/secrets.md")]
struct SecretsPage;

#[cfg(doctest)]
#[doc = include_str!("../../docs/sign-in.md")]
struct SignInPageOfTheDocs;

#[cfg(doctest)]
#[doc = include_str!("../../docs/second-factor.md")]
struct SecondFactorPage;

#[cfg(doctest)]
#[doc = include_str!("../../docs/sessions.md")]
struct SessionsPage;

#[cfg(doctest)]
#[doc = include_str!("../../docs/pages.md")]
struct PagesOfTheApplication;

#[cfg(all(doctest, feature = "resource-server"))]
#[doc = include_str!("../../docs/resource-servers.md")]
struct ResourceServersPage;

#[cfg(all(doctest, feature = "mcp"))]
#[doc = include_str!("../../docs/client-documents.md")]
struct ClientDocumentsPage;

#[cfg(all(doctest, feature = "sqlite", feature = "postgres", feature = "redis"))]
#[doc = include_str!("../../docs/stores.md")]
struct StoresPage;

#[cfg(doctest)]
#[doc = include_str!("../../docs/runbook.md")]
struct RunbookPage;
