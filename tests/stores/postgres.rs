//! `PostgresStore` on real servers: each clause of the contract, and what servers, pools and roles do to demands 11, 42
//! and 47.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod crashes;
mod round_trips;

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use futures_util::future::{join_all, try_join_all};
use oauth_runtime::store::{Change, Count, Incarnation, Key, PostgresStore, Store, StoreError, Swap, Value, contract};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use oauth_tests::servers::Postgres;

/// What no load of the machine reaches.
const PATIENCE: Duration = Duration::from_secs(300);

#[tokio::test(flavor = "multi_thread")]
async fn c11_c42_it_keeps_the_contract() {
    let url = database("");
    let store = PostgresStore::new(pool(&url, 10)).await.unwrap();
    let about = store.about();
    assert_eq!((about.engine, about.schema, about.has_clock), ("PostgreSQL", Some(1), true));
    contract::check(store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c11_c42_it_keeps_the_contract_at_any_isolation() {
    for isolation in ["repeatable read", "serializable"] {
        let url = database(&format!("ALTER DATABASE {{}} SET default_transaction_isolation = '{isolation}'"));
        contract::check(PostgresStore::new(pool(&url, 10)).await.unwrap()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c11_two_pools_lose_no_update() {
    for isolation in ["read committed", "serializable"] {
        let url = database(&format!("ALTER DATABASE {{}} SET default_transaction_isolation = '{isolation}'"));
        let one = PostgresStore::new(pool(&url, 8)).await.unwrap();
        let other = PostgresStore::new(pool(&url, 8)).await.unwrap();
        let key = Key::named("hammered");
        let bump = async |store: PostgresStore| {
            for _ in 0..25 {
                while !increment(&store, key).await.unwrap() {}
            }
        };
        let count = async |store: PostgresStore, turn: bool| {
            for _ in 0..25 {
                let slots = if turn { [5, 9, 7] } else { [9, 7, 5] };
                let counts = slots.map(|slot| Count { slot, add: 1, window: HOUR });
                store.count(&counts).await.unwrap();
            }
        };
        let stores = || [&one, &other].into_iter().cycle().take(16).cloned();
        tokio::join!(
            join_all(stores().map(bump)),
            join_all(stores().enumerate().map(|(index, store)| count(store, index % 2 == 0))),
        );
        let seen = one.read(key).await.unwrap();
        assert_eq!(seen.sequence, 400, "{isolation}");
        assert_eq!(seen.kept.unwrap().value.as_bytes(), b"400");
        let read = [5, 7, 9].map(|slot| Count { slot, add: 0, window: HOUR });
        assert!(other.count(&read).await.unwrap().iter().all(|counted| counted.sum == 400));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn counters_saturate_and_read_in_the_order_asked() {
    let store = PostgresStore::new(pool(&database(""), 4)).await.unwrap();
    let count = async |slot, add| {
        let counts = [Count { slot: 3, add: 0, window: HOUR }, Count { slot, add, window: HOUR }];
        store.count(&counts).await.unwrap()[1].sum
    };
    assert_eq!(count(1, i64::MAX).await, i64::MAX as u64);
    assert_eq!(count(1, i64::MAX).await, i64::MAX as u64);
    assert_eq!(count(1, i64::MIN).await, 0);
    assert_eq!(count(2, i64::MIN).await, 0);
    assert_eq!(count(2, 7).await, 7);
    let forever = Count { slot: 4, add: 1, window: Duration::MAX };
    assert_eq!(store.count(&[forever]).await.unwrap()[0].sum, 1);
    assert!(store.count(&[]).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_may_start_at_once() {
    let url = database("");
    let stores = try_join_all((0..10).map(|_| PostgresStore::new(pool(&url, 2)))).await.unwrap();
    let seen = try_join_all(stores.iter().map(|store| store.read(Key::named("a")))).await.unwrap();
    assert!(seen.iter().all(|it| it.incarnation == seen[0].incarnation));
    let pool = pool(&url, 1);
    let rows: (i64, i64, i64) = sqlx::query_as(
        "SELECT count(*), count(DISTINCT incarnation), count(DISTINCT born) FROM oauth_buckets
         WHERE incarnation >= 0 AND sequence = 0 AND bucket BETWEEN 0 AND 1023",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(rows, (1024, 1024, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_schema_is_refused() {
    let url = database("");
    let pool = pool(&url, 2);
    PostgresStore::new(pool.clone()).await.unwrap();
    pool.execute("UPDATE oauth_schema SET version = 2").await.unwrap();
    let error = PostgresStore::new(pool.clone()).await.unwrap_err().to_string();
    assert!(error.contains("of version 2, this release knows 1"), "{error}");
    // Another prefix is another store, whatever case it is written in.
    let other = PostgresStore::with_prefix(pool.clone(), "Other_").await.unwrap();
    let again = PostgresStore::with_prefix(pool.clone(), "other_").await.unwrap();
    let key = Key::named("a");
    assert_eq!(other.read(key).await.unwrap().incarnation, again.read(key).await.unwrap().incarnation);
    assert!(PostgresStore::with_prefix(pool, "x; --").await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_without_create_works() {
    let url = database("");
    let role = format!("role_{}", random());
    let owner = pool(&url, 2);
    owner.execute(AssertSqlSafe(format!("CREATE ROLE {role} LOGIN"))).await.unwrap();
    let poor = pool(&url.replace("postgres@", &format!("{role}@")), 2);
    let error = PostgresStore::new(poor.clone()).await.unwrap_err().to_string();
    assert!(error.contains("start once with a role that may"), "{error}");

    PostgresStore::new(owner.clone()).await.unwrap();
    let error = PostgresStore::new(poor.clone()).await.unwrap_err().to_string();
    assert!(error.contains("permission denied for table oauth_schema"), "{error}");
    let functions = "oauth_read, oauth_durably, oauth_swap, oauth_count, oauth_renew";
    for sql in [
        format!("REVOKE EXECUTE ON FUNCTION {functions} FROM PUBLIC"),
        format!("GRANT SELECT ON oauth_schema TO {role}"),
        format!("GRANT SELECT, UPDATE ON oauth_buckets TO {role}"),
        format!("GRANT SELECT, INSERT, UPDATE ON oauth_counters TO {role}"),
        format!("GRANT SELECT, INSERT, UPDATE ON oauth_values TO {role}"),
    ] {
        owner.execute(AssertSqlSafe(sql)).await.unwrap();
    }
    let error = PostgresStore::new(poor.clone()).await.unwrap_err().to_string();
    assert!(error.contains("lacks grants: DELETE on public.oauth_values, EXECUTE on public.oauth_read("), "{error}");
    for sql in
        [format!("GRANT DELETE ON oauth_values TO {role}"), format!("GRANT EXECUTE ON FUNCTION {functions} TO {role}")]
    {
        owner.execute(AssertSqlSafe(sql)).await.unwrap();
    }
    contract::check(PostgresStore::new(poor.clone()).await.unwrap()).await;
    // Each of them is looked for, so that none is missed only at the first call that needs it.
    for (grant, table) in [
        ("SELECT", "buckets"),
        ("UPDATE", "buckets"),
        ("SELECT", "values"),
        ("INSERT", "values"),
        ("UPDATE", "values"),
        ("DELETE", "values"),
        ("SELECT", "counters"),
        ("INSERT", "counters"),
        ("UPDATE", "counters"),
    ] {
        owner.execute(AssertSqlSafe(format!("REVOKE {grant} ON oauth_{table} FROM {role}"))).await.unwrap();
        let error = PostgresStore::new(poor.clone()).await.unwrap_err().to_string();
        assert!(error.ends_with(&format!("lacks grants: {grant} on public.oauth_{table}")), "{error}");
        owner.execute(AssertSqlSafe(format!("GRANT {grant} ON oauth_{table} TO {role}"))).await.unwrap();
    }
    for function in functions.split(", ") {
        owner.execute(AssertSqlSafe(format!("REVOKE EXECUTE ON FUNCTION {function} FROM {role}"))).await.unwrap();
        let error = PostgresStore::new(poor.clone()).await.unwrap_err().to_string();
        assert!(error.contains(&format!("lacks grants: EXECUTE on public.{function}(")), "{error}");
        owner.execute(AssertSqlSafe(format!("GRANT EXECUTE ON FUNCTION {function} TO {role}"))).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_is_that_of_the_start() {
    let url = database("");
    let owner = pool(&url, 2);
    owner.execute("CREATE SCHEMA \"Odd's $$ \"\"name\"").await.unwrap();
    let odd = pool(&format!("{url}?options=-csearch_path%3D%22Odd's%5C%20$$%5C%20%22%22name%22,public"), 2);
    let path: (String,) = sqlx::query_as("SELECT current_schema()::text").fetch_one(&odd).await.unwrap();
    assert_eq!(path.0, "Odd's $$ \"name");
    let store = PostgresStore::new(odd.clone()).await.unwrap();
    let key = Key::named("a");
    assert!(increment(&store, key).await.unwrap());
    // The application changes the path of a connection: the store's tables stay the same.
    for _ in 0..2 {
        odd.execute("SET search_path = public").await.unwrap();
    }
    assert_eq!(store.read(key).await.unwrap().sequence, 1);
    assert!(increment(&store, key).await.unwrap());
    let nowhere = pool(&format!("{url}?options=-csearch_path%3Dnone"), 2);
    assert!(PostgresStore::new(nowhere).await.unwrap_err().to_string().contains("search_path"));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_refuses_what_takes_no_writes() {
    let url = database("");
    let store = PostgresStore::new(pool(&url, 1)).await.unwrap();
    let only = pool(&format!("{url}?options=-cdefault_transaction_read_only%3Don"), 1);
    let error = PostgresStore::new(only).await.unwrap_err().to_string();
    assert!(error.contains("takes no writes"), "{error}");
    let owner = pool(&url, 1);
    let reader = PostgresStore::new(owner.clone()).await.unwrap();
    owner.execute("SET default_transaction_read_only = on").await.unwrap();
    let error = increment(&reader, Key::named("a")).await.unwrap_err().to_string();
    assert!(error.contains("read-only transaction"), "{error}");
    assert!(increment(&store, Key::named("a")).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_is_one_query_and_buckets_stay_small() {
    let pool = pool(&database(""), 1);
    let store = PostgresStore::new(pool.clone()).await.unwrap();
    let plan: Vec<(String,)> =
        sqlx::query_as("EXPLAIN SELECT * FROM oauth_read(1, '\\x01')").fetch_all(&pool).await.unwrap();
    let plan: String = plan.into_iter().map(|(line,)| line + "\n").collect();
    assert!(plan.contains("oauth_values_pkey") && !plan.contains("Function Scan"), "{plan}");
    for _ in 0..2000 {
        assert!(increment(&store, Key::named("a")).await.unwrap());
    }
    let sql = "SELECT pg_relation_size('oauth_buckets') / 8192, pg_relation_size('oauth_buckets_pkey') / 8192";
    let pages: (i64, i64) = sqlx::query_as(sql).fetch_one(&pool).await.unwrap();
    println!("pages of the buckets and their index: {pages:?}");
    assert!(pages.0 < 64 && pages.1 < 16, "{pages:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn c42_what_expired_or_was_renewed_is_removed() {
    let url = database("");
    let pool = pool(&url, 4);
    let store = PostgresStore::new(pool.clone()).await.unwrap();
    let in_bucket = |n: u32| {
        let mut bytes = [7; 32];
        bytes[28..].copy_from_slice(&n.to_be_bytes());
        Key::from_bytes(bytes)
    };
    let put = async |n: u32, keep| {
        let seen = store.read(in_bucket(n)).await.unwrap();
        let value = Some(Value::from(b"{}".to_vec()));
        let change = Change { incarnation: seen.incarnation, since: None, value, keep };
        assert!(matches!(store.swap(in_bucket(n), change).await.unwrap(), Swap::Done { .. }));
    };
    let rows = async || {
        let rows: (i64,) = sqlx::query_as("SELECT count(*) FROM oauth_values").fetch_one(&pool).await.unwrap();
        rows.0
    };
    for n in 0..50 {
        put(n, Duration::from_millis(1)).await;
    }
    for n in 50..82 {
        put(n, HOUR).await;
    }
    assert_eq!(rows().await, 32);
    let seen = store.read(in_bucket(0)).await.unwrap();
    store.renew(in_bucket(0).bucket(), seen.incarnation).await.unwrap();
    assert_eq!(rows().await, 0);
    // What another incarnation left behind counts as absent, and may be written over.
    pool.execute("UPDATE oauth_buckets SET incarnation = 1").await.unwrap();
    put(0, HOUR).await;
    pool.execute("UPDATE oauth_buckets SET incarnation = 2").await.unwrap();
    assert!(store.read(in_bucket(0)).await.unwrap().kept.is_none());
    put(0, HOUR).await;
    let seen = store.read(in_bucket(0)).await.unwrap();
    assert!(seen.incarnation == Incarnation::from_bits(2) && seen.kept.is_some(), "what was written over it is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn c47_a_full_disk_and_a_lock_held_by_hand_are_errors() {
    let url = database("");
    let pool = pool(&url, 4);
    let store = PostgresStore::new(pool.clone()).await.unwrap();
    let key = Key::named("a");
    let mut holder = pool.begin().await.unwrap();
    holder.execute("SELECT FROM oauth_buckets FOR UPDATE").await.unwrap();
    let begun = Instant::now();
    let error = increment(&store, key).await.unwrap_err().to_string();
    assert!(error.contains("lock timeout") && begun.elapsed() >= Duration::from_secs(4), "{error}");
    assert!(store.read(key).await.unwrap().kept.is_none(), "to read waits for no lock");
    holder.rollback().await.unwrap();
    let mut writing = pool.begin().await.unwrap();
    writing.execute("SELECT oauth_durably()").await.unwrap();
    let waits: String = sqlx::query_scalar("SHOW lock_timeout").fetch_one(&mut *writing).await.unwrap();
    assert_eq!(waits, "4s", "before the deadline of 5 s, after which the whole store would count as silent");
    writing.commit().await.unwrap();
    // The application's own transactions on that connection are as they were, and its own limit holds.
    for own in ["0", "9s"] {
        let mut connection = pool.acquire().await.unwrap();
        connection.execute(AssertSqlSafe(format!("SET lock_timeout = '{own}'"))).await.unwrap();
        connection.execute("SELECT oauth_durably()").await.unwrap();
        let waits: String = sqlx::query_scalar("SHOW lock_timeout").fetch_one(&mut *connection).await.unwrap();
        assert_eq!(waits, own);
        let mut writing = connection.begin().await.unwrap();
        writing.execute("SELECT oauth_durably()").await.unwrap();
        let waits: String = sqlx::query_scalar("SHOW lock_timeout").fetch_one(&mut *writing).await.unwrap();
        assert_eq!(waits, if own == "0" { "4s" } else { own });
    }
    for code in ["53100", "53200"] {
        let sql = format!(
            "CREATE OR REPLACE FUNCTION oauth_durably() RETURNS void LANGUAGE plpgsql AS
             $$ BEGIN RAISE 'full' USING ERRCODE = '{code}'; END $$"
        );
        pool.execute(AssertSqlSafe(sql)).await.unwrap();
        assert!(matches!(increment(&store, key).await, Err(StoreError::Full)), "{code}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c11_an_error_of_the_commit_is_no_answer() {
    // A constraint that is checked at the commit, after the row was sent.
    let url = database("");
    let pool = pool(&url, 2);
    let store = PostgresStore::new(pool.clone()).await.unwrap();
    for sql in [
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN RAISE 'not today' USING ERRCODE = '40001'; END $$",
        "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON oauth_values DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW EXECUTE FUNCTION refuse()",
    ] {
        pool.execute(sql).await.unwrap();
    }
    let key = Key::named("a");
    let error = increment(&store, key).await.unwrap_err().to_string();
    assert!(error.contains("not today"), "{error}");
    assert_eq!(store.read(key).await.unwrap().sequence, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn c42_synchronous_commit_off_is_overruled() {
    let url = database("ALTER DATABASE {} SET synchronous_commit = off");
    PostgresStore::new(pool(&url, 1)).await.unwrap();
    let mut connection = PgConnection::connect(&url).await.unwrap();
    for (was, is) in
        [("off", "on"), ("local", "on"), ("remote_write", "on"), ("on", "on"), ("remote_apply", "remote_apply")]
    {
        for call in [
            "oauth_swap(1, '\\x01', 0, 5, '\\x00', 1000)",
            "oauth_count(ARRAY[1], ARRAY[1::bigint], ARRAY[1::bigint])",
            "oauth_renew(1, 0, 0)",
        ] {
            let mut transaction = connection.begin().await.unwrap();
            transaction.execute(AssertSqlSafe(format!("SET LOCAL synchronous_commit = {was}"))).await.unwrap();
            transaction.execute(AssertSqlSafe(format!("SELECT {call}"))).await.unwrap();
            // The commit reads it now: after the function has ended.
            let at_commit: (String,) = sqlx::query_as("SELECT current_setting('synchronous_commit')")
                .fetch_one(&mut *transaction)
                .await
                .unwrap();
            assert_eq!(at_commit.0, is, "{call} with {was}");
            transaction.commit().await.unwrap();
        }
    }
    let after: (String,) = sqlx::query_as("SHOW synchronous_commit").fetch_one(&mut connection).await.unwrap();
    assert_eq!(after.0, "off", "the application's own transactions are as they were");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_gave_up_disturbs_no_other() {
    let store = PostgresStore::new(pool(&database(""), 4)).await.unwrap();
    let keys: Vec<Key> = (0..8).map(|n| Key::named(&n.to_string())).collect();
    for round in 0..300_u64 {
        let calls = keys.iter().map(async |key| {
            let limit = Duration::from_micros(random() % 3000);
            let _ = tokio::time::timeout(limit, increment(&store, *key)).await;
        });
        join_all(calls).await;
        if round % 50 == 0 {
            for key in &keys {
                let seen = store.read(*key).await.unwrap();
                let value = seen.kept.map_or(0, |kept| number(&kept.value));
                assert!(value <= round + 1);
            }
        }
    }
    for key in &keys {
        let seen = store.read(*key).await.unwrap();
        assert_eq!(seen.kept.map_or(0, |kept| number(&kept.value)), seen.sequence);
    }
}

/// Adds one to the number under a key, if it has not changed meanwhile.
async fn increment(store: &PostgresStore, key: Key) -> Result<bool, StoreError> {
    let seen = store.read(key).await?;
    let now = seen.kept.as_ref().map_or(0, |kept| number(&kept.value));
    let value = Some(Value::from((now + 1).to_string().into_bytes()));
    let since = seen.kept.map(|kept| kept.version);
    let change = Change { incarnation: seen.incarnation, since, value, keep: HOUR };
    Ok(matches!(store.swap(key, change).await?, Swap::Done { .. }))
}

fn number(value: &Value) -> u64 {
    std::str::from_utf8(value.as_bytes()).unwrap().parse().unwrap()
}

/// A database of its own on the server that all tests share. `{}` in the SQL stands for its name.
fn database(sql: &str) -> String {
    static SERVER: OnceLock<Postgres> = OnceLock::new();
    let server = SERVER.get_or_init(|| Postgres::start_with(&["max_connections=200"]));
    let name = format!("test_{}", random());
    server.ask(&format!("CREATE DATABASE {name}"));
    if !sql.is_empty() {
        server.ask(&sql.replace("{}", &name));
    }
    format!("{}/{name}", server.url().rsplit_once('/').unwrap().0)
}

fn pool(url: &str, connections: u32) -> PgPool {
    let options: PgConnectOptions = url.parse().unwrap();
    PgPoolOptions::new().max_connections(connections).acquire_timeout(Duration::from_secs(3)).connect_lazy_with(options)
}

fn random() -> u64 {
    rand::random()
}

const HOUR: Duration = Duration::from_secs(3600);
