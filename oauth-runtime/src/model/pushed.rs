//! An authorization request that its client pushed before it sends the browser (RFC 9126).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::as_of::AsOf;

/// What a `request_uri` carries: the whole request, so that nothing is stored for it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PushedRequest {
    /// The client's name in codes and tokens.
    #[serde(rename = "k")]
    pub(crate) client: String,
    /// As they were pushed, as a query: without the client's id and credentials.
    #[serde(rename = "q")]
    pub(crate) parameters: String,
    #[serde(flatten)]
    pub(crate) push: Push,
}

impl PushedRequest {
    /// RFC 9126 §2.2: the browser comes with it at once. The pages that follow have their own lifetimes.
    pub(crate) const LIFETIME: Duration = Duration::from_secs(60);
}

/// The push of an authorization request: each leads to one code.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Push {
    #[serde(rename = "p")]
    pub(crate) id: String,
    /// The state of the store's memory in which it is spent.
    #[serde(rename = "v")]
    pub(crate) as_of: AsOf,
}

/// The prefix of the sealed request (RFC 9126 §2.2).
pub(crate) const REQUEST_URI: &str = "urn:ietf:params:oauth:request_uri:";
