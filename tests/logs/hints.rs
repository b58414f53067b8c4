//! What the log says where the reason of a refusal alone does not lead to the mistake: in the configuration, in the order of
//! the layers, in a function of the author's.

use std::time::Duration;

use actix_web::{Responder, get, web};
use oauth_runtime::{AccessToken, Login, Refusal, policy, require_claim, require_token};
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
async fn a_browser_that_comes_by_another_host_than_the_issuer_s_is_told_once() {
    let _ = LOG.clone();
    let told = |issuer: &str| {
        let said = lines("a browser came by a host that is not the issuer's");
        said.lines().filter(|line| line.contains(&format!("issuer=\"{issuer}\""))).count()
    };
    let (another, proxied) = ("http://localhost:4711", "http://localhost:4712");
    let servers = [
        start(|builder| builder.issuer(another)),
        start(|builder| builder.issuer(proxied).client_address(|http| http.peer_addr().map(|peer| peer.ip()))),
        start(|builder| builder),
    ];
    for server in &servers {
        let browser = Browser::new(server);
        assert_eq!((browser.authorize(&[]).await.status, browser.authorize(&[]).await.status), (200, 200));
    }
    assert_eq!([another, proxied, &servers[2].base].map(told), [1, 0, 0]);
    assert!(lines(another).contains(&format!("host=\"{}\"", servers[0].base.trim_start_matches("http://"))));
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

#[require_claim(role = "admin", not(suspended))]
#[get("/report")]
async fn report() -> impl Responder {
    "the report"
}

#[require_token]
#[get("/weighed/{id}")]
async fn weighed(token: AccessToken) -> Result<&'static str, Refusal> {
    token.satisfies(policy!(role = "weigher"))?;
    Ok("weighed")
}

/// The guide shows the line of the first.
#[tokio::test]
async fn c26_a_refused_token_is_logged_with_its_route_and_whose_it_is() {
    let _ = LOG.clone();
    let (listener, base) = free_port();
    let ada = async |login: Login| (&*login.password == "right").then(|| json!({ "sub": login.username }));
    let oauth = builder(&base).authenticate(ada).build().unwrap();
    let server = serve(listener, move |app| {
        let wrapped = web::scope("/w/{id}").route("/x/{name}", web::get().to(|| async { "within" }));
        app.configure(oauth.routes()).service(report).service(web::scope("/in").service(weighed));
        app.service(wrapped.wrap(oauth.require(policy!(role = "wrapper"))));
    });
    let browser = Browser::new(&server);
    let code = browser.sign_in(&[], "ada", "right").await.redirect()["code"].clone();
    let token = browser.redeem(&code, &[]).await.json()["access_token"].as_str().unwrap().to_owned();
    for path in ["/report", "/in/weighed/s3cr3t", "/w/s3cr3t/x/s3cr3t"] {
        assert_eq!(browser.call(path, Some(&token)).await.status, 403, "{path}");
    }
    let whose = r#"subject="ada" client="demo" decided="role"#;
    let told = lines("policy=\"role = \\\"wrapper\\\"\"");
    assert!(told.contains(r#"method="GET" route="/w/{id}/x/{name}""#) && told.contains(whose), "{told}");
    // A token alone does not know the route, but the guard of the handler.
    let told = lines("policy=\"role = \\\"weigher\\\"\"");
    assert!(told.contains(r#"handler="weighed" module="logs::hints""#) && told.contains(whose), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
    let told = lines("route=\"/report\"").replace("logs::hints", "notes");
    let guide = include_str!("../../oauth-runtime/docs/policies.md");
    let shown = guide.split_once("```text\nrequest refused ").unwrap().1.split_once("\n```").unwrap().0;
    assert!(told.contains(&format!("request refused {}", shown.replace('\n', " "))), "{told}");
}
