//! Where the open file is, and the end of a connection to it.

use std::path::Path;
use std::sync::Arc;

use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;

use super::failed::Failed;
use super::patience::PATIENCE;

/// Where the open file is. No other file may take its place: what is written to a file without a name is lost.
#[derive(Clone)]
pub(super) struct Place {
    path: Arc<Path>,
    id: Option<(u64, u64)>,
}

impl Place {
    pub(super) fn of(path: Arc<Path>) -> Result<Self, Failed> {
        let id = id(&path).map_err(|why| Failed::new(format!("{}: {why}", path.display())))?;
        Ok(Place { path, id })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Refuses if another file, or none, is there now.
    pub(super) fn check(&self) -> Result<(), Failed> {
        match id(&self.path) {
            Ok(id) if id == self.id => Ok(()),
            _ => Err(Failed::new(format!(
                "{} was moved, removed or replaced while it was open: stop every process, put it back, and start again",
                self.path.display()
            ))),
        }
    }

    pub(super) fn overloaded(&self) -> Failed {
        let (path, limit) = (self.path.display(), PATIENCE.as_secs());
        Failed::new(format!("{path} had no time for the call within {limit} s: the disk is too slow for so many calls"))
    }
}

/// What distinguishes a file from another in its place, found without opening it, for the reason in `file::create`.
#[cfg(unix)]
fn id(path: &Path) -> std::io::Result<Option<(u64, u64)>> {
    use std::os::unix::fs::MetadataExt as _;
    let file = std::fs::metadata(path)?;
    Ok(Some((file.dev(), file.ino())))
}

#[cfg(not(unix))]
fn id(_: &Path) -> std::io::Result<Option<(u64, u64)>> {
    // An open file cannot be replaced there.
    Ok(None)
}

/// Closes a connection; the last one of all processes brings the file up to date and removes the files beside it.
pub(super) async fn close(connection: SqliteConnection) {
    if let Err(why) = connection.close().await {
        // Nothing is lost: what was acknowledged is in the file or beside it.
        tracing::warn!(target: "oauth", %why, "an SQLite file was not closed in order");
    }
}
