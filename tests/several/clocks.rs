//! Processes whose clocks differ, over a store that has one.

use std::time::Duration;

use oauth_runtime::store::{PostgresStore, RedisStore, Store};
use oauth_runtime::{Clock, OAuthService};
use oauth_tests::servers::{Postgres, Redis};
use oauth_tests::{Browser, Server, free_port, handlers, serve};

/// A process whose machine's clock is ahead by this.
fn process(store: Box<dyn Store>, ahead: i64) -> (Server, OAuthService) {
    let clock = Clock::system_ahead_by(ahead);
    let (listener, base) = free_port();
    let builder = oauth_tests::builder(&base)
        .issuer("http://127.0.0.1:9")
        .clock(clock)
        .store(store)
        .revocation_lag(Duration::ZERO);
    let oauth = builder.code_lifetime(Duration::from_secs(60)).build().unwrap();
    let routes = oauth.clone();
    let server = serve(listener, move |app| {
        app.configure(routes.routes()).configure(handlers);
    });
    (server, oauth)
}

/// A code of 60 seconds was worth 30 at the other process, and a sign-out between the two was lost.
async fn thirty_seconds_apart(stores: [Box<dyn Store>; 3]) {
    let [one, two, three] = stores;
    let (one, two) = (process(one, 0), process(two, 28));
    let three = process(three, 120);
    let (early, late, far) = (Browser::new(&one.0), Browser::new(&two.0), Browser::new(&three.0));
    for (at, other, ended) in [(&early, &late, &two.1), (&late, &early, &one.1)] {
        // Both date by the store's clock.
        let issued = other.redeem(&at.code().await, &[]).await.json();
        let token = issued["access_token"].as_str().unwrap();
        let claims = at.call("/me", Some(token)).await;
        assert_eq!(claims.status, 200, "{claims:?}");
        let (ahead, behind) = (two.1.health().await.unwrap().clock_ahead, one.1.health().await.unwrap().clock_ahead);
        assert!((-30..=-26).contains(&ahead) && behind.abs() <= 2, "{ahead} {behind}");

        // Whichever signs them out, what the other handed out before has ended, and what it does after it has not.
        ended.sign_out("admin").await.unwrap();
        // A sign-in that begins sooner may have been under way, as far as the two can tell.
        tokio::time::sleep(Duration::from_secs(4)).await;
        for browser in [at, other] {
            assert_eq!(browser.call("/me", Some(token)).await.status, 401);
        }
        let again = other.redeem(&at.code().await, &[]).await.json();
        assert_eq!(other.call("/me", again["access_token"].as_str()).await.status, 200);
    }
    // Beyond that nothing tells which clock is wrong: it is refused, with the cure in the log.
    assert_eq!(far.sign_in(&[], "admin", "admin123").await.status, 503);
    let why = three.1.health().await.unwrap_err().to_string();
    assert!(why.contains("s away from this machine's: let a time server set both"), "{why}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c10_c42_two_processes_whose_clocks_differ_go_by_that_of_postgresql() {
    let server = Postgres::start();
    let store = async || {
        let pool = sqlx::PgPool::connect(&server.url()).await.unwrap();
        Box::new(PostgresStore::new(pool).await.unwrap()) as Box<dyn Store>
    };
    thirty_seconds_apart([store().await, store().await, store().await]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c10_c42_two_processes_whose_clocks_differ_go_by_that_of_redis() {
    let server = Redis::start();
    let store = async || Box::new(RedisStore::connect(server.url()).await.unwrap()) as Box<dyn Store>;
    thirty_seconds_apart([store().await, store().await, store().await]).await;
}
