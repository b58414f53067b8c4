//! What an application relies on without saying so: what may cross threads, what an error is, and what may stand in for what.
#![allow(clippy::let_unit_value, reason = "types are the test")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use oauth_runtime::pages::{PageError, Pages, SignedOutPage};
use oauth_runtime::store::{MemoryStore, RedisStore, SqliteStore};
use oauth_runtime::{
    AccessToken, AuthTime, BackchannelError, BuildError, Builder, Claims, Client, Clock, Closed, DiscoveryError, Event,
    EventKind, GrantType, Hosts, InvalidIssuer, InvalidJwk, InvalidRedirectUri, InvalidScope, IssuerAway, KeyError, Keys,
    Login, OAuthService, OneTimeError, OpeningError, OwnPages, PendingAuthorization, Policy, PolicyMap, Question, Refusal,
    Require, ResourceServer, ResourceServerBuilder, SecondFactor, Secret, SecretError, SignIn, SigningKey, Store, StoreError,
    Texts, UnknownScope, doctor, states, testing,
};
use serde_json::Value;

fn is_send<T: Send>(_: T) {}

fn crosses_threads<T: Send + Sync + 'static>() {}

fn is_error<T: Error + Send + Sync + 'static>() {}

/// Of a task of `tokio::spawn`. `OAuthService::grants` alone is awaited where it was begun, as its documentation says.
fn futures(oauth: &OAuthService, issuer: &ResourceServer) {
    is_send(oauth.sign_out("ada"));
    is_send(oauth.forget("ada"));
    is_send(oauth.revoke_grant("ada", "id"));
    is_send(oauth.revoke_client("ada", "app"));
    is_send(oauth.end_registration("app"));
    is_send(oauth.health());
    is_send(oauth.renew());
    is_send(oauth.one_time("reset", "ada", Duration::from_secs(60)).with("x").seal());
    is_send(oauth.open_one_time::<String>("reset", "token"));
    is_send(oauth.redeem_one_time::<String>("reset", "token"));
    is_send(oauth.doctor().into_future());
    is_send(issuer.health());
    is_send(ResourceServer::discover("https://id.example").build());
    is_send(SqliteStore::open("file"));
    is_send(RedisStore::connect("redis://127.0.0.1"));
}

fn types() {
    crosses_threads::<(OAuthService, Builder, Builder<states::WithReload>, Client, Client<states::NeedsRedirectUri>, Keys)>();
    crosses_threads::<(SigningKey, Secret, Clock, Texts, Hosts, Login, SecondFactor, SignIn<Value>, Question, AuthTime)>();
    crosses_threads::<(AccessToken, Claims<Value>, Policy, PolicyMap, Refusal, Require, Closed, OwnPages, Event)>();
    crosses_threads::<(PendingAuthorization, ResourceServer, ResourceServerBuilder, doctor::Report, testing::Token)>();

    is_error::<BuildError>();
    is_error::<BackchannelError>();
    is_error::<DiscoveryError>();
    is_error::<InvalidIssuer>();
    is_error::<InvalidJwk>();
    is_error::<InvalidRedirectUri>();
    is_error::<InvalidScope>();
    is_error::<IssuerAway>();
    is_error::<KeyError>();
    is_error::<OneTimeError>();
    is_error::<OpeningError>();
    is_error::<Refusal>();
    is_error::<SecretError>();
    is_error::<StoreError>();
    is_error::<UnknownScope>();
    is_error::<testing::NotSignedIn>();
    is_error::<testing::Unsuitable>();
}

struct Bye;

impl Pages for Bye {
    fn signed_out(&self, page: &SignedOutPage<'_>) -> Result<String, PageError> {
        // A page is read, and may be changed before it is shown: it is built by the server alone.
        let mut page = *page;
        let texts = page.texts.clone();
        page.texts = &texts;
        Ok(page.texts.signed_out.to_string())
    }
}

/// What is chosen while the program runs, or shared with the rest of it.
fn stand_ins(store: &Arc<MemoryStore>, is_dark: bool) -> [Builder; 4] {
    let chosen: Box<dyn Pages> = if is_dark { Box::new(Bye) } else { Box::new(oauth_runtime::pages::BuiltInPages) };
    let (pages, named): (Arc<dyn Pages>, Arc<dyn Store>) = (Arc::new(Bye), Arc::<MemoryStore>::clone(store));
    [
        OAuthService::builder().pages(chosen),
        OAuthService::builder().pages(pages),
        OAuthService::builder().store(Arc::clone(store)),
        OAuthService::builder().store(named),
    ]
}

/// Addresses that a configuration file names.
fn addresses(oauth: &OAuthService, listed: Vec<String>) -> [Closed; 3] {
    const OPEN: &[&str] = &["/health"];
    [oauth.closed().public(["/health"]), oauth.closed().public(OPEN), oauth.closed().guarded(listed)]
}

/// Only the words are compared when it runs.
pub fn main() {
    types();
    let _ = (futures, stand_ins, addresses);
    assert_eq!(format!("{} {:>5}", EventKind::SignedIn, oauth_runtime::Prompt::Login), "signed_in login");
    assert_eq!(GrantType::DeviceCode.to_string(), GrantType::DeviceCode.as_str());
}
