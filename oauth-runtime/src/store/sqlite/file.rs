//! The file: where it is, its schema, and the connections to it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};

use super::failed::{Failed, is_busy};
use super::patience::PATIENCE;
use super::place::Place;
use super::reader::Reader;
use super::time::Time;
use super::writer::Writer;
use crate::model::Clock;
use crate::store::{BUCKETS, Incarnation};

/// A file to be opened.
pub(super) struct File {
    path: Arc<Path>,
    max_pages: Option<u32>,
}

impl File {
    /// Refuses what is not the path of a file.
    pub(super) fn new(path: &Path, max_pages: Option<u32>) -> Result<Self, Failed> {
        let text = path.to_str().ok_or_else(|| Failed::new(format!("{} is not UTF-8: rename it", path.display())))?;
        if text.is_empty() || text.contains(":memory:") || text.contains("mode=memory") {
            return Err(Failed::new(format!(
                "\"{text}\" would be lost with the process: use MemoryStore, or give a file such as oauth.db"
            )));
        }
        if text.starts_with("file:") || text.starts_with("sqlite:") {
            return Err(Failed::new(format!("\"{text}\" is a URL: give a path such as oauth.db")));
        }
        // So that a later change of the working directory changes nothing.
        let path = std::path::absolute(path).map_err(|why| Failed::new(format!("{text}: {why}")))?;
        Ok(File { path: path.into(), max_pages })
    }

    pub(super) fn path(&self) -> Arc<Path> {
        self.path.clone()
    }

    /// Opens it: one connection that writes, and some that read.
    pub(super) async fn open(&self, clock: Clock, readers: usize) -> Result<(Writer, Vec<Reader>), Failed> {
        create(&self.path)?;
        let time = Arc::new(Time::new(clock));
        let mut connection = self.retrying(async || self.connect(true).await).await?;
        self.retrying(async || migrate(&mut connection, &self.path, &time).await).await?;
        let place = Place::of(self.path())?;
        self.warn_of_the_clock(&mut connection, &time).await?;
        self.only_for_writing(&mut connection).await.map_err(|why| Failed::of(&self.path, &why))?;
        let writer = Writer::new(connection, place.clone(), time.clone());
        let mut reading = Vec::new();
        for _ in 0..readers {
            let connection = self.retrying(async || self.connect(false).await).await?;
            reading.push(Reader { connection, place: place.clone(), time: time.clone() });
        }
        Ok((writer, reading))
    }

    /// Tries again while other processes are in the way: they may open the file at the same moment.
    async fn retrying<T>(&self, mut open: impl AsyncFnMut() -> Result<T, Refused>) -> Result<T, Failed> {
        let begun = Instant::now();
        loop {
            match open().await {
                Ok(done) => return Ok(done),
                Err(Refused::Text(text)) => return Err(Failed::new(text)),
                Err(Refused::By(why)) if is_busy(&why) && begun.elapsed() < PATIENCE => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                Err(Refused::By(why)) => return Err(Failed::of(&self.path, &why)),
            }
        }
    }

    async fn connect(&self, writes: bool) -> Result<SqliteConnection, Refused> {
        let name = if writes { "oauth-write" } else { "oauth-read" };
        let options = SqliteConnectOptions::new()
            .filename(&self.path)
            .busy_timeout(PATIENCE)
            .thread_name(move |_| name.into())
            .disable_statement_logging();
        if !writes {
            return Ok(options.pragma("query_only", "ON").connect().await?);
        }
        let options = options
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            // On macOS the disk itself must be told; elsewhere it means nothing.
            .pragma("fullfsync", "ON")
            // Gives back the space that a burst of writes took.
            .pragma("journal_size_limit", "16777216");
        let mut connection = options.connect().await?;
        let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut connection).await?;
        if mode != "wal" {
            return Err(Refused::Text(format!(
                "{}: its file system has no shared memory for SQLite's WAL mode: use a local disk",
                self.path.display()
            )));
        }
        Ok(connection)
    }

    async fn only_for_writing(&self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        // SQLite waits longer and longer, up to 0.1 s, and would starve beside a busy process: the writer waits by
        // itself.
        let mut settings = "PRAGMA busy_timeout = 0;".to_owned();
        if let Some(pages) = self.max_pages {
            settings += &format!("PRAGMA max_page_count = {pages};");
        }
        sqlx::raw_sql(sqlx::AssertSqlSafe(settings)).execute(connection).await?;
        Ok(())
    }

    async fn warn_of_the_clock(&self, connection: &mut SqliteConnection, time: &Time) -> Result<(), Failed> {
        let highest = sqlx::query_scalar("SELECT highest FROM oauth_time").fetch_one(connection).await;
        let highest: i64 = highest.map_err(|why| Failed::of(&self.path, &why))?;
        let behind = time.behind(highest);
        if behind > 60 {
            let path = self.path.display();
            tracing::warn!(
                target: "oauth", %path, behind,
                "the clock is this many seconds behind the latest time that the file has seen, which holds: set the \
                 clock; if it is right, see \"Time\" in the documentation of SqliteStore"
            );
        }
        time.saw(highest);
        Ok(())
    }
}

