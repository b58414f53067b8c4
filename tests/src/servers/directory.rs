//! Where a server keeps its files.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::postgres;

/// What every directory of these is called by, whichever process made it.
const PREFIX: &str = "oauth-servers-";
/// Locked for as long as the process lives that the directory belongs to.
const OWNER: &str = "owner";
const DATA: &str = "data";

/// A temporary directory. It is removed when this is dropped, or after the end of a process that did not get to it.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    copies: usize,
    _owner: File,
}

/// A copy of a server's data; it lasts as long as the server that it was taken of.
#[derive(Clone, Debug)]
pub struct Snapshot(PathBuf);

impl Directory {
    pub(super) fn new() -> Directory {
        sweep();
        let path = std::env::temp_dir().join(format!("{PREFIX}{:016x}", super::random()));
        fs::create_dir(&path).unwrap();
        // A server may run as another user than the test.
        fs::set_permissions(&path, Permissions::from_mode(0o711)).unwrap();
        // Another that sweeps must not find the file before it is locked.
        let unlocked = path.join("unlocked");
        let owner = File::create(&unlocked).unwrap();
        owner.lock().unwrap();
        fs::rename(unlocked, path.join(OWNER)).unwrap();
        Directory { path, copies: 0, _owner: owner }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The server's data.
    pub(super) fn data(&self) -> PathBuf {
        self.path.join(DATA)
    }

    /// What the server writes to its log.
    pub(super) fn log(&self) -> PathBuf {
        self.path.join("log")
    }

    /// Copies the data, but for a file that is of a running server alone.
    pub(super) fn snapshot(&mut self, leave_out: &str) -> Snapshot {
        self.copies += 1;
        let copy = self.path.join(format!("copy-{}", self.copies));
        copy_all(&self.data(), &copy);
        drop(fs::remove_file(copy.join(leave_out)));
        Snapshot(copy)
    }

    /// Puts the data back as they were.
    pub(super) fn restore(&self, snapshot: &Snapshot) {
        fs::remove_dir_all(self.data()).unwrap();
        copy_all(&snapshot.0, &self.data());
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// Removes a directory; it may be another user's, who will.
fn remove(directory: &Path) {
    postgres::forget_memory(&directory.join(DATA));
    drop(fs::remove_dir_all(directory));
}

/// Copies a directory with the owners of its files.
fn copy_all(from: &Path, to: &Path) {
    super::output(Command::new("cp").arg("-a").arg(from).arg(to)).unwrap();
}

/// Removes what was left by processes that are gone.
fn sweep() {
    for entry in fs::read_dir(std::env::temp_dir()).unwrap().flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX)
            && let Ok(owner) = File::open(entry.path().join(OWNER))
            && owner.try_lock().is_ok()
        {
            remove(&entry.path());
        }
    }
}
