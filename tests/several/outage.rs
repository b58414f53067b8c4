//! A store that is away for a while.

use std::time::{Duration, Instant};

use oauth_tests::servers::{Postgres, Redis};
use oauth_tests::{Answer, Browser, PATIENCE};

use crate::Node;

/// A service of one process, and its store that comes and goes.
struct Outage<S> {
    node: Node,
    server: S,
    stop: fn(&mut S),
    start: fn(&mut S),
}

fn unavailable(answer: &Answer) {
    assert_eq!((answer.status, answer.header("retry-after").is_empty()), (503, false), "{answer:?}");
}

impl<S: Send> Outage<S> {
    async fn of(mut self, seconds: u64, tolerance: u64) {
        self.node.settings.push(("TOLERANCE", tolerance.to_string()));
        self.node.start();
        let browser = self.node.browser();
        let signed_in = browser.sign_in(&[], "ada", "ada123").await.redirect();
        let issued = browser.redeem(&signed_in["code"], &[]).await.json();
        let [access, refresh] = ["access_token", "refresh_token"].map(|name| issued[name].as_str().unwrap().to_owned());
        let form = browser.authorize(&[("prompt", Some("login"))]).await.form();
        assert_eq!(browser.call("/me", Some(&access)).await.status, 200);

        tokio::task::block_in_place(|| (self.stop)(&mut self.server));
        let begun = Instant::now();
        let (went_on, refused) = guarded(&browser, &access, Duration::from_secs(seconds)).await;
        everything_else_is_refused(&browser, &form, &refresh).await;
        assert!(went_on > 0, "guards go on with what the store last said");
        assert_eq!(refused > 0, seconds > tolerance, "and for no longer than they may");
        assert!(begun.elapsed() < PATIENCE, "nothing hangs");

        // Back again, without a restart, and nothing is lost.
        tokio::task::block_in_place(|| (self.start)(&mut self.server));
        let back = Instant::now();
        let mut refreshed = browser.refresh(&refresh, &[]).await;
        while refreshed.status == 503 && back.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(100)).await;
            refreshed = browser.refresh(&refresh, &[]).await;
        }
        assert_eq!(refreshed.status, 200, "{refreshed:?}");
        assert_eq!(browser.call("/me", Some(&access)).await.status, 200);
        assert_eq!(browser.login(&form, "ada", "ada123").await.status, 303);
    }
}

/// Calls a guarded handler for a while: how often it let the token in, and how often it answered that it cannot know.
async fn guarded(browser: &Browser, access: &str, duration: Duration) -> (u32, u32) {
    let (begun, mut went_on, mut refused) = (Instant::now(), 0, 0);
    while begun.elapsed() < duration {
        let answer = browser.call("/me", Some(access)).await;
        if answer.status == 200 {
            assert_eq!(refused, 0, "it was refused before");
            went_on += 1;
        } else {
            unavailable(&answer);
            refused += 1;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    (went_on, refused)
}

async fn everything_else_is_refused(browser: &Browser, form: &str, refresh: &str) {
    unavailable(&browser.login(form, "ada", "ada123").await);
    unavailable(&browser.refresh(refresh, &[]).await);
    unavailable(&browser.post("/revoke", format!("client_id=demo&token={refresh}")).await);
}

fn of_postgres() -> Outage<Postgres> {
    let server = Postgres::start();
    let node = Node::new("http://127.0.0.1:9", &format!("postgres:{}", server.url()));
    Outage { node, server, stop: Postgres::stop, start: Postgres::start_again }
}

fn of_redis() -> Outage<Redis> {
    let server = Redis::start();
    let node = Node::new("http://127.0.0.1:9", &format!("redis:{}", server.url()));
    Outage { node, server, stop: Redis::stop, start: Redis::start_again }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_postgresql_is_away_guards_go_on_for_as_long_as_they_may() {
    of_postgres().of(5, 300).await;
    of_postgres().of(60, 20).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_redis_is_away_guards_go_on_for_as_long_as_they_may() {
    of_redis().of(5, 300).await;
    of_redis().of(60, 20).await;
}
