//! How many commits the writes of an SQLite file take: each is one sync of the disk.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use oauth_runtime::store::{Change, Swap, Value};
use oauth_tests::engines::Engine;

use crate::{Shared, at_once, heading, key, row};

/// Few enough that SQLite does not begin its log anew meanwhile, which would hide some.
const WRITES: u64 = 128;

pub(crate) async fn run() {
    heading("Commits of SQLite", &["callers", "writes", "commits", "writes a commit", "writes a second"]);
    for callers in [1, 8, 64] {
        let engine = Engine::start("sqlite");
        let Engine::Sqlite(file) = &engine else { unreachable!("it is this one") };
        let store: Shared = Arc::from(engine.store().await);
        for number in 0..64 {
            // Draws the incarnation, which is a write as well.
            drop(store.read(key(number)).await.unwrap());
        }
        let (before, begun) = (commits(file), Instant::now());
        let done = at_once(callers, |number| write(Arc::clone(&store), number, WRITES / callers as u64)).await;
        let (taken, commits) = (begun.elapsed().as_secs_f64(), commits(file) - before);
        assert!(commits > 0 && commits <= done, "{commits} commits of {done} writes");
        let rates = [done as f64 / commits as f64, done as f64 / taken].map(|rate| format!("{rate:.1}"));
        row(&[[callers.to_string(), done.to_string(), commits.to_string()].as_slice(), &rates].concat());
    }
}

async fn write(store: Shared, number: u64, writes: u64) -> u64 {
    let key = key(number);
    let (incarnation, mut since) = (store.read(key).await.unwrap().incarnation, None);
    for _ in 0..writes {
        let value = Some(Value::from(b"{}".to_vec()));
        match store.swap(key, Change { incarnation, since, value, keep: Duration::from_secs(3600) }).await {
            Ok(Swap::Done { sequence, .. }) => since = Some(sequence),
            other => panic!("{other:?}"),
        }
    }
    writes
}

/// The commits in the log beside the file, in SQLite's own format: a frame that ends a transaction says how many pages the
/// file has from then on.
fn commits(file: &Path) -> u64 {
    let log = std::fs::read(file.with_extension("db-wal")).unwrap();
    let number = |at: usize| u32::from_be_bytes(log[at..at + 4].try_into().unwrap());
    let (page, salt) = (number(8) as usize, &log[16..24]);
    let frames = log[HEADER..].chunks_exact(FRAME + page);
    let current = frames.filter(|frame| frame[8..16] == *salt);
    current.filter(|frame| frame[4..8] != [0; 4]).count() as u64
}

/// The length of the log's header, and of a frame's.
const HEADER: usize = 32;
const FRAME: usize = 24;
