//! Why a store gave no answer.

use std::error::Error;

/// Why a store gave no answer. The request in question is refused with status 503; so is one whose handler returns it, which
/// says no more than that: the text is for the log.
///
/// `Display` and `Debug` print the same text. The text of a [`source`](Error::source) is part of it.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It keeps as many facts as it may.
    #[error("the store is full: give it more capacity")]
    Full,
    /// The engine behind it failed, with this error.
    #[error("the store is unavailable: {0}")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
}

crate::model::debug_as_text!(StoreError);
