//! Refresh tokens: what they are exchanged for, what ends them, and what a failure costs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use oauth_runtime::states::WithReload;
use oauth_runtime::testing::{Fault, Verb};
use oauth_runtime::{Builder, Client, Clock, OAuthService};
use oauth_tests::{Answer, Browser, Changes, SECRET, Server, builder, free_port, serve_service, start, watched};
use serde_json::{Value, json};

fn admin(_: &str) -> Option<Value> {
    Some(json!({ "role": "admin" }))
}

fn with_reload(builder: Builder) -> Builder<WithReload> {
    builder.reload_blocking(admin)
}

/// A server on a clock that is set by hand.
fn timed(change: impl FnOnce(Builder<WithReload>) -> Builder<WithReload>) -> (Server, Clock) {
    let clock = Clock::by_hand();
    let server = start(|builder| change(with_reload(builder).clock(clock.clone())));
    (server, clock)
}

fn text(json: &Value, name: &str) -> String {
    json[name].as_str().unwrap_or_else(|| panic!("no {name}: {json}")).to_owned()
}

fn refused(answer: &Answer, error: &str) {
    assert_eq!((answer.status, &answer.json()["error"]), (400, &json!(error)), "{answer:?}");
    assert_eq!(answer.header("cache-control"), "no-store");
}

async fn good(answer: Answer) -> (String, String) {
    assert_eq!(answer.status, 200, "{answer:?}");
    (text(&answer.json(), "access_token"), text(&answer.json(), "refresh_token"))
}

const GRACE: Duration = Duration::from_secs(10);
const DAY: Duration = Duration::from_secs(24 * 3600);

#[tokio::test]
async fn c18_c23_a_refresh_token_is_exchanged_for_the_next() {
    let server = start(with_reload);
    let browser = Browser::new(&server);
    let first = browser.issued(&[("scope", Some("notes:read"))]).await;
    let answer = browser.refresh(&text(&first, "refresh_token"), &[]).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"));
    let second = answer.json();
    assert_eq!(
        second,
        json!({
            "access_token": text(&second, "access_token"), "token_type": "Bearer", "expires_in": 3600,
            "refresh_token": text(&second, "refresh_token"), "scope": "notes:read",
        })
    );
    for name in ["access_token", "refresh_token"] {
        assert_ne!(first[name], second[name], "{name}");
    }
    // The one from before lives on until it expires: it is of the same grant.
    for issued in [&first, &second] {
        let me = browser.call("/me", issued["access_token"].as_str()).await.json();
        assert_eq!(
            (&me["sub"], &me["scope"], &me["client_id"]),
            (&json!("admin"), &json!("notes:read"), &json!("demo"))
        );
    }
    good(browser.refresh(&text(&second, "refresh_token"), &[]).await).await;
}

#[tokio::test]
async fn c23_claims_that_make_no_token_cost_a_client_nothing() {
    let size = Arc::new(AtomicUsize::new(0));
    let reloaded = Arc::clone(&size);
    let clock = Clock::by_hand();
    let server = start(|builder| {
        let reload = move |_: &str| Some(json!({ "list": "x".repeat(reloaded.load(Ordering::SeqCst)) }));
        builder.reload_blocking(reload).clock(clock.clone())
    });
    let browser = Browser::new(&server);
    let refresh = text(&browser.issued(&[]).await, "refresh_token");
    for bytes in [8 * 1024, 5_800, 100_000] {
        size.store(bytes, Ordering::SeqCst);
        let answer = browser.refresh(&refresh, &[]).await;
        assert_eq!((answer.status, &answer.json()["error"]), (500, &json!("server_error")), "{bytes}: {answer:?}");
        clock.advance(GRACE * 2);
    }
    // Once they are mended, the client goes on with what it holds, however long that took.
    size.store(5_000, Ordering::SeqCst);
    let (access, next) = good(browser.refresh(&refresh, &[]).await).await;
    assert_eq!(browser.call("/me", Some(&access)).await.status, 200);
    good(browser.refresh(&next, &[]).await).await;
}

