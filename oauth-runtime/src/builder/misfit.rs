//! What is named in a configuration and is not there: a scope, or a claim.

/// A scope that no [`Builder::scope`](crate::Builder::scope) describes.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("{scope:?}, which no .scope(..) of the builder describes: {why}")]
#[non_exhaustive]
pub struct UnknownScope {
    /// The scope; all as given where it is malformed.
    pub scope: String,
    /// What to write.
    pub why: String,
}

crate::model::debug_as_text!(UnknownScope);
