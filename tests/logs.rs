//! What is logged: each decision, and nothing that would let a reader of the log in.
#![allow(clippy::unwrap_used)]

#[path = "logs/asked.rs"]
mod asked;
#[path = "logs/events.rs"]
mod events;
#[path = "logs/hints.rs"]
mod hints;
#[path = "logs/issuers.rs"]
mod issuers;
#[path = "src/log.rs"]
mod log;
#[path = "logs/open.rs"]
mod open;

use std::sync::LazyLock;
use std::time::Duration;

use actix_web::{Responder, get};
use oauth_runtime::store::MemoryStore;
use oauth_runtime::testing::{Fault, FaultyStore, Verb};
use oauth_runtime::{Client, Clock, Login, require_claim};
use oauth_tests::{Browser, CHALLENGE, NEW_SECRET, SECRET, VERIFIER, builder, start, start_with};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::log::Log;

/// Of all the tests here, from the first that wants it.
static LOG: LazyLock<Log> = LazyLock::new(|| {
    let log = Log::default();
    let layer = tracing_subscriber::fmt().with_env_filter("oauth=trace").with_ansi(false);
    layer.with_span_events(FmtSpan::CLOSE).with_writer(log.clone()).init();
    log
});

const JOB: &str = "the secret of a job, of all the tests here";

#[derive(Serialize, Deserialize)]
struct User {
    role: String,
    level: u8,
}

#[require_claim(User { level: 3.., .. })]
#[get("/pattern")]
async fn pattern() -> impl Responder {
    "pattern"
}

#[require_claim(any(all(role = "owner", paid), scope = "notes:delete"))]
#[get("/terms")]
async fn terms() -> impl Responder {
    "terms"
}

