//! Who signed in, how and when, and the session that a browser has of it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::model::Timestamp;
use crate::model::resource::Resources;
use crate::model::scope::Scope;

/// How a user showed who he is. It goes with everything that comes of the sign-in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Authentication {
    /// `auth_time`
    #[serde(rename = "t")]
    pub(crate) at: Timestamp,
    /// By which methods (RFC 8176).
    #[serde(rename = "m", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) amr: Vec<String>,
    /// How strong that was, in the author's words.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub(crate) acr: Option<String>,
    /// The session it began: what comes of it ends with that.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub(crate) session: Option<String>,
}

impl Authentication {
    /// As tokens say it (OpenID Connect Core §2, RFC 9068 §2.2.1).
    pub(crate) fn claims(&self) -> impl Iterator<Item = (String, Value)> {
        let amr = (!self.amr.is_empty()).then(|| json!(self.amr));
        let acr = self.acr.as_ref().map(|acr| json!(acr));
        let sid = self.session.as_ref().map(|session| json!(session));
        [("auth_time", Some(json!(self.at))), ("amr", amr), ("acr", acr), ("sid", sid)]
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
    }
}

/// A user who has shown who he is, with the claims of now.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Person {
    pub(crate) subject: String,
    /// What the pages call him: the name as typed.
    pub(crate) account: String,
    pub(crate) claims: Map<String, Value>,
    pub(crate) how: Authentication,
}

/// The session cookie. It carries the subject and not the claims, so that authority is looked up anew at every use.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) subject: String,
    pub(crate) account: String,
    pub(crate) how: Authentication,
}

/// What one user has allowed, in the cookie that remembers it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Consents {
    pub(crate) subject: String,
    /// By client.
    pub(crate) given: BTreeMap<String, Consent>,
}

/// What one client was allowed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Consent {
    pub(crate) scope: Scope,
    #[serde(default, skip_serializing_if = "Resources::is_empty")]
    pub(crate) resources: Resources,
}

impl Consent {
    /// Whether what is asked for is within what was allowed.
    pub(crate) fn covers(&self, scope: &Scope, resources: &Resources) -> bool {
        scope.is_subset(&self.scope) && resources.is_subset(&self.resources)
    }
}

/// How long a session is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SessionLifetimes {
    /// Without use.
    pub(crate) idle: Duration,
    /// From the sign-in on, with any use.
    pub(crate) absolute: Duration,
}

impl SessionLifetimes {
    pub(crate) const DEFAULT: SessionLifetimes =
        SessionLifetimes { idle: Duration::from_secs(DAY), absolute: Duration::from_secs(14 * DAY) };
    pub(crate) const LONGEST: Duration = Duration::from_secs(400 * DAY);
}

const DAY: u64 = 24 * 3600;