#[tokio::test]
async fn c23_reuse_ends_the_family_and_its_access_tokens() {
    let (server, clock) = timed(|builder| builder);
    let browser = Browser::new(&server);
    let first = browser.issued(&[]).await;
    let (r0, a0) = (text(&first, "refresh_token"), text(&first, "access_token"));
    let (a1, r1) = good(browser.refresh(&r0, &[]).await).await;
    clock.advance(GRACE);
    for token in [&a0, &a1] {
        assert_eq!(browser.call("/me", Some(token)).await.status, 200);
    }
    refused(&browser.refresh(&r0, &[]).await, "invalid_grant");
    for token in [&a0, &a1] {
        let dead = browser.call("/me", Some(token)).await;
        assert_eq!((dead.status, dead.challenge()["error"].as_str()), (401, "invalid_token"));
    }
    refused(&browser.refresh(&r1, &[]).await, "invalid_grant");
    // Another sign-in of the same user is another family.
    let other = browser.issued(&[]).await;
    good(browser.refresh(&text(&other, "refresh_token"), &[]).await).await;
}

#[tokio::test]
async fn c23_two_tabs_get_the_same_generation_within_the_grace() {
    let (server, clock) = timed(|builder| builder);
    let browser = Browser::new(&server);
    let r0 = text(&browser.issued(&[]).await, "refresh_token");
    let (_, left) = good(browser.refresh(&r0, &[]).await).await;
    clock.advance(GRACE - Duration::from_secs(1));
    let (_, right) = good(browser.refresh(&r0, &[]).await).await;
    // Either goes on, and the other is its equal: the grace of this generation begins with its first use.
    clock.advance(DAY);
    let (_, next) = good(browser.refresh(&left, &[]).await).await;
    let (access, _) = good(browser.refresh(&right, &[]).await).await;
    // The grace is for the predecessor alone.
    refused(&browser.refresh(&r0, &[]).await, "invalid_grant");
    refused(&browser.refresh(&next, &[]).await, "invalid_grant");
    assert_eq!(browser.call("/me", Some(&access)).await.status, 401);
}

#[tokio::test]
async fn c24_a_family_ends_when_idle_and_at_its_age() {
    let (server, clock) = timed(|builder| builder);
    let browser = Browser::new(&server);
    let idle = text(&browser.issued(&[]).await, "refresh_token");
    clock.advance(14 * DAY - Duration::from_secs(1));
    let (_, idle) = good(browser.refresh(&idle, &[]).await).await;
    clock.advance(14 * DAY);
    refused(&browser.refresh(&idle, &[]).await, "invalid_grant");

    let mut token = text(&browser.issued(&[]).await, "refresh_token");
    for _ in 0..9 {
        clock.advance(9 * DAY);
        (_, token) = good(browser.refresh(&token, &[]).await).await;
    }
    clock.advance(9 * DAY - Duration::from_secs(1));
    (_, token) = good(browser.refresh(&token, &[]).await).await;
    clock.advance(Duration::from_secs(1));
    let answer = browser.refresh(&token, &[]).await;
    refused(&answer, "invalid_grant");
    assert!(answer.json()["error_description"].as_str().is_some_and(|text| text.contains("too old")));

    let (server, clock) = timed(|builder| {
        let builder = builder.access_token_lifetime(Duration::from_secs(60));
        builder.refresh_token_idle(Duration::from_secs(60)).refresh_token_lifetime(Duration::from_secs(100))
    });
    let browser = Browser::new(&server);
    let token = text(&browser.issued(&[]).await, "refresh_token");
    clock.advance(Duration::from_secs(59));
    let (_, token) = good(browser.refresh(&token, &[]).await).await;
    // In the first second of a store what is issued is dated to the next.
    clock.advance(Duration::from_secs(42));
    refused(&browser.refresh(&token, &[]).await, "invalid_grant");
}

