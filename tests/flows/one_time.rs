//! Tokens for the author's own mails.

use std::time::Duration;

use actix_web::ResponseError as _;
use oauth_runtime::store::StoreError;
use oauth_runtime::{Clock, OAuthService, OneTimeError};
use oauth_tests::{Answer, Browser, NEW_SECRET, SECRET, builder, free_port, serve, watched};

const HOUR: Duration = Duration::from_secs(3600);
const RESET: &str = "reset";

fn service(clock: &Clock) -> OAuthService {
    builder("http://127.0.0.1:9").clock(clock.clone()).build().unwrap()
}

async fn sealed(oauth: &OAuthService, purpose: &str, lifetime: Duration) -> String {
    oauth.one_time(purpose, "alice", lifetime).with(("a", 1)).seal().await.unwrap()
}

#[tokio::test]
async fn a_one_time_token_is_opened_often_and_redeemed_once_for_its_purpose_alone() {
    let clock = Clock::by_hand();
    let oauth = service(&clock);
    let token = sealed(&oauth, RESET, HOUR).await;
    assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{token}");
    for _ in 0..3 {
        let opened = oauth.open_one_time::<(String, u8)>(RESET, &token).await.unwrap();
        assert_eq!((opened.subject.as_str(), opened.payload), ("alice", ("a".to_owned(), 1)));
    }
    for other in ["", "resets", "Reset", "verify"] {
        let refused = oauth.redeem_one_time::<(String, u8)>(other, &token).await;
        assert!(matches!(refused, Err(OneTimeError::Forged)), "{other}: {refused:?}");
    }
    let mistaken = oauth.redeem_one_time::<u8>(RESET, &token).await;
    assert!(matches!(mistaken, Err(OneTimeError::Payload(_))), "and nothing is spent by it: {mistaken:?}");
    // Many at once: one wins.
    let tries = (0..20).map(|_| oauth.redeem_one_time::<(String, u8)>(RESET, &token));
    let redeemed = futures_util::future::join_all(tries).await;
    assert_eq!(redeemed.iter().filter(|one| one.is_ok()).count(), 1, "{redeemed:?}");
    assert!(redeemed.iter().all(|one| matches!(one, Ok(_) | Err(OneTimeError::Used))), "{redeemed:?}");
    let late = oauth.open_one_time::<(String, u8)>(RESET, &token).await;
    assert!(matches!(late, Err(OneTimeError::Used)), "{late:?}");
    assert!(oauth.redeem_one_time::<(String, u8)>(RESET, &sealed(&oauth, RESET, HOUR).await).await.is_ok(), "another");
}

#[tokio::test]
async fn c42_a_one_time_token_ends_with_its_time_a_sign_out_another_secret_and_another_memory() {
    let clock = Clock::by_hand();
    let oauth = service(&clock);
    let (short, long) = (sealed(&oauth, RESET, Duration::from_secs(1)).await, sealed(&oauth, RESET, 24 * HOUR).await);
    let of_bob = oauth.one_time(RESET, "bob", HOUR).seal().await.unwrap();
    let open = async |oauth: &OAuthService, token: &str| {
        let opened = oauth.open_one_time::<serde_json::Value>(RESET, token).await.map(drop);
        let redeemed = oauth.redeem_one_time::<serde_json::Value>(RESET, token).await.map(drop);
        assert_eq!(format!("{opened:?}"), format!("{redeemed:?}"));
        redeemed
    };
    clock.advance(Duration::from_secs(1));
    assert!(matches!(open(&oauth, &short).await, Err(OneTimeError::Expired)));
    for cut in [&long[1..], &long[..long.len() - 1], "", "x"] {
        assert!(matches!(open(&oauth, cut).await, Err(OneTimeError::Forged)), "{cut}");
    }
    oauth.sign_out("alice").await.unwrap();
    assert!(matches!(open(&oauth, &long).await, Err(OneTimeError::SignedOut)));
    let restarted = service(&clock);
    assert!(matches!(open(&restarted, &of_bob).await, Err(OneTimeError::Expired)), "its memory is gone");
    assert!(oauth.redeem_one_time::<()>(RESET, &of_bob).await.is_ok(), "of another user");

    let store = watched(clock.clone());
    let with = |secret: &str| {
        let service = builder("http://127.0.0.1:9").clock(clock.clone()).store(store.clone()).secret(secret);
        if secret == NEW_SECRET { service.previous_secret(SECRET) } else { service }.build().unwrap()
    };
    let before = sealed(&with(SECRET), RESET, HOUR).await;
    let after = sealed(&with(NEW_SECRET), RESET, HOUR).await;
    assert!(matches!(open(&with(SECRET), &after).await, Err(OneTimeError::Forged)));
    assert!(with(NEW_SECRET).redeem_one_time::<(String, u8)>(RESET, &before).await.is_ok(), "the secret before opens");
}

#[tokio::test]
async fn a_one_time_token_is_nothing_else_and_nothing_else_is_one() {
    let (listener, base) = free_port();
    let oauth = builder(&base).build().unwrap();
    let routes = oauth.clone();
    let server = serve(listener, move |app| {
        app.configure(routes.routes());
    });
    let browser = Browser::new(&server);
    let form = browser.authorize(&[]).await.form();
    let code = browser.code().await;
    for ours in [&form, &code] {
        let refused = oauth.open_one_time::<serde_json::Value>(RESET, ours).await;
        assert!(matches!(refused, Err(OneTimeError::Forged)), "{refused:?}");
    }
    let token = sealed(&oauth, RESET, HOUR).await;
    let answer: Answer = browser.redeem(&token, &[]).await;
    assert_eq!(answer.json()["error"], "invalid_grant");
    assert_eq!(browser.login(&token, "admin", "admin123").await.status, 400);
}

#[tokio::test]
async fn a_one_time_token_that_cannot_be_is_not_made() {
    let oauth = service(&Clock::by_hand());
    for lifetime in [Duration::ZERO, Duration::from_millis(999), 24 * HOUR + Duration::from_secs(1)] {
        let made = oauth.one_time(RESET, "alice", lifetime).seal().await;
        assert!(matches!(made, Err(OneTimeError::Lifetime)), "{made:?}");
    }
    let long = "x".repeat(300);
    for (purpose, subject) in [("", "alice"), (&long[..65], "alice"), (RESET, ""), (RESET, &long[..257])] {
        let made = oauth.one_time(purpose, subject, HOUR).seal().await;
        assert!(matches!(made, Err(OneTimeError::Names)), "{made:?}");
    }
    assert!(oauth.one_time(RESET, "alice", HOUR).with("x".repeat(2048)).seal().await.is_ok());
    let made = oauth.one_time(RESET, "alice", HOUR).with("x".repeat(4000)).seal().await;
    assert!(matches!(made, Err(OneTimeError::TooLarge)), "{made:?}");
}

/// Their URL has the link's token, and what it leads to changes.
#[test]
fn what_a_handler_answers_about_a_link_is_kept_by_no_cache() {
    let mistaken = || serde_json::from_str::<bool>("1").unwrap_err();
    for (why, status) in [
        (OneTimeError::Forged, 400),
        (OneTimeError::Expired, 400),
        (OneTimeError::Used, 400),
        (OneTimeError::SignedOut, 400),
        (OneTimeError::Names, 500),
        (OneTimeError::Payload(mistaken()), 500),
        (OneTimeError::Store(StoreError::Full), 503),
    ] {
        let answer = why.error_response();
        assert_eq!(answer.status(), status, "{why}");
        assert_eq!(answer.headers().get("cache-control").unwrap(), "no-store", "{why}");
    }
}
