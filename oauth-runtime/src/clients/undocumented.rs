//! Replaces `documents.rs` without the feature `mcp`: there are no documents.

use std::sync::Arc;

use crate::error::Reason;
use crate::model::client::RegisteredClient;

/// Without documents.
pub(crate) enum Documents {}

impl Documents {
    pub(crate) fn held(&self, _: &str) -> Option<Arc<RegisteredClient>> {
        match *self {}
    }

    pub(crate) fn asking(&self, _: &str, _: Option<&str>) -> Result<Arc<RegisteredClient>, Reason> {
        match *self {}
    }

    pub(crate) async fn fetched(&self, _: &str, _: &str) -> Result<Arc<RegisteredClient>, Reason> {
        match *self {}
    }

    pub(crate) async fn fetched_or_held(&self, _: &str, _: &str) -> Result<Arc<RegisteredClient>, Reason> {
        match *self {}
    }
}
