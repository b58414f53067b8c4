//! What a page of another site makes a browser send.

use std::time::Duration;

use oauth_runtime::{Builder, Clock};
use oauth_tests::{Answer, Browser, changed, start};
use serde_json::json;

fn staying(builder: Builder) -> Builder {
    builder.reload(async |subject: &str| Some(json!({ "sub": subject, "role": "admin" })))
}

/// The body of an authorization request that is good but for the changes.
fn request(browser: &Browser, changes: &[(&str, Option<&str>)]) -> String {
    let other = [("client_id", Some("other")), ("redirect_uri", Some("https://other.example/cb"))];
    let url = browser.authorize_url(&[&other[..], changes].concat());
    url.split_once('?').unwrap().1.to_owned()
}

#[tokio::test]
async fn c01_an_authorization_request_that_another_site_posts_is_decided_with_the_session() {
    let server = start(staying);
    let browser = Browser::new(&server);
    let silent = request(&browser, &[("prompt", Some("none")), ("state", Some("a b&c"))]);

    let answer = browser.post_from_elsewhere("/authorize", silent.clone()).await;
    assert!(answer.header("location").starts_with("/authorize?posted_request="), "{answer:?}");
    assert!(!answer.header("location").contains("other"), "the one parameter is sealed: {answer:?}");
    assert!(!answer.headers.contains_key("set-cookie"), "nothing is known of the browser: {answer:?}");
    let answer = browser.follow(&answer).await.redirect();
    assert_eq!(answer["error"], "login_required");

    browser.sign_in(&[], "admin", "admin123").await;
    let answer = browser.post_from_elsewhere("/authorize", silent.clone()).await;
    let answer = browser.follow(&answer).await.redirect();
    assert!(answer.contains_key("code") && answer["state"] == "a b&c", "{answer:?}");

    // Whatever a browser says but that it was a page of this origin.
    for (name, value) in
        [("sec-fetch-site", "same-site"), ("sec-fetch-site", "none"), ("origin", "null"), ("x", "no header at all")]
    {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let post = http.post(format!("{}/authorize", server.base)).header(name, value).body(silent.clone());
        let answer = Answer::to(post.header("content-type", "application/x-www-form-urlencoded")).await;
        assert!(browser.follow(&answer).await.redirect().contains_key("code"), "{name}: {value}");
    }
    // Its own page, with the cookie: decided at once.
    assert!(browser.post("/authorize", silent.clone()).await.redirect().contains_key("code"));
    let old = browser.http.post(format!("{}/authorize", server.base)).header("sec-fetch-site", "");
    let old = old.header("origin", &server.base).header("content-type", "application/x-www-form-urlencoded");
    assert!(Answer::to(old.body(silent)).await.header("location").contains("posted_request"), "an unknown word");
}

#[tokio::test]
async fn c01_what_was_posted_comes_back_within_a_minute_to_the_same_url() {
    let clock = Clock::by_hand();
    let server = start(|builder| staying(builder).clock(clock.clone()));
    let browser = Browser::new(&server);
    let answer = browser.post_from_elsewhere("/authorize", request(&browser, &[])).await;
    let sealed = answer.header("location").split_once('=').unwrap().1;
    assert!(browser.follow(&answer).await.body.contains("type=\"password\""));

    let elsewhere = browser.call(&format!("/logout?posted_request={sealed}"), None).await;
    assert!(elsewhere.status == 400 && elsewhere.is_page(), "{elsewhere:?}");
    let changed = browser.call(&format!("/authorize?posted_request={}", &sealed[..sealed.len() - 1]), None).await;
    assert!(changed.status == 400 && changed.is_page(), "{changed:?}");
    clock.advance(Duration::from_secs(60));
    let late = browser.follow(&answer).await;
    assert!(late.status == 400 && late.body.contains("too old"), "{late:?}");
}

