//! How long requests and answers get, and that nginx with the configuration of the page lets the longest pass.

use oauth_runtime::client_address::x_forwarded_for;
use oauth_runtime::{Client, Login, OAuthService};
use oauth_tests::{Answer, Browser, PATIENCE, SECRET, pages};
use serde_json::{Value, json};

use crate::site::{ISSUER, behind, behind_nginx, browser as browser_of};

/// As most libraries make them: 32 random bytes.
const STATE: &str = "b3JkaW5hcnkgc3RhdGUgb2YgMzIgYnl0ZXMuLi4uLi4";

/// `ada` with a little, and who has as much as may be: as many bytes as the name says.
fn user(name: &str) -> Value {
    let more = name.parse().unwrap_or(0);
    json!({ "sub": name, "role": "admin", "more": "x".repeat(more) })
}

fn service() -> OAuthService {
    OAuthService::builder()
        .untyped_claims()
        .issuer(ISSUER)
        .secret(SECRET)
        .client_address(x_forwarded_for(1))
        .client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"))
        .scope("openid", "Know who you are")
        .authenticate_timeout(PATIENCE)
        .authenticate(async |login: Login| Some(user(&login.username)))
        .reload(async |subject: &str| Some(user(subject)))
        .build()
        .unwrap()
}

/// The bytes of an answer before its body.
fn head(answer: &Answer) -> usize {
    let line = "HTTP/1.1 200 OK\r\n\r\n".len();
    line + answer.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum::<usize>()
}

/// To the next fifty: a few bytes differ from run to run.
fn about(bytes: usize) -> String {
    format!("{} bytes", bytes.div_ceil(50) * 50)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_says_how_long_requests_and_answers_are() {
    let (_server, _proxy, browser) = behind_nginx(&service());
    let usual = [("scope", Some("openid")), ("state", Some(STATE)), ("nonce", Some(STATE))];
    let url = browser.authorize_url(&usual);
    let page = browser.authorize(&usual).await;
    let back = browser.login(&page.form(), "ada", "ada123").await;
    assert_eq!(back.status, 303, "{back:?}");
    let issued = browser.redeem(&back.redirect()["code"], &[]).await.json();
    let of = |name: &str| issued[name].as_str().unwrap().len();
    let sign_out = format!("{ISSUER}/logout?client_id=demo&state={STATE}&id_token_hint=").len() + of("id_token");
    let set = [&page, &back].map(|answer| answer.headers.get_all("set-cookie").iter().collect::<Vec<_>>()).concat();
    let cookies: Vec<&str> = set.iter().map(|line| line.to_str().unwrap().split(';').next().unwrap()).collect();
    let kept: usize = cookies.iter().filter(|cookie| !cookie.ends_with('=')).map(|cookie| cookie.len() + 2).sum();
    let rows = [
        ("the URL of an authorization request", about(url.len()), "a query of 8 KiB"),
        ("the URL of a sign-out, with an ID token", about(sign_out), "a query of 16 KiB"),
        ("the cookies that a browser sends after a sign-in", about(kept), "3.5 KiB each"),
        ("an access token, in `Authorization`", about(of("access_token")), "8 KiB"),
        ("the head of the sign-in page's answer", about(head(&page)), "4 KiB"),
        ("the head of the redirect with the code and cookies", about(head(&back)), "4 KiB"),
    ];
    let rows = rows.map(|(what, usual, most)| format!("| {what} | {usual} | {most} |\n")).concat();
    pages::hold("deployment", "sizes", &format!("| | Usual | At most |\n|---|---|---|\n{rows}"));
}

/// A URL whose query has as many bytes.
fn long(url: &str, query: usize) -> String {
    let (_, begun) = url.split_once('?').unwrap();
    format!("{url}&x={}", "x".repeat(query - begun.len() - "&x=".len()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_longest_requests_and_answers_pass_through_the_nginx_that_the_page_shows() {
    let shown = pages::shown("deployment", "nginx");
    let (_server, proxy, browser) = behind_nginx(&service());
    let authorize = browser.authorize_url(&[]);
    let logout = format!("{ISSUER}/logout?client_id=demo");
    let status = async |browser: &Browser, url: String| Answer::to(browser.http.get(url)).await;
    assert_eq!(status(&browser, long(&authorize, 8 * 1024)).await.status, 200, "{}", proxy.log());
    assert_eq!(status(&browser, long(&logout, 16 * 1024)).await.status, 200, "{}", proxy.log());
    // Beyond that it is the service that says no.
    let beyond = status(&browser, long(&authorize, 8 * 1024 + 1)).await;
    assert!(beyond.status == 400 && beyond.is_page(), "{beyond:?}");

    // A code, a state and cookies of all that may be: the largest head.
    let state = "s".repeat(1024);
    let mut longest = 0;
    for more in (600..1500).step_by(50) {
        let browser = browser_of(&proxy);
        let back = browser.sign_in(&[("state", Some(&state))], &more.to_string(), "x").await;
        assert_ne!(back.status, 502, "{}", proxy.log());
        if back.status == 303 && back.redirect().contains_key("code") {
            longest = longest.max(head(&back));
        }
    }
    assert!((3 * 1024..=4 * 1024).contains(&longest), "{longest}");

    // nginx by itself would not let the long requests pass.
    let plain = shown.replace("    large_client_header_buffers 4 20k;\n", "");
    assert_ne!(plain, shown);
    let (_server, _proxy, browser) = behind(&plain, &service());
    assert_eq!(status(&browser, long(&authorize, 8 * 1024)).await.status, 414);
    assert_eq!(status(&browser, long(&logout, 16 * 1024)).await.status, 414);
}
