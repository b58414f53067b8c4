//! The request of a device without a browser: how it travels, and what waits for its user (RFC 8628).

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::Timestamp;
use crate::model::as_of::AsOf;
use crate::model::resource::Resources;
use crate::model::scope::Scope;
use crate::model::user_code::UserCode;

/// What the device sends when it asks whether its user has decided (RFC 8628 §3.2).
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DeviceCode {
    /// The id of the waiting request.
    pub(crate) id: String,
    #[serde(rename = "w")]
    pub(crate) user_code: UserCode,
    #[serde(rename = "k")]
    pub(crate) client_id: String,
    /// The state of the store's memory in which it waits.
    #[serde(rename = "v")]
    pub(crate) as_of: AsOf,
}

impl DeviceCode {
    /// Long enough to find a phone, and no longer, since an attacker may send the code around for that time.
    pub(crate) const LIFETIME: Duration = Duration::from_secs(600);
}

/// What waits for a user, kept sealed under the code that the device shows.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DeviceRequest {
    #[serde(rename = "k")]
    pub(crate) client_id: String,
    #[serde(rename = "p", default, skip_serializing_if = "Scope::is_empty")]
    pub(crate) scope: Scope,
    #[serde(rename = "r", default, skip_serializing_if = "Resources::is_empty")]
    pub(crate) resources: Resources,
    #[serde(flatten)]
    pub(crate) asked: Asked,
}

/// When and from where a device asked.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Asked {
    #[serde(rename = "t")]
    pub(crate) at: Timestamp,
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<IpAddr>,
}

/// The device of an authorization request: the answer goes to it, rather than with the browser.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ForDevice {
    /// The id of the waiting request.
    pub(crate) id: String,
    #[serde(rename = "w")]
    pub(crate) user_code: UserCode,
    #[serde(rename = "v")]
    pub(crate) as_of: AsOf,
    #[serde(flatten)]
    pub(crate) asked: Asked,
    #[serde(rename = "u")]
    pub(crate) until: Timestamp,
}
