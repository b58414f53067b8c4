//! A token for one purpose of the author's, such as a link in a mail.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::as_of::AsOf;

/// What travels in it, sealed.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct OneTimeToken {
    /// Spent when it is redeemed.
    pub(crate) id: String,
    /// The author's word for what it is for: a token of one purpose is none of another.
    #[serde(rename = "p")]
    pub(crate) purpose: String,
    #[serde(rename = "s")]
    pub(crate) subject: String,
    /// A sign-out since ends it.
    #[serde(rename = "v")]
    pub(crate) as_of: AsOf,
    #[serde(rename = "d", default, skip_serializing_if = "Value::is_null")]
    pub(crate) payload: Value,
}
