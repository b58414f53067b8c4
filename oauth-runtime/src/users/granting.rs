//! Which scopes a user may grant, by the author's own rule.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::model::Scope;
use crate::policy::{Claimed, read};
use crate::users::known::KnownClaims;

/// A user who is about to grant a client something: what [`Builder::narrow_scopes`](crate::Builder::narrow_scopes) decides
/// by.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Granting<'a> {
    /// The client.
    pub client_id: &'a str,
    /// The user, by the `sub` of their claims.
    pub subject: &'a str,
    /// All that is asked for, within what the client may ask for.
    pub asked: &'a Scope,
    pub(crate) claims: &'a Map<String, Value>,
    pub(crate) known: &'a KnownClaims,
}

impl Granting<'_> {
    /// A claim of the user, of their sign-in or at a refresh as it is now; null if they have none of this name.
    ///
    /// For claims that are JSON. If they are a type of yours, [`Granting::claims`] has its fields, which the compiler
    /// checks. The log warns, once, of a name that no type of the claims has.
    #[must_use]
    pub fn claim(&self, name: &str) -> &Value {
        self.claims.get(name).unwrap_or_else(|| {
            self.known.read(name);
            &Value::Null
        })
    }

    /// The claims of the user, of their sign-in or at a refresh as they are now, as the type that `authenticate` returns; `None` if they are not a `T`,
    /// and the log says why.
    ///
    /// ```
    /// use oauth_runtime::{Claims, Client, Granting, Login, OAuthService};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Serialize, Deserialize, Claims)]
    /// struct User {
    ///     sub: String,
    ///     level: u8,
    /// }
    ///
    /// fn may_grant(user: &Granting<'_>, scope: &str) -> bool {
    ///     scope != "users:write" || user.claims::<User>().is_some_and(|user| user.level >= 3)
    /// }
    ///
    /// let oauth = OAuthService::builder()
    ///     .issuer("http://127.0.0.1:8000")
    ///     .client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"))
    ///     .scope("users:write", "Change users")
    ///     .narrow_scopes(may_grant)
    ///     .authenticate(async |login: Login| Some(User { sub: login.username, level: 3 }))
    ///     .build();
    /// assert!(oauth.is_ok());
    /// ```
    #[must_use]
    pub fn claims<T: DeserializeOwned>(&self) -> Option<T> {
        let mut claims = self.claims.clone();
        claims.insert("sub".to_owned(), self.subject.into());
        let read = read(Claimed { claims: &claims, beside: None });
        if let Err(misfit) = &read {
            tracing::error!(target: "oauth", "narrow_scopes reads the claims of a user as another type: {misfit}");
        }
        read.ok()
    }
}

/// The author's function: whether this user may grant this scope.
pub(crate) type Narrow = dyn Fn(&Granting<'_>, &str) -> bool + Send + Sync;
