//! The store in an SQLite file: each clause of the contract, and what a file, a disk, a clock and other processes do to
//! demands 11, 42 and 47.

mod power;
mod support;

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use oauth_runtime::Clock;
use oauth_runtime::store::{About, Count, Key, SqliteStore, Store, StoreError, Swap, contract};
use support::*;

#[tokio::test]
async fn c11_c42_it_keeps_the_contract() {
    contract::check(open(&fresh("contract")).await).await;
}

#[tokio::test]
async fn c11_c42_two_stores_of_one_file_keep_the_contract_together() {
    let path = fresh("together");
    contract::check(Both { stores: [open(&path).await, open(&path).await], turn: AtomicUsize::new(0) }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c11_c42_it_keeps_the_contract_beside_a_busy_process() {
    let path = fresh("beside");
    let store = open(&path).await;
    let mut child = child("burden", &path);
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    assert!(lines.any(|line| line.expect("text").contains("ack")), "the other process does not write");
    let drain = std::thread::spawn(move || lines.count());
    contract::check(store).await;
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    assert!(drain.join().expect("no panic") > 100, "the other process starved");
}

#[tokio::test]
async fn c42_what_was_written_is_there_after_reopening() {
    let path = fresh("reopening");
    let key = Key::named("kept");
    let store = open(&path).await;
    let before = put(&store, key, b"kept").await;
    let count = [Count { slot: 7, add: 3, window: HOUR }];
    assert_eq!(store.count(&count).await.expect("counted")[0].sum, 3);
    close(store, &path).await;

    let store = open(&path).await;
    let after = store.read(key).await.expect("read");
    assert_eq!((after.incarnation, after.born, after.sequence), (before.incarnation, before.born, 1));
    assert_eq!(after.kept.expect("kept").value.as_bytes(), b"kept");
    assert_eq!(store.count(&count).await.expect("counted")[0].sum, 6);
    assert_eq!(store.about(), About { engine: "SQLite", schema: Some(1), has_clock: false });
}

#[test]
fn it_outlives_the_runtime_that_opened_it_and_serves_every_other() {
    let path = fresh("runtimes");
    let store = Arc::new(runtime().block_on(open(&path)));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let store = store.clone();
            std::thread::spawn(move || runtime().block_on(async move { add(&*store, Key::named("shared"), 50).await }))
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
    let seen = runtime().block_on(store.read(Key::named("shared"))).expect("read");
    assert_eq!(number(&seen), 200);
}

#[tokio::test]
async fn c11_processes_lose_no_update_and_no_addition() {
    let path = fresh("processes");
    let store = open(&path).await;
    let mut children: Vec<_> = (0..3).map(|_| child("hammer", &path)).collect();
    hammer(&store).await;
    for child in &mut children {
        assert!(child.wait().expect("it ends").success(), "a process failed: see its output");
    }
    let seen = store.read(Key::named("hammered")).await.expect("read");
    assert_eq!((number(&seen), seen.sequence), (4 * 8 * TIMES, 4 * 8 * TIMES));
    let sums = store.count(&[Count { slot: 3, add: 0, window: HOUR }]).await.expect("counted");
    assert_eq!(sums[0].sum, 4 * 8 * TIMES);
}

#[tokio::test]
async fn c11_c42_nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let path = fresh("killed");
    let mut acknowledged: HashMap<String, u64> = HashMap::new();
    for round in 0..20 {
        let mut child = child("burden", &path);
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let (begun, limit) = (Instant::now(), Duration::from_millis(30 + 17 * round));
        let (mut killed, mut last) = (false, None);
        for line in lines {
            // The last line may be cut off.
            let Some((name, version)) = line.ok().and_then(|line| acknowledgement(&line)) else { continue };
            acknowledged.insert(name, version);
            last = Some(Instant::now());
            if !killed && begun.elapsed() > limit {
                child.kill().expect("it runs");
                killed = true;
            }
        }
        assert!(killed && last.is_some(), "round {round}: the process did not write until it was killed");
        child.wait().expect("it ends");
        let store = open(&path).await;
        for (name, version) in &acknowledged {
            let seen = store.read(Key::named(name)).await.expect("read");
            let kept = seen.kept.as_ref().expect("kept").version;
            // One more may have been committed, and killed before it was told.
            assert!((*version..=version + 1).contains(&kept), "round {round}: {name} has {kept}, told was {version}");
            assert!(seen.sequence >= *version);
        }
        close(store, &path).await;
    }
    assert_eq!(integrity(&path).await, "ok");
}

#[tokio::test]
async fn c42_an_older_copy_shows_the_older_sequence() {
    let path = fresh("older");
    let key = Key::named("restored");
    let store = open(&path).await;
    let before = put(&store, key, b"1").await;
    close(store, &path).await;
    let copy = path.with_extension("copy");
    fs::copy(&path, &copy).expect("copied");

    let store = open(&path).await;
    for _ in 0..5 {
        put(&store, key, b"2").await;
    }
    close(store, &path).await;
    fs::copy(&copy, &path).expect("copied");
    let seen = open(&path).await.read(key).await.expect("read");
    assert_eq!((seen.incarnation, seen.sequence), (before.incarnation, 1));
}

#[tokio::test]
async fn a_newer_schema_and_foreign_files_are_refused() {
    let path = fresh("newer");
    close(open(&path).await, &path).await;
    sql(&path, "PRAGMA user_version = 2").await;
    assert_eq!(
        refusal(&path).await,
        format!(
            "the store is unavailable: {} has schema 2, and this release knows 1 at most: run a release as \
             new as the file",
            path.display()
        )
    );
    let foreign = fresh("foreign");
    sql(&foreign, "CREATE TABLE other (id INTEGER PRIMARY KEY)").await;
    assert!(refusal(&foreign).await.contains("give the store a file of its own"));
    let text = fresh("text");
    fs::write(&text, "no database, but long enough to be told from an empty one ".repeat(100)).expect("written");
    assert!(refusal(&text).await.contains("give the store a file of its own"));
    for path in ["", ":memory:", "file::memory:?cache=shared", "sqlite::memory:"] {
        assert!(refusal(Path::new(path)).await.contains("use MemoryStore"), "{path}");
    }
    assert!(refusal(Path::new("sqlite://oauth.db")).await.contains("give a path"));
    assert!(refusal(Path::new("/nowhere/oauth.db")).await.contains("folder must exist"));
}

#[cfg(unix)]
#[tokio::test]
async fn c42_only_the_owner_may_read_it_and_a_replaced_file_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let path = fresh("owner");
    let store = open(&path).await;
    put(&store, Key::named("a"), b"a").await;
    for name in ["owner.db", "owner.db-wal", "owner.db-shm"] {
        let mode = fs::metadata(path.with_file_name(name)).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let aside = path.with_extension("aside");
    fs::rename(&path, &aside).expect("moved");
    fs::write(&path, "").expect("written");
    let why = store.read(Key::named("a")).await.expect_err("refused").to_string();
    assert!(why.contains("was moved, removed or replaced"), "{why}");
    assert!(store.count(&[Count { slot: 0, add: 1, window: HOUR }]).await.is_err());
    fs::rename(&aside, &path).expect("moved");
    assert!(store.read(Key::named("a")).await.expect("read").kept.is_some());
}

#[tokio::test]
async fn reads_go_on_while_a_process_holds_the_file_and_writes_wait_for_it() {
    let path = fresh("held");
    let store = open(&path).await;
    let key = Key::named("held");
    let seen = put(&store, key, b"1").await;
    let mut other = connect(&path).await;
    run(&mut other, "BEGIN IMMEDIATE").await;

    let begun = Instant::now();
    for _ in 0..100 {
        assert_eq!(store.read(key).await.expect("read").sequence, 1);
    }
    assert!(begun.elapsed() < PATIENCE, "reading waits for the writer");
    let count = [Count { slot: 1, add: 1, window: HOUR }];
    let (counted, ()) = tokio::join!(store.count(&count), async {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        run(&mut other, "COMMIT").await;
    });
    assert_eq!(counted.expect("counted")[0].sum, 1);

    run(&mut other, "BEGIN IMMEDIATE").await;
    let refused = store.swap(key, change(&seen, b"2")).await.expect_err("refused").to_string();
    assert!(refused.contains("another process holds it"), "{refused}");
    assert!((1400..9000).contains(&begun.elapsed().as_millis()));
    run(&mut other, "ROLLBACK").await;
    put(&store, key, b"3").await;
    assert_eq!(store.read(key).await.expect("read").sequence, 2);
}

#[tokio::test]
async fn c42_c47_a_full_file_refuses_and_works_again_once_something_expires() {
    let path = fresh("full");
    let clock = Clock::by_hand();
    let store = SqliteStore::open_with_max_pages(&path, clock.clone(), 400).await.expect("opened");
    let small = Key::named("small");
    put(&store, small, b"1").await;
    let kept = fill(&store).await;
    assert!(kept > 3, "{kept}");

    // In one transaction: the one that does not fit leaves the others as they are.
    let (seen, big) = (store.read(small).await.expect("read"), Key::named("too big"));
    let empty = store.read(big).await.expect("read");
    let count = [Count { slot: 1, add: 1, window: HOUR }];
    let big_value = vec![b'x'; BIG];
    let (one, two, three) = tokio::join!(
        store.swap(small, change(&seen, b"2")),
        store.swap(big, change(&empty, &big_value)),
        store.count(&count)
    );
    assert!(matches!(one, Ok(Swap::Done { .. })), "{one:?}");
    assert!(matches!(two, Err(StoreError::Full)), "{two:?}");
    assert_eq!(three.expect("counted")[0].sum, 1);
    assert_eq!(store.read(big).await.expect("read").sequence, empty.sequence, "what was refused raised the sequence");
    for index in 0..kept {
        assert!(store.read(filler(index)).await.expect("read").kept.is_some(), "{index} is lost");
    }

    clock.advance(HOUR + HOUR);
    assert!(fill(&store).await >= kept, "what expired makes no room");
    assert_eq!(integrity(&path).await, "ok");
}

#[test]
fn c42_c47_a_full_disk_refuses_and_the_store_works_again_once_there_is_room() {
    const NAME: &str = "c42_c47_a_full_disk_refuses_and_the_store_works_again_once_there_is_room";
    let path = fresh("disk");
    if mount(path.parent().expect("a folder")) {
        return runtime().block_on(on_a_full_disk(&path));
    }
    // Only root may mount, or who is root in a namespace of their own.
    assert!(std::env::var(NAME).is_err(), "no tmpfs can be mounted here");
    let program = std::env::current_exe().expect("this program");
    let mut child = Command::new("unshare");
    child
        .args(["--user", "--map-root-user", "--mount"])
        .arg(program)
        .args(["--exact", &format!("sqlite::{NAME}")])
        .env(NAME, "1");
    assert!(child.status().expect("unshare, of util-linux").success(), "in a namespace");
}

fn mount(folder: &Path) -> bool {
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"]).arg(folder).status();
    mounted.is_ok_and(|status| status.success())
}

async fn on_a_full_disk(path: &Path) {
    let folder = path.parent().expect("a folder");
    let unmount = Unmount(folder.to_owned());
    let ballast = folder.join("ballast");
    fs::write(&ballast, vec![0; 3 << 20]).expect("written");
    let store = open(path).await;
    let mut kept = 0;
    loop {
        let seen = store.read(filler(kept)).await;
        let result = match seen {
            Ok(seen) => store.swap(filler(kept), change(&seen, &vec![b'x'; 5000])).await,
            Err(why) => Err(why),
        };
        match result {
            Ok(_) => kept += 1,
            Err(why) => {
                writeln!(std::io::stderr(), "after {kept}: {why}").expect("written");
                break;
            }
        }
    }
    for index in 0..kept {
        assert!(store.read(filler(index)).await.expect("read").kept.is_some(), "{index} is lost");
    }
    fs::remove_file(&ballast).expect("removed");
    for index in kept..kept + 50 {
        put(&store, filler(index), &[b'x'; 5000]).await;
    }
    close(store, path).await;
    let store = open(path).await;
    for index in 0..kept + 50 {
        assert!(store.read(filler(index)).await.expect("read").kept.is_some(), "{index} is lost");
    }
    close(store, path).await;
    drop(unmount);
}

#[tokio::test]
async fn c42_no_part_of_a_new_file_is_younger_than_the_file() {
    let path = fresh("born");
    let clock = Clock::by_hand();
    let store = SqliteStore::open_with_clock(&path, clock.clone()).await.expect("opened");
    let begun = clock.now();
    clock.advance(HOUR);
    for name in 0..50 {
        // What clients make themselves is to be younger than the memory that it is spent in.
        assert_eq!(store.read(Key::named(&name.to_string())).await.expect("read").born, begun, "{name}");
    }
    close(store, &path).await;
}

#[tokio::test]
async fn c42_the_time_never_goes_back() {
    let path = fresh("time");
    let (clock, key) = (Clock::by_hand(), Key::named("timed"));
    let store = SqliteStore::open_with_clock(&path, clock.clone()).await.expect("opened");
    put(&store, key, b"1").await;
    clock.advance(HOUR + HOUR);
    let other = Key::named("another");
    put(&store, other, b"2").await;
    let late = store.read(other).await.expect("read").now;
    assert_eq!(late, clock.now());
    close(store, &path).await;

    // Its clock is two hours behind.
    let store = SqliteStore::open_with_clock(&path, Clock::by_hand()).await.expect("opened");
    let seen = store.read(key).await.expect("read");
    assert_eq!(seen.now, late);
    assert!(seen.kept.is_none(), "what had expired is back");
    // What begins now begins by the same time.
    let of_last = Key::from_bytes([255; 32]);
    let was = store.read(of_last).await.expect("read").incarnation;
    let _ = store.renew(1_023, was).await.expect("renewed");
    let anew = store.read(of_last).await.expect("read");
    assert!(anew.incarnation != was && anew.born == late, "{anew:?}");
}

#[tokio::test]
async fn what_expired_is_removed_in_portions() {
    let path = fresh("portions");
    let clock = Clock::by_hand();
    let store = SqliteStore::open_with_clock(&path, clock.clone()).await.expect("opened");
    join_all((0..1000).map(|index| put(&store, filler(index), b"{}"))).await;
    let counts: Vec<_> = (0..600).map(|slot| Count { slot, add: 1, window: HOUR }).collect();
    let _ = store.count(&counts).await.expect("counted");
    // So that its bucket is there, and putting it is one write.
    let last = Key::named("the last");
    put(&store, last, b"{}").await;
    clock.advance(HOUR + HOUR);
    for left in [744, 488, 232, 1, 1] {
        put(&store, last, b"{}").await;
        let values = rows(&path, "SELECT count(*) FROM oauth_values").await;
        assert!((left..=left + 2).contains(&values), "{values} are left, and not {left}");
    }
    assert_eq!(rows(&path, "SELECT count(*) FROM oauth_counters").await, 0);
}

#[tokio::test]
async fn a_damaged_file_is_an_error_with_its_cure() {
    let path = fresh("damaged");
    let store = open(&path).await;
    join_all((0..200).map(|index| put(&store, filler(index), &[b'x'; 500]))).await;
    close(store, &path).await;
    let mut bytes = fs::read(&path).expect("read");
    // The first page, which says what it is, stays.
    bytes[4096..].fill(0x5a);
    fs::write(&path, bytes).expect("written");
    let why = match SqliteStore::open(&path).await {
        Ok(store) => store.read(filler(1)).await.expect_err("refused"),
        Err(why) => why,
    };
    assert!(matches!(why, StoreError::Unavailable(_)), "{why}");
    assert!(why.to_string().contains("the file is damaged"), "{why}");
}

/// What another process does: this test is nothing where it is not started by another.
#[test]
fn child_process() {
    let (Ok(what), Ok(path)) = (std::env::var(WHAT), std::env::var(PATH)) else { return };
    runtime().block_on(async {
        let store = open(Path::new(&path)).await;
        match &*what {
            "hammer" => hammer(&store).await,
            "powered" => burden(&store, 10).await,
            _ => burden(&store, usize::MAX).await,
        }
    });
}
