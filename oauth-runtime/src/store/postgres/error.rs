//! What an error of the database means.

use crate::store::StoreError;

pub(super) fn failed(error: sqlx::Error) -> StoreError {
    match code(&error).as_deref() {
        Some(DISK_FULL | OUT_OF_MEMORY) => StoreError::Full,
        _ => StoreError::Unavailable(error.into()),
    }
}

/// Whether the transaction was rolled back, and may succeed when it is tried again.
pub(super) fn did_nothing(error: &sqlx::Error) -> bool {
    matches!(code(error).as_deref(), Some(SERIALIZATION_FAILURE | DEADLOCK_DETECTED))
}

pub(super) fn code(error: &sqlx::Error) -> Option<String> {
    error.as_database_error()?.code().map(|code| code.into_owned())
}

// PostgreSQL's own codes (its manual, appendix A).
const SERIALIZATION_FAILURE: &str = "40001";
const DEADLOCK_DETECTED: &str = "40P01";
const DISK_FULL: &str = "53100";
const OUT_OF_MEMORY: &str = "53200";
pub(super) const INSUFFICIENT_PRIVILEGE: &str = "42501";
