//! What is logged: each decision, and nothing that would let a reader of the log in.
#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use oauth_runtime::Clock;
use oauth_tests::{Browser, CHALLENGE, SECRET, VERIFIER, start};
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

/// A log in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Log;

    fn make_writer(&'a self) -> Log {
        self.clone()
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

#[tokio::test]
async fn no_secret_is_logged_and_every_decision_is() {
    let log = Log::default();
    tracing_subscriber::fmt().with_env_filter("oauth=trace").with_ansi(false).with_writer(log.clone()).init();

    let clock = Clock::by_hand();
    let server = start(|builder| {
        builder.clock(clock.clone()).authenticate(async |login: oauth_runtime::Login| match login.username.as_str() {
            "broken" => Err("the database is away"),
            "demo" => Ok(Some(json!({ "claim": "the claims themselves" }))),
            "reserved" => Ok(Some(json!({ "exp": "the claims themselves" }))),
            _ => Ok(oauth_tests::users(&login)),
        })
    });
    let browser = Browser::new(&server);
    let mut secret: Vec<String> = [SECRET, VERIFIER, CHALLENGE, "admin123", "wrong-password", "another-state"]
        .map(str::to_owned)
        .into_iter()
        .chain(["the claims themselves".to_owned(), "wrong.verifier".repeat(4)])
        .collect();

    let page = browser.authorize(&[("state", Some("another-state"))]).await;
    secret.push(page.form());
    let cookie = page.header("set-cookie").split(';').next().unwrap().split_once('=').unwrap().1.to_owned();
    secret.push(cookie);
    browser.login(&page.form(), "admin", "wrong-password").await;
    for name in ["broken", "demo", "reserved"] {
        assert!(browser.login(&page.form(), name, "wrong-password").await.status >= 500);
    }
    let signed_in = browser.login(&page.form(), "admin", "admin123").await;
    let cookie = signed_in.header("set-cookie").split(';').next().unwrap().split_once('=').unwrap().1.to_owned();
    secret.push(cookie);
    let code = signed_in.redirect()["code"].clone();
    browser.redeem(&code, &[("code_verifier", Some(&"wrong.verifier".repeat(4)))]).await;
    browser.redeem(&code, &[("client_id", Some("other"))]).await;
    let basic = browser.http.post(format!("{}/token", server.base)).basic_auth("demo", Some("wrong-password"));
    oauth_tests::Answer::to(basic.form(&[("grant_type", "authorization_code"), ("code", code.as_str())])).await;
    let token = browser.redeem(&code, &[]).await.json()["access_token"].as_str().unwrap().to_owned();
    for path in ["/me", "/admin", "/notes", "/shaped"] {
        browser.call(path, Some(&token)).await;
        browser.call(&format!("{path}?access_token={token}"), None).await;
        browser.call(path, Some(&format!("{token}x"))).await;
        browser.call(path, Some(&format!("\"{token}\""))).await;
    }
    assert_eq!(browser.redeem(&code, &[]).await.status, 400);
    assert_eq!(browser.call("/me", Some(&token)).await.status, 401);
    for attempt in 0..12 {
        let name = "user";
        let form = browser.authorize(&[]).await.form();
        let status = browser.login(&form, name, "wrong-password").await.status;
        assert_eq!(status, if attempt == 11 { 429 } else { 401 }, "{attempt}");
        secret.push(form);
    }
    browser.post("/login", "request=wrong-password&password=admin123").await;
    browser.authorize(&[("client_id", Some("wrong-password"))]).await;
    browser.authorize(&[("redirect_uri", Some("https://evil.example/wrong-password"))]).await;
    clock.advance(Duration::from_secs(7200));
    browser.call("/me", Some(&token)).await;
    browser.redeem(&code, &[]).await;
    browser.login(&page.form(), "admin", "admin123").await;
    secret.push(code.clone());
    secret.push(token.clone());
    // The parts of a token too: each says as much.
    secret.extend(token.split('.').map(str::to_owned));

    let log = log.text();
    for decision in [
        "authorization code issued",
        "access token issued",
        "a code was replayed",
        "request refused",
        "token request refused",
        "authorization request refused with a page",
        "sign-in refused with a page",
        "wrong name or password",
        "too many attempts",
        "authenticate gave no answer",
        "VerifierMismatch",
        "TokenExpired",
        "CodeExpired",
        "CodeOfAnotherClient",
        "FormForged",
        "TokenRevoked",
        "ClaimsUnusable",
    ] {
        assert!(log.contains(decision), "{decision} is not in the log:\n{log}");
    }
    for secret in &secret {
        assert!(secret.len() > 7 && !log.contains(secret.as_str()), "{secret} is in the log:\n{log}");
    }
}
