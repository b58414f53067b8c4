//! What a store answers to many at once is explained by one order of its calls, and what is not is found.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use oauth_runtime::store::{MemoryStore, PostgresStore, RedisStore, SqliteStore};
use oauth_runtime::testing::{Fault, FaultyStore, Verb};
use oauth_tests::linearizable::linearizable;
use oauth_tests::servers::{Postgres, Redis, RedisCluster};
use oauth_tests::wrong_store::{Defect, WrongStore};

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn c11_the_memory_store_has_one_order_for_all_its_callers() {
    linearizable(Arc::new(MemoryStore::new()), 2_000).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn c11_each_store_that_is_shared_has_one_order_for_all_its_callers() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("linearizable-{}.db", std::process::id()));
    linearizable(Arc::new(SqliteStore::open(&file).await.unwrap()), 200).await.unwrap();
    let server = Postgres::start();
    let pool = sqlx::postgres::PgPoolOptions::new().max_connections(8).connect(&server.url()).await.unwrap();
    linearizable(Arc::new(PostgresStore::new(pool).await.unwrap()), 200).await.unwrap();
    let server = Redis::start();
    linearizable(Arc::new(RedisStore::connect(server.url()).await.unwrap()), 200).await.unwrap();
    let servers = RedisCluster::start();
    linearizable(Arc::new(RedisStore::connect(&servers.urls()[0]).await.unwrap()), 200).await.unwrap();
}

#[tokio::test]
async fn so_has_one_that_they_wait_for() {
    let store = FaultyStore::new(MemoryStore::new());
    store.fail(Verb::ALL, Fault::Slow(Duration::ZERO));
    linearizable(Arc::new(store), 200).await.unwrap();
    linearizable(Arc::new(WrongStore::new(None)), 500).await.unwrap();
}

#[tokio::test]
async fn a_store_that_is_not_atomic_or_lags_behind_has_none() {
    for defect in [
        Defect::ReadThenWrite,
        Defect::OvertakenDone,
        Defect::OvertakenWritten,
        Defect::IncarnationDrawnTwice,
        Defect::RenewalThenDraws,
        Defect::CountThenWrite,
        Defect::SumReadLate,
        Defect::ReplicaLags,
        Defect::ReplicaLagsAtTimes,
        Defect::SinceIgnored,
        Defect::WriteNotDone,
    ] {
        let store = FaultyStore::new(WrongStore::new(Some(defect)));
        store.fail(Verb::ALL, Fault::Slow(Duration::ZERO));
        let found = linearizable(Arc::new(store), 1_000).await;
        assert!(found.is_err_and(|why| why.starts_with("no order")), "{defect:?} is not found");
    }
}
