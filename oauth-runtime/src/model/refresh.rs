//! The content of a refresh token.

use serde::{Deserialize, Serialize};

use crate::model::Timestamp;
use crate::model::proof::Thumbprint;
use crate::model::resource::Resources;
use crate::model::scope::Scope;
use crate::model::session::Authentication;

/// A refresh token: who may ask again, and for what. It carries the subject and not the claims, so that those are
/// looked up at every use.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RefreshToken {
    /// The grant, which is also the name of the family.
    pub(crate) grant: String,
    /// Its place in the family: the store knows which one is current.
    pub(crate) generation: u64,
    pub(crate) client_id: String,
    pub(crate) subject: String,
    /// All that was granted: a refresh may ask for less, and the next one for all of it again (RFC 6749 §6).
    pub(crate) scope: Scope,
    /// All that were granted; each refresh may choose among them (RFC 8707 §2.2).
    #[serde(default, skip_serializing_if = "Resources::is_empty")]
    pub(crate) resources: Resources,
    /// Further claims of the ID tokens.
    #[serde(default, rename = "shown", skip_serializing_if = "Vec::is_empty")]
    pub(crate) in_id_token: Vec<String>,
    /// The key that it is bound to: only by this a public client shows that it is the same one (RFC 9449 §5).
    #[serde(default, rename = "jkt", skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<Thumbprint>,
    #[serde(rename = "how")]
    pub(crate) authentication: Authentication,
    /// When the family ends, however often it is used.
    pub(crate) ends_at: Timestamp,
}
