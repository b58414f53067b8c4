//! The client that asks for tokens.

use crate::keys::Proof;
use crate::model::client::RegisteredClient;
use crate::model::proof::Thumbprint;

/// Who asks for tokens.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'a> {
    pub(crate) client: &'a RegisteredClient,
    /// Proves its key, to which the tokens are bound.
    pub(crate) proof: Option<&'a Proof>,
}

impl<'a> Caller<'a> {
    pub(crate) fn key(&self) -> Option<&'a Thumbprint> {
        self.proof.map(|proof| &proof.key)
    }
}