/// Why a file was not opened.
enum Refused {
    By(sqlx::Error),
    Text(String),
}

impl From<sqlx::Error> for Refused {
    fn from(why: sqlx::Error) -> Self {
        Refused::By(why)
    }
}

/// Creates the file, only for its owner. SQLite gives the files beside it the same mode.
fn create(path: &Path) -> Result<(), Failed> {
    // Closing a file drops all locks that this process has on it, even those of SQLite (POSIX). So an existing file is
    // not opened here, and a new one only by one thread at a time, before SQLite opens it.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _one = ONE_AT_A_TIME.lock();
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(why) if why.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(why) => Err(Failed::new(format!(
            "cannot create {}: {why}: its folder must exist, and this user must be allowed to write in it",
            path.display()
        ))),
    }
}

/// Brings the schema to this release's.
async fn migrate(connection: &mut SqliteConnection, path: &Path, time: &Time) -> Result<(), Refused> {
    if known(connection, path).await? == MIGRATIONS.len() {
        // Without a lock: starting does not disturb the running processes.
        return Ok(());
    }
    sqlx::raw_sql("BEGIN EXCLUSIVE").execute(&mut *connection).await?;
    let migrated = migrate_within(connection, path, time).await;
    let end = if migrated.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = sqlx::raw_sql(end).execute(connection).await;
    migrated?;
    ended?;
    Ok(())
}

async fn migrate_within(connection: &mut SqliteConnection, path: &Path, time: &Time) -> Result<(), Refused> {
    // Another process may have been first.
    let known = known(connection, path).await?;
    for migration in &MIGRATIONS[known..] {
        sqlx::raw_sql(*migration).execute(&mut *connection).await?;
    }
    if known == 0 {
        sqlx::raw_sql(sqlx::AssertSqlSafe(all_buckets(time))).execute(&mut *connection).await?;
    }
    if known < MIGRATIONS.len() {
        let stamp = format!("PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {SCHEMA};");
        sqlx::raw_sql(sqlx::AssertSqlSafe(stamp)).execute(connection).await?;
    }
    Ok(())
}

/// Makes all buckets at once, so that none is younger than the file: otherwise assertions and proofs, which clients
/// make themselves, would seem older than its memory.
fn all_buckets(time: &Time) -> String {
    let born = time.now().seconds();
    let row = |number| format!("({number}, {}, {born}, 0)", Incarnation::draw().bits().cast_signed());
    format!("INSERT INTO oauth_buckets VALUES {}", (0..BUCKETS).map(row).collect::<Vec<_>>().join(","))
}

/// The schema of the file, of those that this release knows; 0 for a new file.
async fn known(connection: &mut SqliteConnection, path: &Path) -> Result<usize, Refused> {
    // One statement, so all of the same moment.
    let (application, found, tables): (i64, i64, i64) = sqlx::query_as(STAMP).fetch_one(connection).await?;
    let path = path.display();
    if application != APPLICATION && (application, found, tables) != (0, 0, 0) {
        return Err(Refused::Text(format!(
            "{path} is the database of something else: give the store a file of its own"
        )));
    }
    usize::try_from(found).ok().filter(|found| *found <= MIGRATIONS.len()).ok_or_else(|| {
        Refused::Text(format!(
            "{path} has schema {found}, and this release knows {SCHEMA} at most: run a release as new as the file"
        ))
    })
}

/// The schema that this release writes.
pub(super) const SCHEMA: u32 = MIGRATIONS.len() as u32;

/// "OAut" in ASCII: by which `file` and this store recognize the file.
const APPLICATION: i64 = 0x4f41_7574;

const STAMP: &str = "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema) \
    FROM pragma_application_id, pragma_user_version";

/// The step from each schema to the next, never changed once released. While a release is rolled out, processes of the
/// one before go on with the new schema: a step may add tables, indexes and columns with defaults, and must leave
/// everything else as it is.
///
/// Values are in the order of their buckets, so that renewing one deletes one range. `auto_vacuum` stays off: the pages
/// of expired values are soon used again, and moving pages would cost every commit; `VACUUM` gives them back to the
/// disk.
const MIGRATIONS: &[&str] = &["
CREATE TABLE oauth_buckets (
    number INTEGER PRIMARY KEY,
    incarnation INTEGER NOT NULL,
    born INTEGER NOT NULL,
    sequence INTEGER NOT NULL
) STRICT;
CREATE TABLE oauth_values (
    bucket INTEGER NOT NULL,
    key BLOB NOT NULL,
    version INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (bucket, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX oauth_values_expires ON oauth_values (expires);
CREATE TABLE oauth_counters (
    slot INTEGER PRIMARY KEY,
    ends INTEGER NOT NULL,
    sum INTEGER NOT NULL
) STRICT;
CREATE INDEX oauth_counters_ends ON oauth_counters (ends);
CREATE TABLE oauth_time (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    highest INTEGER NOT NULL
) STRICT;
INSERT INTO oauth_time (one, highest) VALUES (1, 0);
"];
