//! How access tokens are verified that are shown to the server rather than used at it.

use crate::guard::cache::TokenCache;
use crate::keys::Expected;

/// Whomever they are for.
pub(crate) struct Shown {
    pub(super) expected: Expected,
    /// Those that were shown before. What guards here take is not in it: theirs are for this service alone.
    pub(super) cache: TokenCache,
}

impl Shown {
    /// Within as many bytes as the guards have, or fewer.
    pub(crate) fn new(expected: Expected, bytes: usize) -> Self {
        Shown { expected: expected.or_any(), cache: TokenCache::new(bytes.min(MOST_BYTES)) }
    }
}

/// A resource server asks about the same token for as long as it does not remember the answer.
const MOST_BYTES: usize = 1 << 20;
