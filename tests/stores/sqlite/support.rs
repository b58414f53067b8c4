//! What the tests of the SQLite store share.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use oauth_runtime::store::{
    About, Change, Count, Counted, Incarnation, Key, Reply, Seen, SqliteStore, Store, StoreError, Swap, Value,
};
pub(crate) use oauth_tests::PATIENCE;
use sqlx::{Connection as _, SqliteConnection};

/// A limited load of swaps and counts on one key and one slot.
pub(crate) async fn hammer(store: &SqliteStore) {
    let (key, count) = (Key::named("hammered"), [Count { slot: 3, add: 1, window: HOUR }]);
    join_all((0..8).map(async |_| {
        for _ in 0..TIMES {
            add(store, key, 1).await;
            let _ = store.count(&count).await.expect("counted");
        }
    }))
    .await;
}

/// A load of swaps by eight callers, this many by each, each told once it is acknowledged.
pub(crate) async fn burden(store: &SqliteStore, writes: usize) {
    join_all((0..8).map(async |index| {
        let name = format!("burden {index}");
        let key = Key::named(&name);
        let mut seen = store.read(key).await.expect("read");
        let mut written = 0;
        while written < writes {
            match store.swap(key, change(&seen, b"{}")).await.expect("written") {
                Swap::Done { sequence, .. } => {
                    let mut out = std::io::stdout().lock();
                    writeln!(out, "\nack {name}={sequence}").and_then(|()| out.flush()).expect("a pipe");
                    written += 1;
                    seen = store.read(key).await.expect("read");
                    assert_eq!(seen.sequence, sequence);
                }
                Swap::Changed(now) => seen = now,
            }
        }
    }))
    .await;
}

pub(crate) fn acknowledgement(line: &str) -> Option<(String, u64)> {
    let (name, version) = line.strip_prefix("ack ")?.split_once('=')?;
    Some((name.to_owned(), version.parse().ok()?))
}

pub(crate) fn child(what: &str, path: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "sqlite::child_process", "--nocapture"]).env(WHAT, what).env(PATH, path);
    command.stdout(Stdio::piped()).spawn().expect("started")
}

/// Adds ones to the number under a key, each by a swap that finds nothing changed.
pub(crate) async fn add(store: &dyn Store, key: Key, times: u64) {
    for _ in 0..times {
        let mut seen = store.read(key).await.expect("read");
        while let Swap::Changed(now) =
            store.swap(key, change(&seen, (number(&seen) + 1).to_string().as_bytes())).await.expect("written")
        {
            seen = now;
        }
    }
}

pub(crate) fn number(seen: &Seen) -> u64 {
    let text = |value: &Value| String::from_utf8(value.as_bytes().to_vec()).expect("text").parse().expect("a number");
    seen.kept.as_ref().map_or(0, |kept| text(&kept.value))
}

/// Writes large values until the store is full; how many it keeps.
pub(crate) async fn fill(store: &SqliteStore) -> u64 {
    for index in 0.. {
        let seen = store.read(filler(index)).await.expect("read");
        match store.swap(filler(index), change(&seen, &vec![b'x'; BIG])).await {
            Ok(swap) => assert!(matches!(swap, Swap::Done { .. })),
            Err(StoreError::Full) => return index,
            Err(why) => panic!("{why}"),
        }
    }
    0
}

pub(crate) fn filler(index: u64) -> Key {
    Key::named(&format!("filler {index}"))
}

pub(crate) async fn put(store: &SqliteStore, key: Key, bytes: &[u8]) -> Seen {
    let mut seen = store.read(key).await.expect("read");
    while let Swap::Changed(now) = store.swap(key, change(&seen, bytes)).await.expect("written") {
        seen = now;
    }
    store.read(key).await.expect("read")
}

pub(crate) fn change(seen: &Seen, bytes: &[u8]) -> Change {
    let since = seen.kept.as_ref().map(|kept| kept.version);
    Change { incarnation: seen.incarnation, since, value: Some(Value::from(bytes.to_vec())), keep: HOUR }
}

pub(crate) async fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path).await.expect("opened")
}

pub(crate) async fn refusal(path: &Path) -> String {
    SqliteStore::open(path).await.expect_err("refused").to_string()
}

/// Drops a store, and waits until its thread has closed the file: the last to close it removes the files beside it.
pub(crate) async fn close(store: SqliteStore, path: &Path) {
    drop(store);
    let beside = PathBuf::from(format!("{}-wal", path.display()));
    let begun = Instant::now();
    while beside.exists() {
        assert!(begun.elapsed() < PATIENCE, "the thread of a dropped store goes on");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub(crate) async fn connect(path: &Path) -> SqliteConnection {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).create_if_missing(true);
    SqliteConnection::connect_with(&options).await.expect("opened")
}

pub(crate) async fn run(connection: &mut SqliteConnection, sql: &'static str) {
    sqlx::raw_sql(sql).execute(connection).await.expect("done");
}

pub(crate) async fn sql(path: &Path, sql: &'static str) {
    let mut connection = connect(path).await;
    run(&mut connection, sql).await;
    connection.close().await.expect("closed");
}

pub(crate) async fn rows(path: &Path, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(&mut connect(path).await).await.expect("counted")
}

pub(crate) async fn integrity(path: &Path) -> String {
    sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut connect(path).await).await.expect("checked")
}

/// A path in a folder of its own, which is empty.
pub(crate) fn fresh(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("sqlite-{name}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("created");
    folder.join(format!("{name}.db"))
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Two stores of one file, that are asked in turn.
pub(crate) struct Both {
    pub(crate) stores: [SqliteStore; 2],
    pub(crate) turn: AtomicUsize,
}

impl Both {
    fn next(&self) -> &SqliteStore {
        &self.stores[self.turn.fetch_add(1, Ordering::SeqCst) % 2]
    }
}

impl Store for Both {
    fn read(&self, key: Key) -> Reply<'_, Seen> {
        self.next().read(key)
    }

    fn swap(&self, key: Key, change: Change) -> Reply<'_, Swap> {
        self.next().swap(key, change)
    }

    fn count<'a>(&'a self, counts: &'a [Count]) -> Reply<'a, Vec<Counted>> {
        self.next().count(counts)
    }

    fn renew(&self, bucket: u16, was: Incarnation) -> Reply<'_, Incarnation> {
        self.next().renew(bucket, was)
    }

    fn about(&self) -> About {
        self.next().about()
    }
}

pub(crate) struct Unmount(pub(crate) PathBuf);

impl Drop for Unmount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

pub(crate) const WHAT: &str = "OAUTH_SQLITE_TEST";
pub(crate) const PATH: &str = "OAUTH_SQLITE_PATH";
pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const TIMES: u64 = 40;
pub(crate) const BIG: usize = 200_000;
