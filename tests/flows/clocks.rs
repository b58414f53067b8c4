//! Clocks that step, that are wrong at start-up, and that differ: nothing ended comes back, and nothing good is lost.

use std::path::PathBuf;
use std::time::Duration;

use oauth_runtime::store::{MemoryStore, SqliteStore, Store};
use oauth_runtime::{Clock, OAuthService};
use oauth_tests::{Browser, Server, free_port, handlers, serve};
use serde_json::{Value, json};

const YEAR: i64 = 365 * 24 * 3600;

/// A store of one process, which restarts.
#[derive(Clone)]
enum Kept {
    Memory,
    File(PathBuf),
}

impl Kept {
    fn both() -> [Kept; 2] {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("clocks-{:016x}", rand::random::<u64>()));
        std::fs::create_dir_all(&folder).unwrap();
        [Kept::Memory, Kept::File(folder.join("oauth.db"))]
    }

    /// A process of the service, whose machine has this clock.
    async fn start(&self, clock: &Clock) -> (Server, OAuthService) {
        let store: Box<dyn Store> = match self {
            Kept::Memory => Box::new(MemoryStore::with_clock(clock.clone())),
            Kept::File(file) => Box::new(SqliteStore::open_with_clock(file, clock.clone()).await.unwrap()),
        };
        let (listener, base) = free_port();
        let oauth = oauth_tests::builder(&base)
            .issuer("http://127.0.0.1:9")
            .clock(clock.clone())
            .revocation_lag(Duration::ZERO)
            .reload(async |_: &str| Some(json!({ "role": "admin" })))
            .store(store)
            .build()
            .unwrap();
        let routes = oauth.clone();
        let server = serve(listener, move |app| {
            app.configure(routes.routes()).configure(handlers);
        });
        (server, oauth)
    }

    /// The same after it has ended.
    async fn restart(&self, before: (Server, OAuthService), clock: &Clock) -> (Server, OAuthService) {
        drop(before);
        if let Kept::File(_) = self {
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
        self.start(clock).await
    }
}

async fn tokens(browser: &Browser) -> Value {
    browser.redeem(&browser.code().await, &[]).await.json()
}

async fn is_accepted(browser: &Browser, issued: &Value) -> bool {
    browser.call("/me", issued["access_token"].as_str()).await.status == 200
}

async fn is_refreshed(browser: &Browser, token: &str) -> bool {
    browser.refresh(token, &[]).await.status == 200
}

fn refresh_token(issued: &Value) -> &str {
    issued["refresh_token"].as_str().unwrap()
}

/// It revived revoked access tokens, spent codes and refresh tokens.
#[tokio::test]
async fn c42_a_clock_that_is_set_back_across_a_restart_revives_nothing() {
    for kept in Kept::both() {
        let clock = Clock::by_hand();
        let before = kept.start(&clock).await;
        let browser = Browser::new(&before.0);
        let (revoked, code) = (tokens(&browser).await, browser.code().await);
        assert_eq!(browser.redeem(&code, &[]).await.status, 200);
        let give_back = format!("client_id=demo&token={}", refresh_token(&revoked));
        assert_eq!(browser.post("/revoke", give_back).await.status, 200);
        clock.step(-30);
        let after = kept.restart(before, &clock).await;
        let browser = Browser::new(&after.0);
        assert!(!is_accepted(&browser, &revoked).await);
        assert!(!is_refreshed(&browser, refresh_token(&revoked)).await);
        assert_eq!(browser.redeem(&code, &[]).await.status, 400);
        assert!(is_accepted(&browser, &tokens(&browser).await).await);
    }
}

/// A step back stretched the ten seconds of grace to an hour.
#[tokio::test]
async fn c23_a_step_back_does_not_stretch_the_grace() {
    for kept in Kept::both() {
        let clock = Clock::by_hand();
        let service = kept.start(&clock).await;
        let browser = Browser::new(&service.0);
        let first = tokens(&browser).await;
        assert!(is_refreshed(&browser, refresh_token(&first)).await);
        clock.step(-3_500);
        assert!(is_refreshed(&browser, refresh_token(&first)).await, "within the grace");
        clock.advance(Duration::from_secs(10));
        assert!(!is_refreshed(&browser, refresh_token(&first)).await);
    }
}

/// It swept away what was live, and refused what is new for as long.
#[tokio::test]
async fn c42_a_momentary_step_forward_forgets_nothing_and_refuses_nothing() {
    for kept in Kept::both() {
        let clock = Clock::by_hand();
        let service = kept.start(&clock).await;
        let browser = Browser::new(&service.0);
        let (live, revoked) = (tokens(&browser).await, tokens(&browser).await);
        let give_back = format!("client_id=demo&token={}", refresh_token(&revoked));
        assert_eq!(browser.post("/revoke", give_back).await.status, 200);
        for step in [YEAR, -YEAR] {
            clock.step(step);
            clock.advance(Duration::from_secs(61));
            let new = tokens(&browser).await;
            for (issued, stands) in [(&live, true), (&new, true), (&revoked, false)] {
                assert_eq!(is_accepted(&browser, issued).await, stands, "{step}");
            }
        }
        assert_eq!(service.1.health().await.unwrap().clock_stepped, 0);
    }
}

/// A clock that was wrong when the process started: an operator sets it right and says so.
#[tokio::test]
async fn c42_a_clock_a_year_ahead_at_start_up_is_put_right_by_renewing() {
    let clock = Clock::by_hand();
    let right = clock.now();
    clock.advance(Duration::from_secs(YEAR.unsigned_abs()));
    let service = Kept::Memory.start(&clock).await;
    let browser = Browser::new(&service.0);
    let ahead = tokens(&browser).await;
    clock.step(-YEAR);
    assert_eq!(service.1.health().await.unwrap().clock_stepped, -YEAR, "it is seen");
    assert!(is_accepted(&browser, &ahead).await, "and not followed");
    service.1.renew().await.unwrap();
    assert!(!is_accepted(&browser, &ahead).await, "what was dated a year ahead has ended");
    let issued = tokens(&browser).await;
    assert!(is_accepted(&browser, &issued).await);
    let claims = browser.call("/me", issued["access_token"].as_str()).await.json();
    assert_eq!(claims["lifetime"], 3_600);
    assert!(service.1.health().await.unwrap().clock_stepped == 0 && clock.now().since(right) < Duration::from_secs(60));
}

/// A step that was meant, such as after the machine slept.
#[tokio::test]
async fn c42_an_accepted_step_lets_expire_what_would_have_expired() {
    let clock = Clock::by_hand();
    let service = Kept::Memory.start(&clock).await;
    let browser = Browser::new(&service.0);
    let issued = tokens(&browser).await;
    clock.step(3_601);
    assert!(is_accepted(&browser, &issued).await);
    service.1.accept_clock();
    assert!(!is_accepted(&browser, &issued).await);
    assert!(is_refreshed(&browser, refresh_token(&issued)).await, "which lives for longer");
}