#[tokio::test]
async fn c24_a_scope_shrinks_and_never_grows() {
    let server = start(with_reload);
    let browser = Browser::new(&server);
    let granted = browser.issued(&[("scope", Some("notes:read notes:write"))]).await;
    let mut token = text(&granted, "refresh_token");
    for (asked, got) in [
        (Some("notes:read"), "notes:read"),
        // RFC 6749 §6: the new refresh token has the scope of the old one
        (None, "notes:read notes:write"),
        (Some("notes:write notes:read"), "notes:read notes:write"),
    ] {
        let answer = browser.refresh(&token, &[("scope", asked)]).await;
        assert_eq!(answer.json()["scope"], got, "{answer:?}");
        let me = browser.call("/me", answer.json()["access_token"].as_str()).await.json();
        assert_eq!(me["scope"], got);
        token = text(&answer.json(), "refresh_token");
    }
    let small = text(&browser.issued(&[("scope", Some("notes:read"))]).await, "refresh_token");
    for asked in ["notes:write", "notes:read notes:write", "none", "notes:\"read\""] {
        refused(&browser.refresh(&small, &[("scope", Some(asked))]).await, "invalid_scope");
    }
    good(browser.refresh(&small, &[]).await).await;
}

/// Clients repeat their scope at each refresh (angular-oauth2-oidc, oidc-agent), also what this server does not know.
#[tokio::test]
async fn c24_what_was_left_out_at_first_is_left_out_at_a_refresh() {
    let server = start(with_reload);
    let browser = Browser::new(&server);
    let asked = ("scope", Some("notes:read offline_access other"));
    let issued = browser.issued(&[asked]).await;
    assert_eq!(issued["scope"], "notes:read");
    let (_, token) = good(browser.refresh(&text(&issued, "refresh_token"), &[asked]).await).await;
    let answer = browser.refresh(&token, &[asked]).await;
    assert_eq!((answer.status, &answer.json()["scope"]), (200, &json!("notes:read")), "{answer:?}");
    // What it knows and did not grant is an error, also beside what it does not know.
    for more in ["notes:read notes:write other", "other"] {
        refused(
            &browser.refresh(&text(&answer.json(), "refresh_token"), &[("scope", Some(more))]).await,
            "invalid_scope",
        );
    }
}

#[tokio::test]
async fn c24_bound_to_its_client() {
    let server = start(with_reload);
    let browser = Browser::new(&server);
    let token = text(&browser.issued(&[]).await, "refresh_token");
    refused(&browser.refresh(&token, &[("client_id", Some("other"))]).await, "invalid_grant");
    refused(&browser.refresh(&token, &[("client_id", Some("nobody"))]).await, "invalid_client");
    good(browser.refresh(&token, &[]).await).await;
}

#[tokio::test]
async fn c15_nothing_else_is_a_refresh_token_and_it_is_nothing_else() {
    let server = start(with_reload);
    let browser = Browser::new(&server);
    let issued = browser.issued(&[]).await;
    let (code, form) = (browser.code().await, browser.authorize(&[]).await.form());
    let refresh = text(&issued, "refresh_token");
    for other in [&code, &form, &text(&issued, "access_token"), &refresh[..refresh.len() - 1].to_owned()] {
        refused(&browser.refresh(other, &[]).await, "invalid_grant");
    }
    refused(&browser.redeem(&refresh, &[]).await, "invalid_grant");
    assert_eq!(browser.call("/me", Some(&refresh)).await.status, 401);
    assert_eq!(browser.login(&refresh, "admin", "admin123").await.status, 400);
    good(browser.refresh(&refresh, &[]).await).await;
}

/// What `reload` shall do next.
#[derive(Default)]
struct Reloading(AtomicUsize);

