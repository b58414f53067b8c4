//! The secrets of a service: what is configured, and what the server makes of it.

use crate::builder::Builder;
use crate::builder::error::BuildError;
use crate::model::Secret;
use crate::model::secret::Secrets;

impl Builder {
    /// What everything is signed and sealed under: at least 32 random bytes, the same in every process of the service.
    ///
    /// Left out, one is drawn, with a warning: tokens then end with the process.
    ///
    /// `docs/secrets.md` says how to change it: without a failed call, or at once.
    pub fn secret(mut self, secret: impl Into<Secret>) -> Self {
        self.secret = Some(secret.into());
        self
    }

    /// A secret used before: what was made under it is still taken, and nothing more is made under it. Call it once for
    /// each.
    pub fn previous_secret(mut self, secret: impl Into<Secret>) -> Self {
        self.previous_secrets.push(secret.into());
        self
    }

    /// A secret that will be used next: what another process makes under it is taken, the public keys that come of it are
    /// published, and nothing is made under it here. Call it once for each.
    ///
    /// Once every process has it, it can become the [`secret`](Builder::secret), and the old one the
    /// [`previous_secret`](Builder::previous_secret): no call fails while processes of both kinds run.
    pub fn next_secret(mut self, secret: impl Into<Secret>) -> Self {
        self.next_secrets.push(secret.into());
        self
    }

    /// The secrets; a current one is drawn with a warning where none is configured.
    pub(super) fn checked_secrets(&mut self) -> Result<Secrets, BuildError> {
        let current = self.secret.take();
        let others: Vec<Secret> = self.previous_secrets.drain(..).chain(self.next_secrets.drain(..)).collect();
        for secret in current.iter().chain(&others) {
            if secret.bytes().len() < Secret::MIN_BYTES {
                return Err(BuildError::ShortSecret { bytes: secret.bytes().len() });
            }
        }
        if let Some(current) = current {
            return Ok(Secrets::new(current, others));
        }
        // A variable that is not set, most likely: each process would sign with another secret.
        if !others.is_empty() {
            return Err(BuildError::NoCurrentSecret);
        }
        let what = if self.keys.is_some() { "sign-ins, sessions and refresh tokens end" } else { "every token ends" };
        tracing::warn!(
            target: "oauth",
            "no secret is configured: one was drawn, and {what} with this process; add .secret(..)"
        );
        Ok(Secrets::new(Secret::random(), []))
    }
}
