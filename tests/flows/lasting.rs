//! Lasting access: refresh tokens are a part of what is offered, allowed and remembered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use oauth_runtime::{Builder, Client, Granting};
use oauth_tests::{Browser, start};
use serde_json::Value;

use crate::ceilings::{InTurn, moved, partner, with_partner};

/// Redeems what an authorization answered.
async fn redeemed(browser: &Browser, answer: &oauth_tests::Answer) -> Value {
    browser.redeem(&answer.redirect()["code"], &partner(&[])).await.json()
}

fn lasts(issued: &Value) -> bool {
    assert!(issued.get("access_token").is_some(), "{issued}");
    issued.get("refresh_token").is_some()
}

const WORDS: &str = "Keep this access while you are away";

#[tokio::test]
async fn c40_lasting_access_that_was_not_allowed_is_asked_for() {
    let turns = InTurn::new();
    let before = turns.serve(|builder| with_partner(builder, Client::without_refresh_tokens));
    let after = turns.serve(|builder| with_partner(builder, |client| client));
    let browser = Browser::new(&before);
    let there = moved(&browser, &after);
    let asked = partner(&[("scope", Some("openid"))]);
    let silent = partner(&[("scope", Some("openid")), ("prompt", Some("none"))]);

    let page = browser.sign_in(&asked, "admin", "admin123").await;
    assert!(page.status == 200 && !page.body.contains(WORDS), "{page:?}");
    assert!(!lasts(&redeemed(&browser, &browser.consent(&page.form(), "allow").await).await));
    assert!(browser.authorize(&silent).await.redirect().contains_key("code"), "it is remembered");

    // It is to last now: that is more.
    assert_eq!(there.authorize(&silent).await.redirect()["error"], "consent_required");
    let page = there.authorize(&asked).await;
    assert!(page.status == 200 && page.body.contains(WORDS), "{page:?}");
    assert!(lasts(&redeemed(&there, &there.consent(&page.form(), "allow").await).await));
    for browser in [&there, &browser] {
        assert!(browser.authorize(&silent).await.redirect().contains_key("code"), "more than this was allowed");
    }
}

#[tokio::test]
async fn c43_a_page_or_code_of_before_gives_no_lasting_access() {
    let turns = InTurn::new();
    let before = turns.serve(|builder| with_partner(builder, Client::without_refresh_tokens));
    let after = turns.serve(|builder| with_partner(builder, |client| client));
    let browser = Browser::new(&before);
    let there = moved(&browser, &after);
    let asked = partner(&[("scope", Some("openid"))]);
    // The sign-in form, the consent page, and the code.
    let form = browser.authorize(&asked).await.form();
    let page = there.login(&form, "admin", "admin123").await;
    assert!(!page.body.contains(WORDS), "{page:?}");
    assert!(!lasts(&redeemed(&there, &there.consent(&page.form(), "allow").await).await));
    for is_code in [false, true] {
        let again = partner(&[("scope", Some("openid")), ("prompt", Some("consent"))]);
        let page = browser.authorize(&again).await;
        let allowed = if is_code { &browser } else { &there }.consent(&page.form(), "allow").await;
        assert!(!lasts(&redeemed(&there, &allowed).await), "{is_code}");
    }
}

#[tokio::test]
async fn c43_lasting_access_that_was_taken_from_a_client_is_gone_at_the_next_use() {
    let turns = InTurn::new();
    let serve = |scopes: &'static str| {
        turns.serve(|builder: Builder| {
            let builder = builder.scope("offline_access", "Stay signed in");
            with_partner(builder, |client| client.allow_scopes(scopes))
        })
    };
    let (before, after) = (serve("notes:read offline_access"), serve("notes:read"));
    let browser = Browser::new(&before);
    let there = moved(&browser, &after);
    let asked = partner(&[("scope", Some("notes:read offline_access"))]);
    let page = browser.sign_in(&asked, "admin", "admin123").await;
    let held = redeemed(&browser, &browser.consent(&page.form(), "allow").await).await;
    let refresh = held["refresh_token"].as_str().unwrap();
    let id = ("client_id", Some("partner"));
    for changes in [&[id][..], &[id, ("scope", Some("notes:read"))]] {
        let refused = there.refresh(refresh, changes).await;
        assert_eq!((refused.status, &refused.json()["error"]), (400, &"unauthorized_client".into()), "{refused:?}");
    }
    // A code that is on its way gives what is left.
    let code = browser.authorize(&asked).await;
    assert!(!lasts(&redeemed(&there, &code).await));
    assert_eq!(browser.refresh(refresh, &[id]).await.status, 200, "nothing was spent");
}

#[tokio::test]
async fn c43_lasting_access_that_was_taken_from_a_user_is_gone_at_the_next_use() {
    let may_last = Arc::new(AtomicBool::new(true));
    let rule = Arc::clone(&may_last);
    let server = start(move |builder| {
        let builder = builder.scope("offline_access", "Stay signed in");
        with_partner(builder, |client| client.allow_scopes("notes:read offline_access"))
            .narrow_scopes(move |_: &Granting<'_>, scope| scope != "offline_access" || rule.load(Ordering::SeqCst))
    });
    let browser = Browser::new(&server);
    let asked = partner(&[("scope", Some("notes:read offline_access"))]);
    let page = browser.sign_in(&asked, "admin", "admin123").await;
    let held = redeemed(&browser, &browser.consent(&page.form(), "allow").await).await;
    let refresh = held["refresh_token"].as_str().unwrap();
    let id = ("client_id", Some("partner"));
    for is_allowed in [true, false] {
        may_last.store(is_allowed, Ordering::SeqCst);
        for changes in [&[id][..], &[id, ("scope", Some("notes:read"))]] {
            let answer = browser.refresh(refresh, changes).await;
            let expected = if is_allowed { (200, &Value::Null) } else { (400, &"invalid_grant".into()) };
            assert_eq!((answer.status, &answer.json()["error"]), expected, "{changes:?} {answer:?}");
        }
    }
}
