//! Access tokens in one line, good and bad.

use std::any::{TypeId, type_name};
use std::fmt::Display;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use serde::Serialize;
use serde_json::{Map, Value, json};
use tokio::runtime::Builder;

use crate::guard::protection::ID_OF_A_TEST;
use crate::keys::{ACCESS_TOKEN, DerivedKeys};
use crate::model::id::random_id;
use crate::model::secret::Secrets;
use crate::model::{Client, Clock, Secret};
use crate::server::OAuthService;
use crate::store::{Key, Kind};

/// A service for a test that needs no sign-in: one client, and no users.
///
/// Each has an issuer of its own, so that there can be many in a program. For anything but tokens, build your own.
#[must_use]
pub fn service() -> OAuthService {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let issuer = format!("http://127.0.0.1/test-{}", COUNT.fetch_add(1, Ordering::Relaxed));
    OAuthService::builder()
        .issuer(issuer)
        .secret(Secret::random())
        .client(Client::public("test").redirect_uri("http://127.0.0.1/callback"))
        .authenticate(async |_| None::<Value>)
        .of_test()
        .build()
        .expect("each of these is valid")
}

/// Begins an access token of a service with all the claims of a user: valid, unless another method changes that.
/// Without a `sub` it is for `test-user`. It may have any scope that is declared: it is not checked which of them a
/// client may have.
///
/// Give all claims, so that a token is refused for what the test is about, and not for a claim that it forgot.
///
/// ```
/// use oauth_runtime::testing;
/// use serde_json::json;
///
/// let oauth = testing::service();
/// let good = testing::token(&oauth, &json!({ "sub": "alice", "role": "admin" })).scope("notes:read").mint();
/// assert_eq!(good.split('.').count(), 3);
///
/// let (name, value) = testing::token(&oauth, &json!({})).expired().header();
/// assert_eq!((name, &value[..7]), ("Authorization", "Bearer "));
/// ```
///
/// # Panics
/// If the claims are of another type than the service issues (what `authenticate` returns, or
/// [`claims!`](crate::claims!) names), or neither a struct nor a JSON object.
pub fn token<T: Serialize + 'static>(oauth: &OAuthService, claims: &T) -> Token {
    if let Err(known) = oauth.server().known_claims().issues(TypeId::of::<T>()) {
        panic!(
            "the claims of this service are {known}, and these are {}: give all of them, and change what the test is about, \
             as in `User {{ suspended: true, ..ada }}`; for what no user has, such as the claims of a client, use .claim(..) and \
             .without(..)",
            type_name::<T>()
        );
    }
    match serde_json::to_value(claims) {
        Ok(Value::Object(claims)) => begin(oauth).with(claims),
        other => panic!("claims are a struct or a JSON object, and this is {other:?}"),
    }
}

/// A token without claims of its own yet.
pub(super) fn begin(oauth: &OAuthService) -> Token {
    let server = oauth.server();
    let now = server.now().seconds();
    let client = server.clients().first(|_| true).map_or("", |client| &client.id);
    let claims = json!({
        "iss": server.issuer().as_str(), "aud": server.audience(), "sub": "test-user", "client_id": client,
        "iat": now, "exp": now + server.access_token_lifetime().as_secs(), "auth_time": now,
        "jti": format!("{ID_OF_A_TEST}{}", random_id())
    });
    let Value::Object(claims) = claims else { unreachable!("written as an object") };
    Token { oauth: oauth.clone(), now, claims, by_another: false }
}

/// An access token in the making; see [`token()`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Token {
    oauth: OAuthService,
    now: u64,
    claims: Map<String, Value>,
    by_another: bool,
}

impl Token {
    /// Who signed in.
    pub fn subject(self, subject: impl Into<String>) -> Self {
        self.claim("sub", subject.into())
    }

    pub(super) fn with(mut self, claims: Map<String, Value>) -> Self {
        self.claims.extend(claims);
        self
    }