impl Reloading {
    async fn answer(&self, subject: &str) -> Result<Option<Value>, &'static str> {
        match self.0.load(Ordering::SeqCst) {
            0 => Ok(Some(json!({ "role": "admin" }))),
            1 => Ok(Some(json!({ "role": "user", "sub": subject }))),
            2 => Ok(None),
            3 => Err("the database is away"),
            4 => panic!("reload"),
            5 => std::future::pending().await,
            6 => Ok(Some(json!({ "sub": "someone else" }))),
            7 => Ok(Some(json!({ "exp": 1 }))),
            _ => Ok(Some(json!("no object"))),
        }
    }
}

fn reloading() -> (Server, Arc<Reloading>) {
    let reloading = Arc::new(Reloading::default());
    let asked = Arc::clone(&reloading);
    let server = start(|builder| {
        builder
            .authenticate_timeout(Duration::from_millis(300))
            .reload(async move |subject: &str| asked.answer(subject).await)
    });
    (server, reloading)
}

#[tokio::test]
async fn a_role_that_was_taken_away_is_gone_and_a_user_who_was_dismissed_is_out() {
    let (server, reloading) = reloading();
    let browser = Browser::new(&server);
    let issued = browser.issued(&[]).await;
    let (access, refresh) = good(browser.refresh(&text(&issued, "refresh_token"), &[]).await).await;
    assert_eq!(browser.call("/admin", Some(&access)).await.status, 200);

    reloading.0.store(1, Ordering::SeqCst);
    let (access, refresh) = good(browser.refresh(&refresh, &[]).await).await;
    assert_eq!(browser.call("/admin", Some(&access)).await.status, 403);
    assert_eq!(browser.call("/me", Some(&access)).await.json()["sub"], "admin");

    reloading.0.store(2, Ordering::SeqCst);
    refused(&browser.refresh(&refresh, &[]).await, "invalid_grant");
    assert_eq!(browser.call("/me", Some(&access)).await.status, 401, "the grant has ended");
    reloading.0.store(0, Ordering::SeqCst);
    refused(&browser.refresh(&refresh, &[]).await, "invalid_grant");
}

#[tokio::test]
async fn a_reload_that_fails_loses_nothing() {
    let (server, reloading) = reloading();
    let browser = Browser::new(&server);
    let issued = browser.issued(&[]).await;
    let refresh = text(&issued, "refresh_token");
    for (failure, status, error) in [
        (3, 503, "temporarily_unavailable"),
        (4, 503, "temporarily_unavailable"),
        (5, 503, "temporarily_unavailable"),
        (6, 500, "server_error"),
        (7, 500, "server_error"),
        (8, 500, "server_error"),
    ] {
        reloading.0.store(failure, Ordering::SeqCst);
        let answer = browser.refresh(&refresh, &[]).await;
        assert_eq!((answer.status, &answer.json()["error"]), (status, &json!(error)), "{failure}: {answer:?}");
        assert_eq!(answer.header("retry-after"), if status == 503 { "1" } else { "" });
        assert!(!answer.body.contains("database"), "no hint: {answer:?}");
        assert_eq!(browser.call("/me", issued["access_token"].as_str()).await.status, 200, "{failure}");
    }
    reloading.0.store(0, Ordering::SeqCst);
    good(browser.refresh(&refresh, &[]).await).await;
}

/// A server with its service, so that a test can speak to it from outside.
fn with_service(change: impl FnOnce(Builder<WithReload>) -> Builder<WithReload>) -> (Server, OAuthService) {
    let (listener, base) = free_port();
    let oauth = change(with_reload(builder(&base))).build().unwrap();
    (serve_service(listener, &oauth), oauth)
}

