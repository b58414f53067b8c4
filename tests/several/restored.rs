//! A store that was put back to an earlier state, or lost what it held.

use std::path::PathBuf;
use std::time::Duration;

use oauth_runtime::store::{PostgresStore, RedisStore, SqliteStore, Store};
use oauth_runtime::{Login, OAuthService};
use oauth_tests::servers::{Postgres, Redis, Snapshot};
use oauth_tests::{Browser, PATIENCE, Server, free_port, handlers, serve};
use serde_json::{Value, json};

use crate::sqlite_file;

/// A store that can be put back.
enum Restorable {
    Sqlite(PathBuf),
    Postgres(Postgres),
    Redis(Redis),
}

enum Copy {
    File(Vec<u8>),
    Server(Snapshot),
}

impl Restorable {
    async fn open(&self) -> Box<dyn Store> {
        match self {
            Restorable::Sqlite(file) => Box::new(SqliteStore::open(file).await.unwrap()),
            Restorable::Postgres(server) => {
                let pool = sqlx::PgPool::connect(&server.url()).await.unwrap();
                Box::new(PostgresStore::new(pool).await.unwrap())
            }
            Restorable::Redis(server) => Box::new(RedisStore::connect(server.url()).await.unwrap()),
        }
    }

    /// While no service uses it.
    fn copy(&mut self) -> Copy {
        match self {
            Restorable::Sqlite(file) => Copy::File(std::fs::read(file).unwrap()),
            Restorable::Postgres(server) => {
                server.stop();
                let copy = server.snapshot();
                server.start_again();
                Copy::Server(copy)
            }
            Restorable::Redis(server) => {
                server.stop();
                let copy = server.snapshot();
                server.start_again();
                Copy::Server(copy)
            }
        }
    }

    fn put_back(&mut self, copy: &Copy) {
        match (self, copy) {
            (Restorable::Sqlite(file), Copy::File(bytes)) => {
                for beside in ["-wal", "-shm"] {
                    drop(std::fs::remove_file(format!("{}{beside}", file.display())));
                }
                std::fs::write(file, bytes).unwrap();
            }
            (Restorable::Postgres(server), Copy::Server(copy)) => {
                server.stop();
                server.restore(copy);
                server.start_again();
            }
            (Restorable::Redis(server), Copy::Server(copy)) => {
                server.stop();
                server.restore(copy);
                server.start_again();
            }
            (_, Copy::File(_)) | (Restorable::Sqlite(_), Copy::Server(_)) => panic!("a copy of another store"),
        }
    }
}

/// A sign-in that begins sooner may have been under way, as far as two machines' clocks can tell.
const AFTER_A_SIGN_OUT: Duration = Duration::from_secs(4);

/// A service over a store, with users who sign in by any name.
fn service(store: Box<dyn Store>) -> (Server, OAuthService) {
    let (listener, base) = free_port();
    let oauth = oauth_tests::builder(&base)
        .issuer("http://127.0.0.1:9")
        .authenticate(async |login: Login| Some(json!({ "sub": login.username })))
        .reload(async |subject: &str| Some(json!({ "sub": subject })))
        // A store that begins anew on a busy machine takes its time.
        .store_deadline(PATIENCE)
        .store(store)
        .build()
        .unwrap();
    let routes = oauth.clone();
    let server = serve(listener, move |app| {
        app.configure(routes.routes()).configure(handlers);
    });
    (server, oauth)
}

/// A server that was told to stop lets go of its store a moment later.
async fn ended(service: (Server, OAuthService)) {
    drop(service);
    tokio::time::sleep(Duration::from_secs(2)).await;
}

async fn tokens(browser: &Browser) -> Value {
    browser.redeem(&browser.code_for("ada").await, &[]).await.json()
}

async fn is_accepted(browser: &Browser, issued: &Value) -> bool {
    browser.call("/me", issued["access_token"].as_str()).await.status == 200
}

async fn is_refreshed(browser: &Browser, issued: &Value) -> bool {
    browser.refresh(issued["refresh_token"].as_str().unwrap(), &[]).await.status == 200
}