    /// Sets one claim, even a registered one: for what no user of the application would have.
    ///
    /// # Panics
    /// If the value is not JSON.
    pub fn claim(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        self.claims.insert(name.into(), serde_json::to_value(value).expect("a claim is JSON"));
        self
    }

    /// Leaves out a claim that it would have.
    pub fn without(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// What the application may do: scopes with spaces between them.
    ///
    /// # Panics
    /// If the service or a [`claims!`](crate::claims!) declares scopes, but not this one: a token that is refused for a
    /// misspelt scope would make the test pass for the wrong reason. For a scope that no client can have, use
    /// [`claim`](Token::claim)`("scope", ..)`.
    #[track_caller]
    pub fn scope(self, scope: impl Display) -> Self {
        let scope = scope.to_string();
        if let Some(said) = self.oauth.server().known_claims().undeclared_scope(&scope) {
            panic!("{said}");
        }
        self.claim("scope", scope)
    }

    /// How long ago the person signed in, for `fresh = ".."`.
    pub fn signed_in(self, ago: Duration) -> Self {
        let at = self.now.saturating_sub(ago.as_secs());
        self.claim("auth_time", at)
    }

    /// How the person signed in.
    pub fn acr(self, acr: impl Into<String>) -> Self {
        self.claim("acr", acr.into())
    }

    /// Makes it expired.
    pub fn expired(self) -> Self {
        let now = self.oauth.server().now().seconds();
        self.claim("exp", now.saturating_sub(1))
    }

    /// Makes it a token for another audience.
    pub fn for_audience(self, audience: impl Into<String>) -> Self {
        self.claim("aud", audience.into())
    }

    /// Makes it a token of another issuer, under the same key.
    pub fn from_issuer(self, issuer: impl Into<String>) -> Self {
        self.claim("iss", issuer.into())
    }

    /// Signs it with another key.
    pub fn signed_by_another(self) -> Self {
        Token { by_another: true, ..self }
    }

    /// The token.
    ///
    /// # Panics
    /// If the cryptographic library fails.
    #[must_use]
    pub fn mint(&self) -> String {
        let claims = self.as_of_now();
        let token = self.oauth.server().keys().sign(&claims).expect("the keys sign");
        if !self.by_another {
            return token;
        }
        let (issuer, are_public) =
            (self.oauth.server().issuer().as_str(), self.oauth.server().keys().published().is_some());
        let other = DerivedKeys::new(&Secrets::new(Secret::random(), []), issuer, are_public, Clock::system());
        let other = other.and_then(|keys| keys.sign(ACCESS_TOKEN, &claims)).expect("any key signs");
        let (message, _) = token.rsplit_once('.').expect("a token has three parts");
        let (_, signature) = other.rsplit_once('.').expect("a token has three parts");
        format!("{message}.{signature}")
    }

    /// With what the store knows of the subject now: an earlier sign-out does not end this token.
    fn as_of_now(&self) -> Map<String, Value> {
        let subject = self.claims.get("sub").and_then(Value::as_str).unwrap_or_default();
        let key = Key::of(Kind::Subject, subject);
        let view = || self.oauth.server().ledger().view(key);
        // A store that has to be waited for is asked from a thread of its own: a test may be in any runtime.
        let wait = || {
            let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(view())
        };
        let elsewhere = || std::thread::scope(|scope| scope.spawn(wait).join().expect("it does not panic"));
        let view = view().now_or_never().unwrap_or_else(elsewhere).expect("the store answers");
        let mut claims = self.claims.clone();
        claims.entry("as_of").or_insert_with(|| json!(view.as_of()));
        claims
    }

    /// The header that carries it, for `TestRequest::insert_header` or an HTTP client.
    #[must_use]
    pub fn header(&self) -> (&'static str, String) {
        ("Authorization", format!("Bearer {}", self.mint()))
    }
}
