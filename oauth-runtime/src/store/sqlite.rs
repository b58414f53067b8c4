//! One file on a local disk, for any number of processes of one machine.

mod failed;
mod file;
mod patience;
mod place;
mod reader;
mod time;
mod writer;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{mpsc, oneshot};

use crate::model::Clock;
use crate::store::{About, Change, Count, Counted, Incarnation, Key, Reply, Seen, Store, StoreError, Swap};
use failed::Failed;
use file::File;
use reader::Read;
use writer::{Outcome, Task, Write};

/// Keeps its values in an SQLite file: for a service whose processes run on one machine, and that keeps its users
/// signed in across restarts.
///
/// ```
/// use oauth_runtime::store::SqliteStore;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let folder = std::env::temp_dir().join(format!("sqlite-store-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// let store = SqliteStore::open(folder.join("oauth.db")).await.unwrap();
/// # drop(store);
/// # std::fs::remove_dir_all(folder).unwrap();
/// # });
/// ```
///
/// # What it promises
/// A write is acknowledged once it is on the disk: neither a killed process nor a power failure loses it. Writes at the
/// same moment share one sync, so that many callers at once are served faster than one after another. A full disk
/// refuses writes with [`StoreError::Full`] until there is room again; nothing is forgotten to make room.
///
/// # Where it works
/// On a local disk, by processes of one operating system (SQLite's WAL mode shares memory): not on NFS or SMB, and not
/// from two containers or virtual machines with kernels of their own. Beside `oauth.db` there are `oauth.db-wal` and
/// `oauth.db-shm` while it is open; they belong to it.
///
/// # Backup and restore
/// `(umask 077; sqlite3 oauth.db "VACUUM INTO 'backup.db'")` copies it while it is in use, into a file that its owner
/// alone may read. To restore, stop every process, remove the `-wal` and `-shm` files, and replace `oauth.db` with the copy. Then call
/// [`OAuthService::renew`](crate::OAuthService::renew) once, which renews all buckets: what was spent or revoked since
/// the backup is not in it. If the file is replaced while it is open, the store notices that and refuses every call.
///
/// # Time
/// It keeps the latest time that it has seen, and uses the later of that and the clock: setting the clock back brings
/// back nothing that has expired. If the clock was wrongly ahead, set it right, stop every process, run `sqlite3
/// oauth.db "UPDATE oauth_time SET highest = 0"`, and call [`OAuthService::renew`](crate::OAuthService::renew) once:
/// values that seemed to have expired are gone.
pub struct SqliteStore {
    path: Arc<Path>,
    reads: mpsc::Sender<Read>,
    writes: mpsc::Sender<Write>,
}

impl SqliteStore {
    /// Opens the file, and creates it if it is missing, readable only by its owner (mode 0600). Its folder must exist.
    ///
    /// The store runs in a thread of its own, and serves callers from any runtime; any number of stores and processes
    /// may have one file open. Dropping the store finishes the calls under way, and closes the file.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], with a text that names the cure, if the file cannot be created, read or written, is
    /// damaged, was written by a later release with a newer schema, or is the database of something else; and for
    /// `:memory:`, for which there is [`MemoryStore`](crate::store::MemoryStore). [`StoreError::Full`] if the disk is
    /// full.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        SqliteStore::start(path.as_ref(), Clock::system(), None).await
    }

    /// Opens the file with this clock: for tests that advance it.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    #[cfg(feature = "testing")]
    pub async fn open_with_clock(path: impl AsRef<Path>, clock: Clock) -> Result<Self, StoreError> {
        SqliteStore::start(path.as_ref(), clock, None).await
    }

    /// Opens the file with this clock, and lets this store grow it to this many pages of 4 KiB at most: for tests of a
    /// full disk.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    #[cfg(feature = "testing")]
    pub async fn open_with_max_pages(path: impl AsRef<Path>, clock: Clock, pages: u32) -> Result<Self, StoreError> {
        SqliteStore::start(path.as_ref(), clock, Some(pages)).await
    }

    async fn start(path: &Path, clock: Clock, max_pages: Option<u32>) -> Result<Self, StoreError> {
        let file = File::new(path, max_pages)?;
        let path = file.path();
        let (reads, asked) = mpsc::channel(QUEUE);
        let (writes, queued) = mpsc::channel(QUEUE);
        let (opened, opening) = oneshot::channel();
        std::thread::Builder::new()
            .name("oauth-sqlite".into())
            .spawn(move || serve(file, clock, asked, queued, opened))
            .map_err(|why| Failed::new(format!("cannot start the thread of {}: {why}", path.display())))?;
        opening.await.map_err(|_| ended(&path))??;
        Ok(SqliteStore { path, reads, writes })
    }

    async fn write(&self, task: Task) -> Result<Outcome, StoreError> {
        let (answer, answered) = oneshot::channel();
        let write = Write { task, since: Instant::now(), answer };
        self.writes.send(write).await.map_err(|_| ended(&self.path))?;
        Ok(answered.await.map_err(|_| ended(&self.path))??)
    }

    /// What a key holds, unless its bucket is new.
    async fn look(&self, key: Key) -> Result<Option<Seen>, StoreError> {
        let (answer, answered) = oneshot::channel();
        let read = Read { key, since: Instant::now(), answer };
        self.reads.send(read).await.map_err(|_| ended(&self.path))?;
        Ok(answered.await.map_err(|_| ended(&self.path))??)
    }
}

