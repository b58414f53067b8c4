//! Errors of Redis.

use crate::store::StoreError;

pub(super) fn unavailable(why: String) -> StoreError {
    StoreError::Unavailable(why.into())
}
