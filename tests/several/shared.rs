//! What one process does holds at the other.

use std::time::Duration;

use oauth_tests::Browser;

use crate::{Node, Shared, two};

/// More than the lag within which an ending holds at another process's guards.
const LAG: Duration = Duration::from_millis(2_100);

/// The same browser, which nginx might send to either process.
fn at(browser: &Browser, other: &Browser) -> Browser {
    Browser { base: other.base.clone(), ..browser.clone() }
}

/// Any process serves any step, and an ending holds everywhere.
async fn tokens(one: &Browser, other: &Browser) {
    let form = one.authorize(&[]).await.form();
    let code = at(one, other).login(&form, "ada", "ada123").await.redirect()["code"].clone();
    let issued = one.redeem(&code, &[]).await.json();
    let (access, refresh) = (issued["access_token"].as_str().unwrap(), issued["refresh_token"].as_str().unwrap());
    for browser in [one, other] {
        assert_eq!(browser.call("/me", Some(access)).await.status, 200);
    }
    // At once where it came, within the lag at the other's guards, and at /token at once everywhere.
    assert_eq!(one.post("/revoke", format!("client_id=demo&token={refresh}")).await.status, 200);
    assert_eq!(one.call("/me", Some(access)).await.status, 401);
    assert_eq!(other.refresh(refresh, &[]).await.status, 400);
    tokio::time::sleep(LAG).await;
    assert_eq!(other.call("/me", Some(access)).await.status, 401);
}

/// A consent that was given at one is known at the other, and a session that ended there has ended.
async fn sessions(one: &Browser, other: &Browser) {
    let guest = [("client_id", Some("guest")), ("redirect_uri", Some("https://guest.example/cb"))];
    let silent = [&guest[..], &[("prompt", Some("none"))]].concat();
    let there = at(one, other);
    let page = one.sign_in(&guest, "bob", "bob123").await;
    assert_eq!(page.status, 200, "a third party asks: {page:?}");
    let allowed = there.consent(&page.form(), "allow").await.redirect()["code"].clone();
    assert!(one.authorize(&silent).await.redirect().contains_key("code"));
    let again = one.consent(&page.form(), "allow").await.redirect()["code"].clone();
    assert_eq!(other.redeem(&allowed, &guest).await.status, 200);
    assert_eq!(one.redeem(&again, &guest).await.json()["error"], "invalid_grant", "a repeat is of the same grant");
    let spent = one.consent(&page.form(), "allow").await;
    assert_eq!(spent.status, 400, "the form was sent at the other process: {spent:?}");

    let logout = format!("{}/logout", one.base);
    let page = one.http.get(&logout).send().await.unwrap().text().await.unwrap();
    let (_, rest) = page.split_once("name=\"request\" value=\"").unwrap();
    let form = [("request", rest.split('"').next().unwrap()), ("decision", "sign_out")];
    assert_eq!(one.http.post(&logout).form(&form).send().await.unwrap().status(), 200);
    assert_eq!(there.authorize(&silent).await.redirect()["error"], "login_required");
}

/// Guesses at one name count together.
async fn guesses(browsers: [&Browser; 2]) {
    let mut looked_at = 0;
    for attempt in 0..30 {
        let browser = browsers[attempt % 2];
        let form = browser.authorize(&[("prompt", Some("login"))]).await.form();
        match browser.login(&form, "mallory", "guess").await.status {
            401 => looked_at += 1,
            status => assert_eq!(status, 429),
        }
    }
    // Ten, and one for each delay that passed meanwhile: these double. Counted apart, each process would look at ten or more.
    assert!((10..20).contains(&looked_at), "{looked_at} guesses were looked at");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c42_c46_what_one_process_does_holds_at_the_other() {
    for shared in Shared::all() {
        let nodes = two(&shared.store());
        let [one, other] = [&nodes[0], &nodes[1]].map(Node::browser);
        tokens(&one, &other).await;
        sessions(&one, &other).await;
        guesses([&one, &other]).await;
    }
}
