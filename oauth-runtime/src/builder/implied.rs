//! Scopes that have others in them.

use std::collections::BTreeMap;

use crate::builder::clients::described;
use crate::builder::error::BuildError;
use crate::builder::{Builder, Settings};
use crate::model::Scope;
use crate::model::hierarchy::Hierarchy;

impl<S> Builder<S> {
    /// Which scopes are in the one before it, as in `"files:read files:list"`: a token with that one has these as well, at guards, at
    /// `/userinfo` and for [`AccessToken::scope`](crate::AccessToken::scope). Each is declared by
    /// [`scope`](Builder::scope); what is implied implies on. A server elsewhere reads in its tokens what was granted. Default:
    /// none.
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
    pub(super) fn hierarchy(&mut self, scopes: &BTreeMap<String, String>) -> Result<Hierarchy, BuildError> {
        let mut implied: BTreeMap<String, Scope> = BTreeMap::new();
        for (scope, others) in std::mem::take(&mut self.implied) {
            let scope = scope.ok_or(BuildError::ImpliesWithoutScope)?;
            let others = described(&others, scopes).map_err(BuildError::ImpliedScope)?;
            implied.entry(scope).or_default().extend(others.iter());
        }
        Ok(Hierarchy::of(implied))
    }
}