#[tokio::test]
async fn a_refusal_is_logged_with_the_terms_that_decided() {
    let server = start_with(
        |builder| builder,
        |app| {
            app.service(pattern).service(terms);
        },
    );
    let log = LOG.clone();
    let browser = Browser::new(&server);
    let token = browser.token().await;
    let refused = browser.call("/terms", Some(&token)).await;
    assert_eq!((refused.status, refused.body.contains("paid")), (403, false), "{refused:?}");
    assert_eq!(browser.call("/pattern", Some(&token)).await.status, 403);
    let log = log.text();
    assert!(log.contains(r#"policy="any(all(role = \"owner\", paid), scope = \"notes:delete\")""#), "{log}");
    assert!(
        log.contains(r#"decided="role = \"owner\" is false; paid is false; scope = \"notes:delete\" is unknown: the claim is absent""#),
        "{log}"
    );
    assert!(log.contains("handler=\"terms\"") && log.contains("module=\"logs\""), "{log}");
    assert!(log.contains("logs::User: missing field `level`"), "{log}");
}

#[tokio::test]
async fn a_scope_that_no_token_can_have_is_told_at_start_up_where_claims_are_untyped() {
    let log = LOG.clone();
    builder("http://127.0.0.1:9").build().unwrap();
    let text = log.text();
    assert!(
        text.contains("the guard of logs::terms asks for the scope \"notes:delete\", which no token here can have"),
        "{text}"
    );
}

#[tokio::test]
async fn c12_each_client_without_pkce_is_named_at_start_up() {
    let log = LOG.clone();
    let client = |id: &str| Client::confidential(id).secret(SECRET).redirect_uri("https://wiki.example/cb");
    let service = || builder("http://127.0.0.1:9").client(client("with-pkce"));
    service()
        .client(client("old-wiki").danger_without_pkce())
        .client(client("old-shop").danger_without_pkce())
        .build()
        .unwrap();
    let text = log.text();
    let told: Vec<&str> = text.lines().filter(|line| line.contains("this client may leave out PKCE")).collect();
    for id in ["old-wiki", "old-shop"] {
        assert_eq!(told.iter().filter(|line| line.contains(&format!("client=\"{id}\""))).count(), 1, "{told:?}");
    }
    assert!(told.iter().all(|line| !line.contains("with-pkce")), "{told:?}");
}

#[tokio::test]
async fn c15_an_https_service_is_told_of_each_secret_that_the_documentation_shows() {
    let log = LOG.clone();
    let client =
        |id: &str, secret: &str| Client::confidential(id).secret(secret).redirect_uri("https://wiki.example/cb");
    let service = |issuer: &str| builder(issuer).direct_peers().store(MemoryStore::new());
    let told = |issuer: &str| {
        let text = log.text();
        let lines = text.lines().filter(|line| line.contains(issuer) && line.contains("documentation shows"));
        lines.map(|line| line.contains("client=\"shown\"")).collect::<Vec<_>>()
    };
    let (one, other) = ("imKPCrCI4C9rfke6hiVaifPyBVB4d2WTYlWKRg0h4ZQ=", "HDv0Ri2FHbcL5eoz1O1wFhr7FkAp8AkKB8YTE47GrDY=");
    service("http://127.0.0.1:9").client(client("shown", NEW_SECRET)).build().unwrap();
    assert_eq!(told("http://127.0.0.1:9"), [false; 0], "on a developer's machine");
    service("https://drawn.example").secret(one).client(client("drawn", other)).build().unwrap();
    assert_eq!(told("https://drawn.example"), [false; 0]);
    service("https://own.example").build().unwrap();
    service("https://own.example").secret(one).previous_secret(SECRET).build().unwrap();
    assert_eq!(told("https://own.example"), [false; 2]);
    service("https://client.example").secret(one).client(client("shown", NEW_SECRET)).build().unwrap();
    assert_eq!(told("https://client.example"), [true]);
}

#[tokio::test]
async fn an_https_service_is_told_what_its_memory_store_means() {
    let log = LOG.clone();
    let told = || log.text().matches("is kept in the memory of this process").count();
    let before = told();
    builder("http://127.0.0.1:9").build().unwrap();
    builder("https://notes.example").direct_peers().store(MemoryStore::new()).build().unwrap();
    assert_eq!(told(), before, "on a developer's machine, and where it was chosen");
    builder("https://notes.example").direct_peers().build().unwrap();
    assert_eq!(told(), before + 1);
}

#[tokio::test]
async fn an_outage_at_guards_has_one_line_a_second() {
    let (clock, log) = (Clock::by_hand(), LOG.clone());
    let store = FaultyStore::new(MemoryStore::with_clock(clock.clone()));
    // As one that is elsewhere.
    store.fail(Verb::ALL, Fault::Slow(Duration::ZERO));
    let server = start(|builder| builder.clock(clock.clone()).store(store.clone()));
    let browser = Browser::new(&server);
    let token = browser.token().await;
    assert_eq!(browser.call("/me", Some(&token)).await.status, 200);
    store.fail(Verb::ALL, Fault::Unavailable);
    clock.advance(Duration::from_secs(5));
    let told = || log.text().matches("what it last said counts for a while").count();
    for seconds in 1..=3 {
        for _ in 0..20 {
            assert_eq!(browser.call("/me", Some(&token)).await.status, 200);
        }
        assert_eq!(told(), seconds);
        clock.advance(Duration::from_secs(1));
    }
}

#[tokio::test]
async fn no_secret_is_logged_and_every_decision_is() {
    let log = LOG.clone();
    let clock = Clock::by_hand();
    let server = start(|builder| {
        let builder = builder
            .reload(async |subject: &str| match subject {
                "user" => Err("the database is away"),
                _ => Ok(Some(json!({ "role": "the claims themselves" }))),
            })
            .client(Client::confidential("job").secret(JOB).scope("notes:read"));
        builder.clock(clock.clone()).authenticate(async |login: Login| match login.username.as_str() {
            "broken" => Err("the database is away"),
            "demo" => Ok(Some(json!({ "sub": "demo", "claim": "the claims themselves" }))),
            "nameless" => Ok(Some(json!({ "claim": "the claims themselves" }))),
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
    for name in ["broken", "demo", "reserved", "nameless"] {
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
        let form = browser.authorize(&[("prompt", Some("login"))]).await.form();
        let status = browser.login(&form, name, "wrong-password").await.status;
        assert_eq!(status, if attempt == 11 { 429 } else { 401 }, "{attempt}");
        secret.push(form);
    }
    let job = [("grant_type", "client_credentials")];
    for secret in [JOB, "wrong-password"] {
        browser.post_as("/token", "job", secret, &job).await;
    }
    secret.push(JOB.to_owned());
    for user in ["admin", "user"] {
        let gone = user == "user";
        clock.advance(Duration::from_secs(if gone { 3600 } else { 0 }));
        let code = browser.code_for(user).await;
        let issued = browser.redeem(&code, &[]).await.json();
        let (access, first) = (issued["access_token"].as_str().unwrap(), issued["refresh_token"].as_str().unwrap());
        browser.refresh(first, &[("scope", Some("notes:read"))]).await;
        assert_eq!(browser.refresh(first, &[]).await.status, if gone { 503 } else { 200 });
        browser.post_as("/introspect", "job", JOB, &[("token", access)]).await;
        browser.post_as("/revoke", "job", JOB, &[("token", access)]).await;
        browser.post("/revoke", format!("client_id=demo&token={access}")).await;
        assert_eq!(browser.refresh(first, &[]).await.status, 400);
        secret.extend([code, access.to_owned(), first.to_owned()]);
    }
    let reused = browser.redeem(&browser.code().await, &[]).await.json()["refresh_token"].as_str().unwrap().to_owned();
    browser.refresh(&reused, &[]).await;
    clock.advance(Duration::from_secs(60));
    browser.refresh(&reused, &[]).await;
    secret.push(reused);
    browser.post("/login", "request=wrong-password&password=admin123").await;
    browser.authorize(&[("client_id", Some("unknown\n-client"))]).await;
    let uri = "https://admin:admin123@evil.example/callback?code=wrong-password#another-state";
    browser.authorize(&[("redirect_uri", Some(uri))]).await;
    browser.authorize(&[("scope", Some("notes:wirte"))]).await;
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
        "sign-in refused",
        "a limit was reached",
        "authenticate gave no answer",
        "VerifierMismatch",
        "TokenExpired",
        "CodeExpired",
        "CodeOfAnotherClient",
        "FormForged",
        "TokenRevoked",
        "ClaimsUnusable",
        "add `sub` to them, an id of the user that never changes",
        "a refresh token was reused",
        "reload gave no answer",
        "a grant was revoked",
        "ClientSecretWrong",
        "TokenOfAnotherClient",
        "ScopeGrown",
        // A developer sees which of the two was mistyped.
        r#"reason=UnknownClient client="unknown\\n-client""#,
        r#"reason=UnknownRedirectUri client="demo" redirect_uri="https://evil.example/callback?.." nearest="http"#,
        r#"client="demo" reason=ScopeUnknown scope="notes:wirte""#,
    ] {
        assert!(log.contains(decision), "{decision} is not in the log:\n{log}");
    }
    for secret in &secret {
        assert!(secret.len() > 7 && !log.contains(secret.as_str()), "{secret} is in the log:\n{log}");
    }
}

/// Who asks the log what was done in a user's name finds user, client and grant on each line.
#[tokio::test]
async fn a_decision_is_logged_with_whom_it_was_for() {
    let log = LOG.clone();
    let clock = Clock::by_hand();
    let server = start(|builder| {
        builder
            .clock(clock.clone())
            .reload(async |_: &str| Some(json!({ "role": "auditor" })))
            .authenticate(async |login: Login| (&*login.password == "right").then(|| json!({ "sub": "audited" })))
    });
    let browser = Browser::new(&server);
    let form = browser.authorize(&[]).await.form();
    assert_eq!(browser.login(&form, "typed by mistake", "wrong").await.status, 401);
    let replayed = browser.login(&form, "audited", "right").await.redirect()["code"].clone();
    let mut codes = vec![replayed.clone(), replayed];
    for _ in 0..2 {
        codes.push(browser.sign_in(&[], "audited", "right").await.redirect()["code"].clone());
    }
    let mut issued = Vec::new();
    for code in codes {
        issued.push(browser.redeem(&code, &[]).await);
    }
    assert_eq!(issued.iter().map(|answer| answer.status).collect::<Vec<_>>(), [200, 400, 200, 200]);
    let refresh_token = |number: usize| issued[number].json()["refresh_token"].as_str().unwrap().to_owned();
    browser.post("/revoke", format!("client_id=demo&token={}", refresh_token(2))).await;
    assert_eq!(browser.refresh(&refresh_token(3), &[]).await.status, 200);
    clock.advance(Duration::from_secs(60));
    assert_eq!(browser.refresh(&refresh_token(3), &[]).await.status, 400, "a reuse");

    let log = log.text();
    let of_the_user = |message: &str| {
        let lines = log.lines().filter(|line| line.contains(message) && line.contains(r#"subject="audited""#));
        let lines: Vec<&str> = lines.filter(|line| line.contains(r#"client="demo""#)).collect();
        lines.iter().map(|line| line.split_once("grant=\"").unwrap().1[..16].to_owned()).collect::<Vec<_>>()
    };
    let codes = of_the_user("authorization code issued");
    assert_eq!(codes.len(), 3, "{log}");
    assert_eq!(of_the_user("access token issued"), codes);
    assert_eq!(of_the_user("access token refreshed"), codes[2..]);
    assert_eq!(of_the_user("a code was replayed"), codes[..1]);
    assert_eq!(of_the_user("oauth: a grant was revoked event"), codes[1..2]);
    assert_eq!(of_the_user("a refresh token was reused"), codes[2..]);
    let refused = |line: &&str| line.contains("sign-in refused") && line.contains("address=127.0.0.1");
    assert!(log.lines().any(|line| refused(&line)), "{log}");
    assert!(!log.contains("typed by mistake"), "a password may be typed where the name goes:\n{log}");
}
