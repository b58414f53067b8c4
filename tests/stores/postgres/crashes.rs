//! Servers that are killed, stopped, put back to an earlier state, or turned into a standby.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use oauth_runtime::store::{Change, Count, Key, PostgresStore, Seen, Store, Swap, Value};
use sqlx::Executor as _;

use super::{HOUR, PATIENCE, increment, pool};
use oauth_tests::servers::Postgres;

/// With `synchronous_commit` off, so that what the store does not make durable by itself is lost: a table of the test's
/// own shows it.
#[tokio::test(flavor = "multi_thread")]
async fn c11_c42_what_was_acknowledged_survives_kills() {
    let mut server = Postgres::start_with(&["synchronous_commit=off", "wal_writer_delay=10s"]);
    let pool = pool(&server.url(), 16);
    let store = PostgresStore::new(pool.clone()).await.unwrap();
    let (mut acknowledged, mut counted) = (BTreeMap::new(), 0);
    for round in 0..20_u64 {
        let over = Arc::new(AtomicBool::new(false));
        let name = |caller: u64| Key::named(&format!("caller {caller}"));
        let load = (0..16).map(|caller| load(store.clone(), name(caller), Arc::clone(&over)));
        let load = tokio::spawn(join_all(load));
        let counts = tokio::spawn(count_until_it_fails(store.clone(), Arc::clone(&over)));
        tokio::time::sleep(Duration::from_millis(150 + 37 * (round % 5))).await;
        server = tokio::task::spawn_blocking(move || {
            server.kill();
            server.start_again();
            server
        })
        .await
        .unwrap();
        over.store(true, Ordering::SeqCst);
        for (key, version) in load.await.unwrap() {
            acknowledged.entry(key).and_modify(|known: &mut u64| *known = (*known).max(version)).or_insert(version);
        }
        counted += counts.await.unwrap();
        for (key, version) in &acknowledged {
            let seen = read_again(&store, *key).await;
            let kept = seen.kept.map_or(0, |kept| kept.version);
            assert!(kept >= *version, "round {round}: {version} was acknowledged, and {kept} is there");
        }
    }
    let sum = store.count(&[Count { slot: 1, add: 0, window: HOUR }]).await.unwrap()[0].sum;
    assert!(sum >= counted, "{counted} additions were acknowledged, and {sum} are there");
    let swaps: u64 = acknowledged.values().sum();
    println!("swaps up to {swaps}, additions {counted}");

    pool.execute("CREATE TABLE control (n integer)").await.unwrap();
    pool.execute("CHECKPOINT").await.unwrap();
    pool.execute("INSERT INTO control VALUES (1)").await.unwrap();
    server.kill();
    server.start_again();
    assert_eq!(server.ask("SELECT count(*) FROM control"), "0", "the test would not see a loss");
}

#[tokio::test(flavor = "multi_thread")]
async fn c42_a_restart_and_an_older_snapshot_are_survived() {
    let mut server = Postgres::start();
    let pool = pool(&server.url(), 4);
    let store = PostgresStore::new(pool.clone()).await.unwrap();
    let key = Key::named("a");
    assert!(increment(&store, key).await.unwrap());
    server.stop();
    let begun = Instant::now();
    assert!(store.read(key).await.is_err());
    assert!(increment(&store, key).await.is_err());
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    let snapshot = server.snapshot();
    server.start_again();
    let before = read_again(&store, key).await;
    assert_eq!(before.sequence, 1);
    for _ in 0..3 {
        assert!(increment(&store, key).await.unwrap());
    }
    server.stop();
    server.restore(&snapshot);
    server.start_again();
    let after = read_again(&store, key).await;
    assert_eq!((after.incarnation, after.born, after.sequence), (before.incarnation, before.born, 1));
    assert_ne!(store.renew(key.bucket(), after.incarnation).await.unwrap(), after.incarnation);
}

#[tokio::test(flavor = "multi_thread")]
async fn c42_a_standby_is_refused() {
    let mut server = Postgres::start();
    let pool = pool(&server.url(), 2);
    let (store, key) = (PostgresStore::new(pool.clone()).await.unwrap(), Key::named("a"));
    assert!(increment(&store, key).await.unwrap());
    let signal = format!("{}/standby.signal", server.ask("show data_directory"));
    server.stop();
    std::fs::write(signal, "").unwrap();
    server.start_again();
    // A dead connection of the pool may answer first.
    let _ = store.read(key).await;
    let error = store.read(key).await.unwrap_err().to_string();
    assert!(error.contains("a standby is behind"), "{error}");
    let error = PostgresStore::new(pool.clone()).await.unwrap_err().to_string();
    assert!(error.contains("takes no writes"), "{error}");
    server.ask("SELECT pg_promote()");
    assert!(increment(&store, key).await.unwrap());
}

/// Writes until the server is gone or the round is over (a pool may wait for a server that comes back); the last version
/// that was acknowledged.
async fn load(store: PostgresStore, key: Key, over: Arc<AtomicBool>) -> (Key, u64) {
    let mut last = 0;
    loop {
        if over.load(Ordering::SeqCst) {
            return (key, last);
        }
        let Ok(seen) = store.read(key).await else { return (key, last) };
        let value = Some(Value::from(seen.sequence.to_string().into_bytes()));
        let since = seen.kept.map(|kept| kept.version);
        let change = Change { incarnation: seen.incarnation, since, value, keep: HOUR };
        match store.swap(key, change).await {
            Ok(Swap::Done { sequence, .. }) => last = sequence,
            Ok(Swap::Changed(_)) => {}
            Err(_) => return (key, last),
        }
    }
}

async fn count_until_it_fails(store: PostgresStore, over: Arc<AtomicBool>) -> u64 {
    let mut counted = 0;
    while !over.load(Ordering::SeqCst) && store.count(&[Count { slot: 1, add: 1, window: 100 * HOUR }]).await.is_ok() {
        counted += 1;
    }
    counted
}

async fn read_again(store: &PostgresStore, key: Key) -> Seen {
    let begun = Instant::now();
    loop {
        match store.read(key).await {
            Ok(seen) => return seen,
            Err(error) => assert!(begun.elapsed() < PATIENCE, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
