//! What a page of another site makes a browser send.

use std::time::Duration;

use oauth_runtime::states::WithReload;
use oauth_runtime::{Builder, Clock};
use oauth_tests::{Answer, Browser, changed, start};
use serde_json::json;

fn staying(builder: Builder) -> Builder<WithReload> {
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

/// Reloading a page sends what was posted once more. It leads back to where the client is registered, and no further.
#[tokio::test]
async fn c01_what_comes_back_too_late_leads_back_to_a_client_that_is_registered() {
    let clock = Clock::by_hand();
    let server = start(|builder| staying(builder).clock(clock.clone()));
    let browser = Browser::new(&server);
    let evil = [("redirect_uri", Some("https://evil.example/"))];
    let cases: [(&[_], bool); 3] =
        [(&[("state", Some("s"))], true), (&[("client_id", Some("nobody"))], false), (&evil, false)];
    for (changes, is_registered) in cases {
        let answer = browser.post_from_elsewhere("/authorize", request(&browser, changes)).await;
        clock.advance(Duration::from_secs(61));
        let late = browser.follow(&answer).await;
        assert!(late.status == 400 && late.is_page(), "{late:?}");
        let back = "href=\"https://other.example/cb?error=access_denied&#38;";
        assert_eq!(late.body.contains(back), is_registered, "{late:?}");
        assert_eq!(late.body.contains("<a "), is_registered, "{late:?}");
        assert!(!late.body.contains("state="), "another site may have made it up: {late:?}");
    }
    // Of a sealed one from a page for what is longer as well.
    let long = request(&browser, &[("state", Some(&"s".repeat(900))), ("ignored", Some(&"n".repeat(1600)))]);
    let page = browser.post_from_elsewhere("/authorize", long).await;
    clock.advance(Duration::from_secs(61));
    let late = browser.post("/authorize", changed(&[("posted_request", value(&page))], &[])).await;
    assert!(late.status == 400 && late.body.contains("href=\"https://other.example/cb?"), "{late:?}");
}

/// What is sealed in the page that takes something on.
fn value(page: &Answer) -> &str {
    let (_, value) = page.body.split_once("name=\"posted_request\" value=\"").unwrap_or_else(|| panic!("{page:?}"));
    value.split('"').next().unwrap()
}

/// The button of the page that takes something on says "Continue", and not what it would agree to.
#[tokio::test]
async fn c37_a_sign_out_that_another_site_posts_is_not_agreed_to_by_going_on() {
    let server = start(staying);
    let browser = Browser::new(&server);
    browser.sign_in(&[], "admin", "admin123").await;
    let form = browser.call("/logout", None).await.form();
    let padding = "p".repeat(4000);
    let fields = [("request", &*form), ("decision", "sign_out"), ("padding", &padding)];
    let page = browser.post_from_elsewhere("/logout", changed(&fields, &[])).await;
    assert!(page.status == 200 && page.is_page(), "{page:?}");
    let answer = browser.post("/logout", changed(&[("posted_request", value(&page))], &[])).await;
    assert!(answer.body.contains("Sign out?"), "{answer:?}");
    assert!(browser.post("/authorize", request(&browser, &[])).await.redirect().contains_key("code"), "signed in");
    assert!(browser.sign_out(&answer.form(), "sign_out").await.body.contains("You are signed out"));
}

/// What another site made the browser show may be of a request that is not this user's.
#[tokio::test]
async fn c05_the_way_back_from_another_browser_s_form_tells_no_state() {
    let server = start(staying);
    let browser = Browser::new(&server);
    let other = [("client_id", Some("other")), ("redirect_uri", Some("https://other.example/cb"))];
    let form = browser.authorize(&[&other[..], &[("state", Some("xyz"))]].concat()).await.form();
    let fields = [("request", &*form), ("username", "admin"), ("password", "admin123")];
    let post = |browser: &Browser, site: &str| {
        let request = browser.http.post(format!("{}/login", server.base)).header("sec-fetch-site", site);
        Answer::to(request.form(&fields))
    };
    let elsewhere = Browser::new(&server);
    elsewhere.authorize(&[]).await;
    let back = "href=\"https://other.example/cb?error=access_denied&#38;";
    for answer in [post(&elsewhere, "same-origin").await, post(&browser, "same-site").await] {
        assert!(answer.status == 403 && answer.body.contains(back), "{answer:?}");
        assert!(!answer.body.contains("xyz"), "{answer:?}");
    }
    post(&browser, "same-origin").await.redirect();
    browser.sign_in(&[], "user", "user123").await;
    let spent = post(&browser, "same-origin").await;
    assert!(spent.status == 400 && spent.body.contains(back) && spent.body.contains("state=xyz"), "{spent:?}");
}

#[tokio::test]
async fn c01_what_is_too_long_for_a_url_is_taken_on_by_a_page() {
    let server = start(staying);
    let browser = Browser::new(&server);
    browser.sign_in(&[], "admin", "admin123").await;
    let state = "s".repeat(900);
    let long = request(&browser, &[("state", Some(&state)), ("ignored", Some(&"x".repeat(1400)))]);
    let page = browser.post_from_elsewhere("/authorize", long).await;
    assert!(page.status == 200 && page.is_page(), "{page:?}");
    let policy = page.header("content-security-policy");
    assert!(policy.contains("form-action 'self' https://other.example;"), "the redirect that follows: {policy}");
    let field = [("posted_request", value(&page))];
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