#[tokio::test]
async fn c11_c23_a_sign_out_ends_all_that_a_user_holds() {
    let clock = Clock::by_hand();
    let (server, oauth) = with_service(|builder| builder.clock(clock.clone()));
    let browser = Browser::new(&server);
    let other = Browser::new(&server).token_for("user").await;
    let (issued, code) = (browser.issued(&[]).await, browser.code().await);
    clock.advance(Duration::from_secs(5));
    let refreshed = good(browser.refresh(&text(&issued, "refresh_token"), &[]).await).await;
    oauth.sign_out("admin").await.unwrap();
    for token in [&text(&issued, "access_token"), &refreshed.0] {
        let dead = browser.call("/me", Some(token)).await;
        assert_eq!((dead.status, dead.challenge()["error"].as_str()), (401, "invalid_token"));
    }
    refused(&browser.refresh(&refreshed.1, &[]).await, "invalid_grant");
    refused(&browser.redeem(&code, &[]).await, "invalid_grant");
    assert_eq!(browser.call("/me", Some(&other)).await.status, 200, "others are not touched");
    clock.advance(Duration::from_secs(1));
    let again = browser.issued(&[]).await;
    assert_eq!(browser.call("/me", again["access_token"].as_str()).await.status, 200);
    // As long as an earlier refresh token could come back.
    clock.advance(14 * DAY - Duration::from_secs(2));
    refused(&browser.refresh(&refreshed.1, &[]).await, "invalid_grant");
    good(browser.refresh(&text(&again, "refresh_token"), &[]).await).await;
}

#[tokio::test]
async fn c11_a_code_that_is_replayed_ends_the_family() {
    let server = start(with_reload);
    let browser = Browser::new(&server);
    let code = browser.code().await;
    let issued = browser.redeem(&code, &[]).await.json();
    refused(&browser.redeem(&code, &[]).await, "invalid_grant");
    refused(&browser.refresh(&text(&issued, "refresh_token"), &[]).await, "invalid_grant");
    assert_eq!(browser.call("/me", issued["access_token"].as_str()).await.status, 401);
}

#[tokio::test]
async fn c23_after_a_restart_a_family_is_dead() {
    const NAME: &str = "http://127.0.0.1:9";
    let clock = Clock::by_hand();
    let begin = || start(|builder| with_reload(builder).issuer(NAME).clock(clock.clone()));
    let before = begin();
    let token = text(&Browser::new(&before).issued(&[]).await, "refresh_token");
    drop(before);
    clock.advance(Duration::from_secs(5));
    let after = begin();
    refused(&Browser::new(&after).refresh(&token, &[]).await, "invalid_grant");
}

#[tokio::test]
async fn c15_a_family_outlives_a_change_of_the_secret() {
    const NAME: &str = "http://127.0.0.1:9";
    const NEW: &str = oauth_tests::NEW_SECRET;
    let store = watched(Clock::system());
    let shared = |change: fn(Builder<WithReload>) -> Builder<WithReload>| {
        let store = store.clone();
        start(move |builder| change(with_reload(builder).issuer(NAME).store(store)))
    };
    let before = shared(|builder| builder);
    let during = shared(|builder| builder.secret(NEW).previous_secret(SECRET));
    let after = shared(|builder| builder.secret(NEW));
    let [before, during, after] = [&before, &during, &after].map(Browser::new);
    let token = text(&before.issued(&[]).await, "refresh_token");
    refused(&after.refresh(&token, &[]).await, "invalid_grant");
    let (_, token) = good(during.refresh(&token, &[]).await).await;
    refused(&before.refresh(&token, &[]).await, "invalid_grant");
    good(after.refresh(&token, &[]).await).await;
}

