//! The secrets of a service: what is configured, and what the server makes of it.

use crate::builder::error::BuildError;
use crate::builder::{Builder, Settings};
use crate::model::Secret;
use crate::model::issuer::Issuer;
use crate::model::secret::{InvalidSecret, Secrets};
use crate::store::About;

/// # Secrets
impl<S> Builder<S> {
    /// The secret under which everything is signed and sealed: at least 32 random bytes, the same in every process of
    /// the service.
    ///
    /// Written in base64, base64url or hex (`openssl rand -base64 32` makes one; a line break at the end does not
    /// matter), or raw, as `[u8; 32]` or bytes that are not text. Default: a random one, with a warning, and tokens end
    /// with the process; a store that outlives the process requires one.
    ///
    /// The page `secrets` of the guide says how to change it: without a failed call, or at once.
    ///
    /// ```
    /// # use oauth_runtime::OAuthService;
    /// let builder = OAuthService::builder().secret("YdYQ8GU1ZaifFM+45Ep9QAFqr0GY0b9DomzH6GQjLtQ=");
    /// # let _ = builder;
    /// ```
    pub fn secret(mut self, secret: impl Into<Secret>) -> Self {
        self.settings.secret = Some(secret.into());
        self
    }

    /// A phrase of your own in place of a [`secret`](Builder::secret), of at least 32 bytes.
    ///
    /// The danger: with anything that this server issues, an attacker can test guesses on their own machines, as fast
    /// as those allow. With the phrase they can make any token for any user. Random bytes cannot be guessed.
    pub fn danger_passphrase(self, phrase: impl Into<String>) -> Self {
        self.secret(Secret::danger_passphrase(phrase))
    }

    /// A secret used before: what was made under it is still accepted, and nothing new is made under it. Call it once
    /// for each.
    pub fn previous_secret(mut self, secret: impl Into<Secret>) -> Self {
        self.settings.previous_secrets.push(secret.into());
        self
    }

    /// A secret that will be used next: what another process makes under it is accepted, the public keys derived from
    /// it are published, and nothing is made under it here. Call it once for each.
    ///
    /// Once every process has it, it can become the [`secret`](Builder::secret), and the old one the
    /// [`previous_secret`](Builder::previous_secret): no call fails while processes of both kinds run.
    pub fn next_secret(mut self, secret: impl Into<Secret>) -> Self {
        self.settings.next_secrets.push(secret.into());
        self
    }
}

impl Settings {
    /// The secrets; a current one is drawn with a warning where none is configured.
    pub(super) fn checked_secrets(&mut self, issuer: &Issuer) -> Result<Secrets, BuildError> {
        if issuer.is_https() {
            self.tell_of_shown_secrets(issuer);
        }
        let current = self.secret.take().map(checked_secret).transpose()?;
        let others = self.previous_secrets.drain(..).chain(self.next_secrets.drain(..));
        let others = others.map(checked_secret).collect::<Result<Vec<_>, _>>()?;
        if let Some(current) = current {
            return Ok(Secrets::new(current, others));
        }
        // Most likely an unset variable: each process would sign with another secret.
        if !others.is_empty() {
            return Err(BuildError::NoCurrentSecret);
        }
        if let Some(About { engine, schema: Some(_), .. }) = self.store.as_ref().map(|store| store.about()) {
            return Err(BuildError::StoreWithoutSecret { engine });
        }
        let what = if self.keys.is_some() { "sign-ins, sessions and refresh tokens end" } else { "every token ends" };
        tracing::warn!(
            target: "oauth",
            "no secret is configured: one was drawn, and {what} with this process; add .secret(..)"
        );
        Ok(Secrets::new(Secret::random(), []))
    }

    /// Tells of secrets that everyone can read, for a service that others reach.
    fn tell_of_shown_secrets(&self, issuer: &Issuer) {
        let issuer = issuer.as_str();
        let own = self.secret.iter().chain(&self.previous_secrets).chain(&self.next_secrets);
        if own.chain(&self.openings.registration_secret).any(Secret::is_shown) {
            tracing::error!(
                target: "oauth",
                issuer,
                "a secret of this service is one that its documentation shows: anyone can make tokens; make one with \
                 `openssl rand -base64 32`"
            );
        }
        for client in self.clients.iter().filter(|client| client.secrets.iter().any(Secret::is_shown)) {
            tracing::error!(
                target: "oauth",
                issuer,
                client = client.id,
                "the secret of this client is one that the documentation shows: anyone can pose as it; make one with \
                 `openssl rand -base64 32`"
            );
        }
    }
}

pub(super) fn checked_secret(secret: Secret) -> Result<Secret, BuildError> {
    secret.decoded().map_err(|why| match why {
        InvalidSecret::Short(bytes) => BuildError::ShortSecret { bytes },
        InvalidSecret::PlainText => BuildError::PlainSecret,
        InvalidSecret::Predictable => BuildError::PredictableSecret,
    })
}