impl Store for SqliteStore {
    fn read(&self, key: Key) -> Reply<'_, Seen> {
        Reply::later(async move {
            if let Some(seen) = self.look(key).await? {
                return Ok(seen);
            }
            // The first to ask draws the incarnation, and that is a write.
            match self.write(Task::Draw(key)).await? {
                Outcome::Seen(seen) => Ok(seen),
                other => Err(another(&other)),
            }
        })
    }

    fn swap(&self, key: Key, change: Change) -> Reply<'_, Swap> {
        Reply::later(async move {
            match self.write(Task::Swap(key, change)).await? {
                Outcome::Swap(swap) => Ok(swap),
                other => Err(another(&other)),
            }
        })
    }

    fn count<'a>(&'a self, counts: &'a [Count]) -> Reply<'a, Vec<Counted>> {
        Reply::later(async move {
            match self.write(Task::Count(counts.to_vec())).await? {
                Outcome::Counted(counted) => Ok(counted),
                other => Err(another(&other)),
            }
        })
    }

    fn renew(&self, bucket: u16, was: Incarnation) -> Reply<'_, Incarnation> {
        Reply::later(async move {
            match self.write(Task::Renew(bucket, was)).await? {
                Outcome::Incarnation(incarnation) => Ok(incarnation),
                other => Err(another(&other)),
            }
        })
    }

    fn about(&self) -> About {
        About { engine: "SQLite", schema: Some(file::SCHEMA), has_clock: false }
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.path).finish_non_exhaustive()
    }
}

/// The store's thread: it ends once the store is dropped and what was queued is answered.
fn serve(
    file: File,
    clock: Clock,
    asked: mpsc::Receiver<Read>,
    queued: mpsc::Receiver<Write>,
    opened: oneshot::Sender<Result<(), Failed>>,
) {
    // A runtime of its own: those of the callers come and go, and the store serves them all.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_time().build() {
        Ok(runtime) => runtime,
        Err(why) => return drop(opened.send(Err(Failed::new(format!("cannot start a runtime: {why}"))))),
    };
    runtime.block_on(async move {
        let (writer, readers) = match file.open(clock, READERS).await {
            Ok(open) => open,
            Err(why) => return drop(opened.send(Err(why))),
        };
        let asked = Arc::new(tokio::sync::Mutex::new(asked));
        let readers: Vec<_> = readers.into_iter().map(|reader| tokio::spawn(reader.run(asked.clone()))).collect();
        // If the caller is gone, so is its end of both queues, and all of this ends at once.
        let _ = opened.send(Ok(()));
        let writing = writer.run(queued).await;
        for reader in readers {
            // It neither panics nor is cancelled.
            let _ = reader.await;
        }
        // Last of all and by itself: of two connections that close at once, neither would see itself as the last, and
        // clean up.
        place::close(writing).await;
    });
}

fn ended(path: &Path) -> StoreError {
    Failed::new(format!("the thread of {} has ended", path.display())).into()
}

/// Each task has one kind of outcome: this is for the compiler.
fn another(outcome: &Outcome) -> StoreError {
    Failed::new(format!("the answer to another question: {outcome:?}")).into()
}

/// How many reads, and how many writes, wait in the queue. Further callers wait in front of it, in order.
const QUEUE: usize = 1024;

/// How many reads happen at once. One takes some 20 µs, and more would need more cores.
const READERS: usize = 2;
