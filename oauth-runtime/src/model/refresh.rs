//! What a refresh token says.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::Timestamp;
use crate::model::resource::Resources;
use crate::model::scope::Scope;
use crate::model::session::Authentication;

/// A refresh token: who may ask again, and for what. It carries the subject and not the claims, so that authority is
/// looked up anew at every use.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RefreshToken {
    /// The grant, which is also the name of the family.
    pub(crate) grant: String,
    /// Its place in the family: the store knows which one is the current.
    pub(crate) generation: u64,
    pub(crate) client_id: String,
    pub(crate) subject: String,
    /// All that was granted: a refresh may ask for less, and the next one for all again (RFC 6749 §6).
    pub(crate) scope: Scope,
    /// All that were granted; each refresh may choose among them (RFC 8707 §2.2).
    #[serde(default, skip_serializing_if = "Resources::is_empty")]
    pub(crate) resources: Resources,
    pub(crate) how: Authentication,
    /// When the family ends, however often it is used.
    pub(crate) ends_at: Timestamp,
}

/// How long refresh tokens are good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RefreshLifetimes {
    /// Without use.
    pub(crate) idle: Duration,
    /// From the sign-in on, with any use.
    pub(crate) absolute: Duration,
}

impl RefreshLifetimes {
    pub(crate) const DEFAULT: RefreshLifetimes =
        RefreshLifetimes { idle: Duration::from_secs(14 * DAY), absolute: Duration::from_secs(90 * DAY) };
    pub(crate) const LONGEST: Duration = Duration::from_secs(400 * DAY);
}

const DAY: u64 = 24 * 3600;

/// How long, after its first use, a refresh token may be used again: two tabs that refresh at once, or an answer that was
/// lost on the way. Both get the same generation.
pub(crate) const GRACE: Duration = Duration::from_secs(10);
