//! Which claims the scopes release, and which other scopes they imply.

use std::collections::BTreeMap;

use crate::builder::clients::described;
use crate::builder::error::BuildError;
use crate::builder::{Builder, Settings};
use crate::model::Scope;
use crate::model::hierarchy::Hierarchy;

/// # Scopes: which claims each releases, and which others it implies
impl<S> Builder<S> {
    /// The claims that the preceding scope releases: a client that was granted it reads them at `/userinfo`, in its ID
    /// tokens if it [asks for that](crate::Client::claims_in_id_tokens), and in its access tokens, even a third
    /// party's. Default: those that OpenID Connect lists for `profile`, `email`, `address` and `phone` (Core §5.4), and
    /// none for other scopes. A claim that neither the type of the claims nor OpenID Connect has is a
    /// [`BuildError`](crate::BuildError::ReleasedClaim).
    ///
    /// ```
    /// # use oauth_runtime::{Client, Login, OAuthService};
    /// # use serde_json::json;
    /// let oauth = OAuthService::builder()
    ///     .issuer("http://127.0.0.1:8000")
    ///     .scope("openid", "Know who you are")
    ///     .scope("roles", "Know what you may do")
    ///     .releases(["role", "permissions"])
    ///     .client(Client::public("grafana").redirect_uri("http://127.0.0.1/login").claims_in_id_tokens())
    ///     .authenticate(async |_: Login| Some(json!({ "sub": "ada", "role": "admin" })))
    ///     .build()
    ///     .unwrap();
    /// # let _ = oauth;
    /// ```
    pub fn releases<C: Into<String>>(mut self, claims: impl IntoIterator<Item = C>) -> Self {
        let scope = self.settings.scopes.last().map(|(scope, _)| scope.clone());
        self.settings.releases.push((scope, claims.into_iter().map(Into::into).collect()));
        self
    }

    /// The scopes that the preceding one implies, as in `"files:read files:list"`: a token with that one has these as
    /// well, at guards, at `/userinfo` and for [`AccessToken::scope`](crate::AccessToken::scope). Each must be declared
    /// with [`scope`](Builder::scope), and implies its own in turn. Another server reads in its tokens only what was
    /// granted. Default: none.
    ///
    /// ```
    /// # use oauth_runtime::{Client, Login, OAuthService};
    /// # use serde_json::json;
    /// let oauth = OAuthService::builder()
    ///     .issuer("http://127.0.0.1:8000")
    ///     .scope("files:read", "Read your files")
    ///     .scope("files", "Read and change your files")
    ///     .implies("files:read")
    ///     .client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"))
    ///     .authenticate(async |_: Login| Some(json!({ "sub": "ada" })))
    ///     .build()
    ///     .unwrap();
    /// # let _ = oauth;
    /// ```
    pub fn implies(mut self, scopes: impl Into<String>) -> Self {
        let scope = self.settings.scopes.last().map(|(scope, _)| scope.clone());
        self.settings.implied.push((scope, scopes.into()));
        self
    }
}

impl Settings {
    pub(super) fn hierarchy(&self, scopes: &BTreeMap<String, String>) -> Result<Hierarchy, BuildError> {
        let mut implied: BTreeMap<String, Scope> = BTreeMap::new();
        for (scope, others) in &self.implied {
            let scope = scope.clone().ok_or(BuildError::ImpliesWithoutScope)?;
            let others = described(others, scopes).map_err(BuildError::ImpliedScope)?;
            implied.entry(scope).or_default().extend(others.iter());
        }
        Ok(Hierarchy::of(implied))
    }
}