async fn restored(mut store: Restorable) {
    let before = service(store.open().await);
    let browser = Browser::new(&before.0);
    let (old, spent) = (tokens(&browser).await, browser.code_for("ada").await);
    ended(before).await;
    let copy = store.copy();

    // Afterwards something ends, and something new is handed out.
    let after = service(store.open().await);
    let browser = Browser::new(&after.0);
    assert_eq!(browser.redeem(&spent, &[]).await.status, 200);
    after.1.sign_out("ada").await.unwrap();
    assert!(!is_accepted(&browser, &old).await);
    tokio::time::sleep(AFTER_A_SIGN_OUT).await;
    let new = tokens(&browser).await;
    assert!(is_accepted(&browser, &new).await);
    ended(after).await;
    store.put_back(&copy);

    // The store knows nothing of that. What is newer shows it, and then nothing earlier is accepted, ended or not.
    let again = service(store.open().await);
    let browser = Browser::new(&again.0);
    assert!(is_accepted(&browser, &old).await, "alive again, since nothing has shown it yet");
    assert!(!is_accepted(&browser, &new).await, "it is of a time that the store has not seen");
    assert!(!is_accepted(&browser, &old).await && !is_refreshed(&browser, &old).await);
    assert_eq!(browser.redeem(&spent, &[]).await.status, 400);
    let later = tokens(&browser).await;
    assert!(is_accepted(&browser, &later).await, "and it goes on");
    ended(again).await;
    store.put_back(&copy);

    // An operator who knows says so, and nothing has to show it.
    let renewed = service(store.open().await);
    let browser = Browser::new(&renewed.0);
    renewed.1.renew().await.unwrap();
    for issued in [&old, &new, &later] {
        assert!(!is_accepted(&browser, issued).await && !is_refreshed(&browser, issued).await);
    }
    assert_eq!(browser.redeem(&spent, &[]).await.status, 400, "nor a code");
    assert!(is_accepted(&browser, &tokens(&browser).await).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c42_an_older_copy_of_a_file_is_exposed_by_what_is_newer() {
    restored(Restorable::Sqlite(sqlite_file())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c42_a_restored_postgresql_is_exposed_by_what_is_newer() {
    restored(Restorable::Postgres(Postgres::start())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c42_a_redis_of_an_older_snapshot_is_exposed_by_what_is_newer() {
    restored(Restorable::Redis(Redis::start())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c42_a_memory_that_was_lost_revives_nothing() {
    let redis = Redis::start_with(Redis::VOLATILE);
    let (server, oauth) = service(Box::new(RedisStore::connect(redis.url()).await.unwrap()));
    let browser = Browser::new(&server);
    let (issued, code) = (tokens(&browser).await, browser.code_for("ada").await);
    oauth.sign_out("ada").await.unwrap();
    tokio::time::sleep(AFTER_A_SIGN_OUT).await;
    redis.ask(&["FLUSHALL"]);
    assert!(!is_accepted(&browser, &issued).await && !is_refreshed(&browser, &issued).await);
    assert_eq!(browser.redeem(&code, &[]).await.status, 400);
    assert!(is_accepted(&browser, &tokens(&browser).await).await, "it goes on without a restart");
}

/// A replica takes over that has not heard of what was acknowledged last.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c42_a_replica_that_lagged_and_was_promoted_is_exposed_by_what_is_newer() {
    let mut primary = Redis::start();
    let replicaof = format!("127.0.0.1 {}", primary.port());
    let replica = Redis::start_with(&[&[("replicaof", &*replicaof)], Redis::DURABLE].concat());
    while !replica.ask(&["info", "replication"]).contains("master_link_status:up") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let before = service(Box::new(RedisStore::connect(primary.url()).await.unwrap()));
    let browser = Browser::new(&before.0);
    let old = tokens(&browser).await;
    assert_eq!(primary.ask(&["wait", "1", "10000"]), "1");

    // Silent from now on, with more on its way to it than any socket holds.
    replica.pause();
    primary.ask(&["eval", "for i = 1, 64 do redis.call('set', 'filler' .. i, string.rep('x', 1048576)) end", "0"]);
    before.1.sign_out("ada").await.unwrap();
    tokio::time::sleep(AFTER_A_SIGN_OUT).await;
    let new = tokens(&browser).await;
    assert!(is_accepted(&browser, &new).await && !is_accepted(&browser, &old).await);
    ended(before).await;
    primary.kill();
    replica.go_on();
    replica.ask(&["replicaof", "no", "one"]);

    let after = service(Box::new(RedisStore::connect(replica.url()).await.unwrap()));
    let browser = Browser::new(&after.0);
    let answer = browser.call("/me", old["access_token"].as_str()).await;
    assert_eq!(answer.status, 200, "the sign-out is lost, and nothing has shown it yet: {answer:?}");
    assert!(!is_accepted(&browser, &new).await, "it is of a time that this server has not seen");
    assert!(!is_accepted(&browser, &old).await && !is_refreshed(&browser, &old).await);
    assert!(is_accepted(&browser, &tokens(&browser).await).await, "and it goes on");
}
