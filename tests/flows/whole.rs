//! The whole flow, what a code is good for, and what outlives what.

use std::time::Duration;

use oauth_runtime::Clock;
use oauth_tests::{Browser, REDIRECT, start, watched};
use serde_json::json;

#[tokio::test]
async fn c05_c18_c34_the_whole_flow() {
    let server = start(|builder| builder);
    let browser = Browser::new(&server);
    let state = "a b&c=d%41+é\u{1F600}\"<>";
    let page = browser.authorize(&[("state", Some(state)), ("scope", Some("notes:read"))]).await;
    assert!(page.status == 200 && page.is_page(), "{page:?}");
    assert!(page.body.contains("demo") && page.body.contains("127.0.0.1:7777"), "c06: it says who asks, and for where");
    let wrong = browser.login(&page.form(), "admin", "nope").await;
    assert!(wrong.status == 401 && wrong.is_page() && wrong.body.contains("value=\"admin\""), "{wrong:?}");
    let unknown = browser.login(&page.form(), "nobody", "nope").await;
    let same = |body: &str| body.replace(&wrong.form(), "").replace(&unknown.form(), "").replace("nobody", "admin");
    assert_eq!((unknown.status, same(&unknown.body)), (401, same(&wrong.body)), "the same words");

    // The form that came back with the refusal is as good as the first.
    let back = browser.login(&wrong.form(), "admin", "admin123").await;
    assert!(back.header("location").starts_with(&format!("{REDIRECT}?code=")), "{back:?}");
    let redirect = back.redirect();
    assert_eq!((redirect["state"].as_str(), redirect["iss"].as_str()), (state, server.base.as_str()));

    let issued = browser.redeem(&redirect["code"], &[]).await;
    assert_eq!((issued.status, issued.header("cache-control")), (200, "no-store"));
    let token = issued.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(
        issued.json(),
        json!({ "access_token": token, "token_type": "Bearer", "expires_in": 3600, "scope": "notes:read" })
    );
    let me = browser.call("/me", Some(&token)).await.json();
    assert_eq!(me["claims"], json!({ "role": "admin", "permissions": ["read", "write", "delete"], "sub": "admin" }));
    assert_eq!((&me["sub"], &me["iss"], &me["aud"]), (&json!("admin"), &json!(server.base), &json!([server.base])));
    assert_eq!((&me["client_id"], &me["scope"], &me["lifetime"]), (&json!("demo"), &json!("notes:read"), &json!(3600)));
    for path in ["/admin", "/notes", "/stacked", "/open"] {
        assert_eq!(browser.call(path, Some(&token)).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn c34_c05_errors_carry_state_and_iss_too() {
    let server = start(|builder| builder);
    let state = "x&y=%zz é";
    let answer = Browser::new(&server).authorize(&[("scope", Some("none")), ("state", Some(state))]).await;
    let redirect = answer.redirect();
    assert_eq!((redirect["error"].as_str(), redirect["state"].as_str()), ("invalid_scope", state));
    assert_eq!(redirect["iss"], server.base);
    let without = Browser::new(&server).authorize(&[("scope", Some("none"))]).await.redirect();
    assert!(!without.contains_key("state"), "no state, none back");
}

#[tokio::test]
async fn c11_a_code_is_spent_once_and_a_valid_replay_revokes() {
    let server = start(|builder| builder);
    let browser = Browser::new(&server);
    let code = browser.code().await;
    let token = browser.redeem(&code, &[]).await.json()["access_token"].as_str().unwrap().to_owned();

    // Replays by an attacker who lacks the verifier, is another client, or was sent elsewhere: nothing happens.
    let other = "A".repeat(43);
    for change in [
        ("code_verifier", Some(other.as_str())),
        ("client_id", Some("other")),
        ("redirect_uri", Some("http://127.0.0.1:7778/callback")),
    ] {
        let answer = browser.redeem(&code, &[change]).await;
        assert_eq!((answer.status, &answer.json()["error"]), (400, &json!("invalid_grant")), "{change:?}");
        assert_eq!(browser.call("/me", Some(&token)).await.status, 200, "{change:?}");
    }
    let replay = browser.redeem(&code, &[]).await;
    assert_eq!((replay.status, &replay.json()["error"]), (400, &json!("invalid_grant")));
    let dead = browser.call("/me", Some(&token)).await;
    assert_eq!((dead.status, dead.challenge()["error"].as_str()), (401, "invalid_token"));
}

#[tokio::test]
async fn c10_c26_codes_and_tokens_expire() {
    let clock = Clock::by_hand();
    let server = start(|builder| builder.clock(clock.clone()));
    let browser = Browser::new(&server);
    let (early, late) = (browser.code().await, browser.code().await);
    clock.advance(Duration::from_secs(59));
    let token = browser.redeem(&early, &[]).await.json()["access_token"].as_str().unwrap().to_owned();
    clock.advance(Duration::from_secs(2));
    let refused = browser.redeem(&late, &[]).await;
    assert_eq!((refused.status, &refused.json()["error"]), (400, &json!("invalid_grant")));
    clock.advance(Duration::from_secs(3596));
    assert_eq!(browser.call("/me", Some(&token)).await.status, 200);
    clock.advance(Duration::from_secs(2));
    let expired = browser.call("/me", Some(&token)).await;
    assert_eq!((expired.status, expired.challenge()["error"].as_str()), (401, "invalid_token"));
    assert!(expired.challenge()["error_description"].contains("expired"));

    let form = browser.authorize(&[]).await.form();
    clock.advance(Duration::from_secs(3600));
    let old = browser.login(&form, "admin", "admin123").await;
    assert!(old.status == 400 && old.is_page() && old.body.contains("too old"), "{old:?}");
}

/// Both servers have this name, though they listen elsewhere.
const NAME: &str = "http://127.0.0.1:9";

#[tokio::test]
async fn c11_after_a_restart_what_was_handed_out_before_is_refused() {
    let clock = Clock::by_hand();
    let begin = || start(|builder| builder.issuer(NAME).clock(clock.clone()));
    let before = begin();
    let browser = Browser::new(&before);
    let (code, token) = (browser.code().await, browser.token().await);
    assert_eq!(browser.call("/me", Some(&token)).await.status, 200);
    clock.advance(Duration::from_secs(5));
    drop(before);

    let after = begin();
    let browser = Browser::new(&after);
    let refused = browser.redeem(&code, &[]).await;
    assert_eq!((refused.status, &refused.json()["error"]), (400, &json!("invalid_grant")));
    let refused = browser.call("/me", Some(&token)).await;
    assert_eq!((refused.status, refused.challenge()["error"].as_str()), (401, "invalid_token"));
    let token = browser.token().await;
    assert_eq!(browser.call("/me", Some(&token)).await.status, 200, "what is new is taken at once");
}

#[tokio::test]
async fn c15_a_previous_secret_is_taken_and_never_used() {
    const NEW: &str = oauth_tests::NEW_SECRET;
    let clock = Clock::system();
    let store = watched(clock);
    let with = |secret: &'static str, previous: Option<&'static str>| {
        let store = store.clone();
        start(move |builder| {
            let builder = builder.issuer(NAME).secret(secret).store(store);
            if let Some(previous) = previous { builder.previous_secret(previous) } else { builder }
        })
    };
    let (old, both, new) = (with(oauth_tests::SECRET, None), with(NEW, Some(oauth_tests::SECRET)), with(NEW, None));
    let [old, both, new] = [&old, &both, &new].map(Browser::new);
    let (code, token) = (old.code().await, old.token().await);
    assert_eq!(new.call("/me", Some(&token)).await.status, 401);
    assert_eq!(new.redeem(&code, &[]).await.status, 400);
    assert_eq!(both.call("/me", Some(&token)).await.status, 200);
    let redeemed = both.redeem(&code, &[]).await;
    assert_eq!(redeemed.status, 200);
    let token = redeemed.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(old.call("/me", Some(&token)).await.status, 401, "signed under the new secret");
    assert_eq!(new.call("/me", Some(&token)).await.status, 200);
}