#[tokio::test]
async fn c01_what_is_too_long_for_a_url_is_taken_on_by_a_page() {
    let server = start(staying);
    let browser = Browser::new(&server);
    browser.sign_in(&[], "admin", "admin123").await;
    let state = "s".repeat(2048);
    let long = request(&browser, &[("state", Some(&state)), ("login_hint", Some(&"h".repeat(200)))]);
    let page = browser.post_from_elsewhere("/authorize", long).await;
    assert!(page.status == 200 && page.is_page(), "{page:?}");
    let policy = page.header("content-security-policy");
    assert!(policy.contains("form-action 'self' https://other.example;"), "the redirect that follows: {policy}");
    let (_, value) = page.body.split_once("name=\"posted_request\" value=\"").unwrap();
    let field = [("posted_request", value.split('"').next().unwrap())];
    let answer = browser.post("/authorize", changed(&field, &[])).await.redirect();
    assert!(answer.contains_key("code") && answer["state"] == state, "{answer:?}");

    // More than a form of ours may have.
    let longest = browser.post_from_elsewhere("/authorize", format!("x={}", "y".repeat(15_000))).await;
    assert!(longest.status == 413 && longest.is_page(), "{longest:?}");
}

#[tokio::test]
async fn c37_a_page_of_another_site_signs_out_only_users_who_agree() {
    let server = start(staying);
    let browser = Browser::new(&server);
    let issued = browser.issued(&[]).await;
    let answer = browser.post_from_elsewhere("/logout", "state=1").await;
    assert!(!answer.headers.contains_key("set-cookie"), "the cookie stays: {answer:?}");
    let page = browser.follow(&answer).await;
    assert!(page.body.contains("Sign out?"), "{page:?}");
    assert!(browser.post("/authorize", request(&browser, &[])).await.redirect().contains_key("code"), "signed in");
    assert_eq!(browser.call("/me", issued["access_token"].as_str()).await.status, 200);
}

#[tokio::test]
async fn c41_our_forms_are_posted_by_our_pages_alone() {
    let server = start(|builder| {
        staying(builder)
            .client(oauth_runtime::Client::public("third").redirect_uri("https://third.example/cb").third_party())
    });
    let browser = Browser::new(&server);
    let sign_in = browser.authorize(&[]).await.form();
    let third = [("client_id", Some("third")), ("redirect_uri", Some("https://third.example/cb"))];
    let consent = browser.sign_in(&third, "admin", "admin123").await.form();
    let sign_out = browser.call("/logout", None).await.form();
    let post = async |path: &str, fields: &[(&str, &str)], name: &'static str, value: &str| {
        let request = browser.http.post(format!("{}{path}", server.base)).header("sec-fetch-site", "");
        // With the cookies, as a browser without `SameSite` would send them.
        Answer::to(request.header(name, value).form(fields)).await
    };
    let sign_in = [("request", &*sign_in), ("username", "admin"), ("password", "admin123")];
    let consent = [("request", &*consent), ("decision", "allow")];
    let cases: [(&str, &[(&str, &str)]); 2] = [("/login", &sign_in), ("/consent", &consent)];
    for (path, fields) in cases {
        for site in ["cross-site", "same-site", "none"] {
            let answer = post(path, fields, "sec-fetch-site", site).await;
            assert!(answer.status == 403 && answer.is_page(), "{path} {site}: {answer:?}");
        }
        assert_eq!(post(path, fields, "origin", "https://evil.example").await.status, 403, "{path}");
    }
    let fields = [("request", &*sign_out), ("decision", "sign_out")];
    let answer = post("/logout", &fields, "sec-fetch-site", "cross-site").await;
    assert!(browser.follow(&answer).await.body.contains("Sign out?"), "it is asked, not done");
    assert!(browser.post("/authorize", request(&browser, &[])).await.redirect().contains_key("code"), "signed in");
    assert_eq!(browser.sign_out(&sign_out, "sign_out").await.status, 200);
    assert_eq!(browser.post("/authorize", request(&browser, &[])).await.status, 200);
}
