//! Errors of SQLite, and their cures.

use std::path::Path;
use std::sync::Arc;

use crate::store::StoreError;

/// A failure that many callers get: those whose writes share a commit.
#[derive(Clone, Debug)]
pub(super) enum Failed {
    /// The disk or the file is full.
    Full,
    /// Anything else, as a message.
    Other(Arc<str>),
}

impl Failed {
    pub(super) fn new(text: String) -> Self {
        Failed::Other(text.into())
    }

    pub(super) fn of(path: &Path, why: &sqlx::Error) -> Self {
        let cure = match code(why) {
            Some(FULL) => return Failed::Full,
            Some(BUSY | LOCKED) => {
                ": another process holds it for seconds; end a tool that has it open, such as `sqlite3`"
            }
            Some(READONLY) => ": let this user write the file and its folder",
            Some(CANTOPEN) => ": its folder must exist, and this user must be allowed to read and write in it",
            Some(CORRUPT) => {
                ": the file is damaged; stop every process, restore a backup, and call OAuthService::renew"
            }
            Some(NOTADB) => ": the file is not an SQLite database, or is damaged; give the store a file of its own",
            Some(IOERR) => ": the disk, or its file system, failed; see the system's log",
            _ => "",
        };
        Failed::new(format!("{}: {why}{cure}", path.display()))
    }
}

/// Whether another process is in the way, so that it is worth another attempt.
pub(super) fn is_busy(why: &sqlx::Error) -> bool {
    matches!(code(why), Some(BUSY | LOCKED))
}

/// SQLite's primary result code.
fn code(why: &sqlx::Error) -> Option<i32> {
    let extended: i32 = why.as_database_error()?.code()?.parse().ok()?;
    Some(extended & 0xff)
}

impl From<Failed> for StoreError {
    fn from(failed: Failed) -> StoreError {
        match failed {
            Failed::Full => StoreError::Full,
            Failed::Other(text) => StoreError::Unavailable(text.to_string().into()),
        }
    }
}

// https://www.sqlite.org/rescode.html
const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const READONLY: i32 = 8;
const IOERR: i32 = 10;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const CANTOPEN: i32 = 14;
const NOTADB: i32 = 26;
