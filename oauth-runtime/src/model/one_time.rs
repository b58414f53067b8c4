//! A token for one purpose of the author, such as a link in a mail.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::as_of::AsOf;

/// The sealed content.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct OneTimeToken {
    /// Spent when it is redeemed.
    pub(crate) id: String,
    /// The author's word for its purpose: a token for one purpose is not valid for another.
    #[serde(rename = "p")]
    pub(crate) purpose: String,
    #[serde(rename = "s")]
    pub(crate) subject: String,
    /// A later sign-out ends it.
    #[serde(rename = "v")]
    pub(crate) as_of: AsOf,
    #[serde(rename = "d", default, skip_serializing_if = "Value::is_null")]
    pub(crate) payload: Value,
}
