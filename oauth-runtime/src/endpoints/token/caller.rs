//! Who asks for tokens.

use crate::model::client::RegisteredClient;
use crate::model::proof::Thumbprint;

/// Who asks for tokens.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'a> {
    pub(crate) client: &'a RegisteredClient,
    /// The key that it has shown to hold: the tokens are bound to that.
    pub(crate) key: Option<&'a Thumbprint>,
}
