//! Proofs of possession: tokens that are bound to a key of their client (RFC 9449).

use std::sync::Arc;

use aws_lc_rs::hmac;

use crate::builder::error::BuildError;
use crate::builder::openings::OpeningError;
use crate::builder::proof_settings::ProofSettings;
use crate::builder::{Builder, Settings};
use crate::clients::Clients;
use crate::guard::proofs::{Proofs, Rules};
use crate::guard::refusal::Resource;
use crate::keys::Nonces;
use crate::model::issuer::Issuer;
use crate::model::resource::Resources;
use crate::model::secret::Secrets;
use crate::seal::derive;

/// # DPoP
impl<S> Builder<S> {
    /// Accepts proofs of possession (DPoP, RFC 9449): a client that sends one with its token request gets tokens that
    /// are bound to its key, and of no use to a thief. Guards ask for a proof with each such token. Clients that send
    /// none get bearer tokens, as before. Default: off; proofs are not read, and the metadata does not mention them.
    ///
    /// Each proof is good for one request, within a minute. At `/token` it is spent through the store, at `/par` in the
    /// process, and at guards too, unless [`Builder::dpop_once`] asks for more. The URLs that proofs are for begin with
    /// the origin of the issuer, or of the [resource](Builder::mcp), as they are written here.
    ///
    /// ```
    /// # use oauth_runtime::{Client, Login, OAuthService};
    /// # use serde_json::json;
    /// let oauth = OAuthService::builder()
    ///     .issuer("http://127.0.0.1:8000")
    ///     .client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"))
    ///     .dpop()
    ///     .authenticate(async |_: Login| Some(json!({ "sub": "ada" })))
    ///     .build();
    /// assert!(oauth.is_ok());
    /// ```
    pub fn dpop(mut self) -> Self {
        self.settings.proofs.are_taken = true;
        self
    }

    /// Like [`Builder::dpop`], and each proof must contain a nonce of this server, so that none can be made in advance
    /// (RFC 9449 §8, §9). A client without a valid nonce gets one, with the error `use_dpop_nonce`, and tries again.
    /// Nonces are made from [`Builder::secret`], so nothing is stored for them. Default: none are demanded.
    pub fn dpop_nonces(mut self) -> Self {
        self.settings.proofs.have_nonces = true;
        self.dpop()
    }

    /// Like [`Builder::dpop`], and guards spend each proof through the store: they accept none twice, whichever
    /// process it reaches. Nothing changes at `/token`, which always does so, and at `/par`, where a replay gains
    /// nothing. This costs each request with a bound token a write to the store. Default: each process accepts a proof
    /// once, and a restarted process might accept a proof of the last minute again.
    pub fn dpop_once(mut self) -> Self {
        self.settings.proofs.are_spent_in_the_store = true;
        self.dpop()
    }

    /// Like [`Builder::dpop`], and all tokens for this resource are bound to a key: `/token` issues no others for it,
    /// and guards below its path refuse bearer tokens (`dpop_bound_access_tokens_required`, RFC 9728 §2). It is one of
    /// [`Builder::mcp`] and [`Builder::resource`], or the service's own [`Builder::audience`]. Call it once for each.
    /// Default: none. For one client it is [`Client::require_dpop`](crate::Client::require_dpop).
    ///
    /// ```
    /// # use oauth_runtime::{Client, Login, OAuthService};
    /// # use serde_json::json;
    /// let oauth = OAuthService::builder()
    ///     .issuer("http://127.0.0.1:8000")
    ///     .client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"))
    ///     .resource("http://127.0.0.1:8000/money")
    ///     .require_dpop_at("http://127.0.0.1:8000/money")
    ///     .authenticate(async |_: Login| Some(json!({ "sub": "ada" })))
    ///     .build();
    /// assert!(oauth.is_ok());
    /// ```
    pub fn require_dpop_at(mut self, resource: impl Into<String>) -> Self {
        self.settings.proofs.required_at.push(resource.into());
        self.dpop()
    }
}

impl Settings {
    /// `None` if no proofs are accepted.
    pub(super) fn rules_of_proofs(
        &self,
        clients: &Clients,
        secrets: &Secrets,
        issuer: &Issuer,
        audience: &str,
    ) -> Result<Option<Arc<Rules>>, BuildError> {
        let ProofSettings { are_taken, have_nonces, are_spent_in_the_store, required_at } = &self.proofs;
        let known: Resources = self.resources.iter().map(String::as_str).chain([audience]).collect();
        if let Some(resource) = required_at.iter().find(|resource| !known.has(resource)) {
            return Err(OpeningError::BoundTokensAt { resource: resource.clone() }.into());
        }
        // Clients that a function knows may have any setting.
        if !are_taken && clients.first(|client| client.requires_proof).is_none() {
            return Ok(None);
        }
        let nonces = || Nonces::new(secrets, issuer.as_str()).ok_or(BuildError::Cryptography);
        let nonces = have_nonces.then(nonces).transpose()?;
        let required = required_at.iter().map(String::as_str).collect();
        let names = secrets.iter().next().and_then(|secret| derive(secret, b"names of proofs"));
        let names = hmac::Key::new(hmac::HMAC_SHA256, &names.ok_or(BuildError::Cryptography)?);
        Ok(Some(Arc::new(Rules::new(nonces, *are_spent_in_the_store, required, names, self.clock.clone()))))
    }
}

/// How guards of a resource check proofs; without one, those of the service's own audience.
pub(super) fn proofs(rules: &Arc<Rules>, issuer: &Issuer, audience: &str, resource: Option<&Resource>) -> Arc<Proofs> {
    let origin = resource.map_or_else(|| issuer.origin().to_owned(), Resource::origin);
    Arc::new(Proofs { origin, is_required: rules.required.has(audience), rules: Arc::clone(rules) })
}