#[tokio::test]
async fn c24_a_lifetime_that_was_shortened_counts_for_what_was_issued_before() {
    const NAME: &str = "http://127.0.0.1:9";
    let clock = Clock::by_hand();
    let store = watched(clock.clone());
    let shared = |change: fn(Builder<WithReload>) -> Builder<WithReload>| {
        let (store, clock) = (store.clone(), clock.clone());
        start(move |builder| change(with_reload(builder).issuer(NAME).clock(clock).store(store)))
    };
    let long = shared(|builder| builder);
    const MINUTE: Duration = Duration::from_secs(60);
    let idle = shared(|builder| builder.access_token_lifetime(MINUTE).refresh_token_idle(MINUTE));
    let age = shared(|builder| builder.access_token_lifetime(MINUTE).refresh_token_lifetime(MINUTE));
    let [long, idle, age] = [&long, &idle, &age].map(Browser::new);
    let mut token = text(&long.issued(&[]).await, "refresh_token");
    for browser in [&idle, &age, &long] {
        (_, token) = good(browser.refresh(&token, &[]).await).await;
    }
    clock.advance(Duration::from_secs(61));
    for browser in [&idle, &age] {
        refused(&browser.refresh(&token, &[]).await, "invalid_grant");
    }
    (_, token) = good(long.refresh(&token, &[]).await).await;
    refused(&age.refresh(&token, &[]).await, "invalid_grant");
    good(idle.refresh(&token, &[]).await).await;
}

#[tokio::test]
async fn who_gets_a_refresh_token() {
    let offline = |builder: Builder| with_reload(builder).scope("offline_access", "Stay signed in");
    let spare = |builder: Builder| {
        with_reload(builder)
            .client(Client::public("spare").redirect_uri("http://127.0.0.1/callback").without_refresh_tokens())
    };
    let table: [(Server, Changes<'_>, bool); 6] = [
        (start(|builder| builder), &[], false),
        (start(with_reload), &[], true),
        (start(|builder| with_reload(builder).refresh_tokens(false)), &[], false),
        (start(offline), &[("scope", Some("notes:read"))], false),
        (start(offline), &[("scope", Some("offline_access"))], true),
        (start(spare), &[("client_id", Some("spare"))], false),
    ];
    for (number, (server, changes, has)) in table.iter().enumerate() {
        let browser = Browser::new(server);
        let redirect = browser.sign_in(changes, "admin", "admin123").await.redirect();
        let client = changes.iter().filter(|(name, _)| *name == "client_id").copied().collect::<Vec<_>>();
        let answer = browser.redeem(&redirect["code"], &client).await;
        assert_eq!((answer.status, answer.json().get("refresh_token").is_some()), (200, *has), "{number}: {answer:?}");
        let metadata = browser.call("/.well-known/oauth-authorization-server", None).await.json();
        let grants = metadata["grant_types_supported"].as_array().unwrap();
        assert_eq!(grants.contains(&json!("refresh_token")), ![0, 2].contains(&number), "{metadata}");
        if [0, 2].contains(&number) {
            refused(&browser.refresh("x", &[]).await, "unsupported_grant_type");
        }
    }
}

#[tokio::test]
async fn c23_a_store_that_fails_at_any_step_loses_nothing() {
    let clock = Clock::by_hand();
    let store = watched(clock.clone());
    let broken = store.clone();
    let server = start(|builder| with_reload(builder).clock(clock).store(store));
    let browser = Browser::new(&server);
    let (code, issued) = (browser.code().await, browser.issued(&[]).await);
    let mut refresh = text(&issued, "refresh_token");
    let unavailable = |answer: &Answer| {
        assert_eq!((answer.status, answer.header("retry-after")), (503, "1"), "{answer:?}");
        assert_eq!(answer.json()["error"], "temporarily_unavailable");
    };
    for fault in [Fault::Unavailable, Fault::AnswerLost] {
        for verb in [Verb::Read, Verb::Swap] {
            broken.fail(&[verb], fault);
            unavailable(&browser.refresh(&refresh, &[]).await);
            broken.repair();
            // Where the family had moved on before the answer was lost, the grace takes the same token again.
            (_, refresh) = good(browser.refresh(&refresh, &[]).await).await;
        }
    }
    for verb in [Verb::Read, Verb::Swap] {
        broken.fail(&[verb], Fault::Unavailable);
        unavailable(&browser.redeem(&code, &[]).await);
        broken.repair();
    }
    good(browser.redeem(&code, &[]).await).await;
    assert_eq!(browser.call("/me", issued["access_token"].as_str()).await.status, 200);
}
