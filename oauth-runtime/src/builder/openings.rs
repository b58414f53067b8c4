//! What is opened to clients that the author did not list.

use crate::model::ceiling::Unlisted;

/// What was said of clients that are not listed.
#[derive(Default)]
pub(super) struct Openings {
    /// Resources of this very `App`.
    pub(super) served: Vec<String>,
    pub(super) scopes: Vec<String>,
    pub(super) resources: Vec<String>,
    /// By which ways they may come.
    pub(super) ways: Vec<Unlisted>,
}
