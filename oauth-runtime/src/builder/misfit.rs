//! What a configuration names and does not have: a scope, or a claim.

/// A scope that no [`Builder::scope`](crate::Builder::scope) describes.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("{scope:?}, which no .scope(..) of the builder describes: {why}")]
#[non_exhaustive]
pub struct UnknownScope {
    /// The scope; the whole text as given if it is malformed.
    pub scope: String,
    /// What to write.
    pub why: String,
}

crate::model::debug_as_text!(UnknownScope);
