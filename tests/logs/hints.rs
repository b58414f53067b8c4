//! What the log says where the reason of a refusal alone does not lead to the mistake: in the configuration, in the order of
//! the layers, in a function of the author's.

use std::time::Duration;

use actix_web::web;
use oauth_runtime::{Login, policy};
use oauth_tests::{Answer, Browser, SECRET, builder, free_port, serve, start, start_with, users};
use reqwest::Method;
use serde_json::json;

use crate::LOG;
use crate::issuers::lines;

#[tokio::test]
async fn c35_a_preflight_that_is_refused_is_told_from_a_request_without_a_token() {
    let _ = LOG.clone();
    let (listener, base) = free_port();
    let oauth = builder(&base).build().unwrap();
    let server = serve(listener, move |app| {
        let scope = web::scope("/wrapped").route("/preflight", web::get().to(|| async { "within" }));
        app.configure(oauth.routes()).service(scope.wrap(oauth.require(policy!(role = "preflight"))));
    });
    let browser = Browser::new(&server);
    let ask = |method| browser.http.request(method, format!("{base}/wrapped/preflight"));
    let count = || lines("this is a CORS preflight").lines().count();
    assert_eq!(Answer::to(ask(Method::GET)).await.status, 401);
    assert_eq!(Answer::to(ask(Method::OPTIONS)).await.status, 401);
    assert_eq!(count(), 0, "{}", lines("CORS"));
    let preflight = ask(Method::OPTIONS).header("origin", "https://spa.example");
    assert_eq!(Answer::to(preflight.header("access-control-request-method", "GET")).await.status, 401);
    assert_eq!(count(), 1);
    assert!(lines("this is a CORS preflight").contains(".wrap(oauth.require(..)).wrap(cors)"));
}

#[tokio::test]
async fn c26_both_audiences_are_told() {
    let _ = LOG.clone();
    let (one, other) = ("https://one-audience.example", "https://other-audience.example");
    let issuer = "http://127.0.0.1:9";
    let of = |audience| start(move |builder| builder.issuer(issuer).audience(audience));
    let (a, b) = (of(one), of(other));
    let token = Browser::new(&a).token().await;
    assert_eq!(Browser::new(&b).call("/me", Some(&token)).await.status, 401);
    let told = lines("reason=TokenAudience(Audiences { of_the_token: [\"https://one-audience.example\"]");
    assert!(told.contains(&format!("expected: {other:?}")) && told.contains("hint="), "{told}");
    assert!(!told.contains(&token), "{told}");
}

#[tokio::test]
async fn c26_a_token_of_another_secret_or_memory_is_told_with_its_cure() {
    let _ = LOG.clone();
    let issuer = "http://127.0.0.1:9";
    let of = |secret: &'static str| start(move |builder| builder.issuer(issuer).secret(secret));
    let (one, twin, other) = (of(SECRET), of(SECRET), of("UmFuZG9tIGJ5dGVzLCBhcyBtYW55IGFzIG5lZWRlZCE="));
    let token = Browser::new(&one).token().await;
    for (server, reason, hint) in [
        (&twin, "reason=TokenForgotten", "add .store(..), the same for all processes"),
        (&other, "reason=TokenSignature", "build the service once, outside the closure of HttpServer::new"),
    ] {
        let answer = Browser::new(server).call("/me", Some(&token)).await;
        assert_eq!((answer.status, answer.body.contains("store(")), (401, false), "{answer:?}");
        assert!(lines(reason).contains(hint), "{}", lines(reason));
    }
}

#[tokio::test]
async fn an_asynchronous_function_that_blocks_is_told_with_its_cure() {
    let _ = LOG.clone();
    let server = start(|builder| {
        builder.authenticate(async |login: Login| {
            std::thread::sleep(Duration::from_millis(60));
            users(&login)
        })
    });
    let browser = Browser::new(&server);
    browser.token().await;
    browser.token().await;
    let told = lines("authenticate did not give way");
    assert!(told.contains("WARN") && told.contains(".authenticate_blocking(..)"), "{told}");
    assert_eq!(told.lines().count(), 1, "not at each sign-in: {told}");
}

#[tokio::test]
async fn a_claim_that_reload_forgets_is_told_by_its_name() {
    let _ = LOG.clone();
    let server = start_with(
        |builder| {
            let signs_in = async |login: Login| {
                let sub = login.username;
                Some(json!({ "sub": sub, "forgotten_role": "chief", "kept_role": "chief" }))
            };
            builder.authenticate(signs_in).reload(async |_: &str| Some(json!({ "kept_role": "clerk" })))
        },
        |_| {},
    );
    let browser = Browser::new(&server);
    for _ in 0..2 {
        let issued = browser.issued(&[]).await;
        let refreshed = browser.refresh(issued["refresh_token"].as_str().unwrap(), &[]).await;
        assert_eq!(refreshed.status, 200, "{refreshed:?}");
    }
    let told = lines("`reload` does not give the claim");
    assert!(told.contains("`forgotten_role`") && !told.contains("kept_role") && !told.contains("chief"), "{told}");
    assert_eq!(told.matches("does not give the claim").count(), 1, "once: {told}");
}
