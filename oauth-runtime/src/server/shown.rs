//! How access tokens that are shown to the server rather than used at it are verified.

use crate::guard::cache::TokenCache;
use crate::keys::Expected;

/// Whatever their audience.
pub(crate) struct Shown {
    pub(super) expected: Expected,
    /// Tokens that were shown before. Those that guards accept are not in it, since they are only for this service.
    pub(super) cache: TokenCache,
}

impl Shown {
    /// Within at most as many bytes as the guards have.
    pub(crate) fn new(expected: Expected, bytes: usize) -> Self {
        Shown { expected: expected.or_any(), cache: TokenCache::new(bytes.min(MOST_BYTES)) }
    }
}

/// A resource server asks about the same token again unless it remembers the answer.
const MOST_BYTES: usize = 1 << 20;
