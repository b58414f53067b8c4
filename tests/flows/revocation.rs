//! `/revoke` and `/introspect`.

use std::time::Duration;

use actix_web::{HttpResponse, web};
use oauth_runtime::states::WithReload;
use oauth_runtime::testing::Verb;
use oauth_runtime::{Builder, Client, Clock, policy};
use oauth_tests::{Answer, Browser, Server, builder, free_port, serve, start, start_here, watched};
use reqwest::Method;
use serde_json::{Value, json};

const SECRET: &str = "the secret of a server that asks, in the tests";

fn with_clients(builder: Builder, base: &str) -> Builder<WithReload> {
    builder.reload_blocking(|_| Some(json!({ "role": "admin" }))).client(
        Client::confidential("api")
            .secret(SECRET)
            .scope("notes:read")
            .claims(json!({ "role": "job" }))
            .resource_server(base),
    )
}

fn server() -> (Server, Browser) {
    let server = start_here(with_clients);
    let browser = Browser::new(&server);
    (server, browser)
}

async fn revoke(browser: &Browser, token: &str, more: &[(&str, &str)]) -> Answer {
    let fields = [&[("client_id", "demo"), ("token", token)], more].concat();
    Answer::to(browser.http.post(format!("{}/revoke", browser.base)).form(&fields)).await
}

fn done(answer: &Answer) {
    assert_eq!((answer.status, answer.json()), (200, json!({})), "{answer:?}");
    assert_eq!((answer.header("content-type"), answer.header("cache-control")), ("application/json", "no-store"));
}

fn refused(answer: &Answer, status: u16, error: &str) {
    assert_eq!((answer.status, &answer.json()["error"]), (status, &json!(error)), "{answer:?}");
    assert_eq!(answer.headers.contains_key("www-authenticate"), status == 401);
    assert_eq!(answer.header("cache-control"), "no-store");
}

fn text(json: &Value, name: &str) -> String {
    json[name].as_str().unwrap_or_else(|| panic!("no {name}: {json}")).to_owned()
}

#[tokio::test]
async fn c23_a_refresh_token_takes_its_family_and_access_tokens_with_it() {
    let (_server, browser) = server();
    for hint in [None, Some("refresh_token"), Some("access_token"), Some("anything")] {
        let hint: Vec<(&str, &str)> = hint.iter().map(|hint| ("token_type_hint", *hint)).collect();
        let (issued, other) = (browser.issued(&[]).await, browser.issued(&[]).await);
        let next = browser.refresh(&text(&issued, "refresh_token"), &[]).await.json();
        // An old one of the family is as good: who lost the last one can still end it.
        let token = if hint.is_empty() { &issued } else { &next };
        done(&revoke(&browser, &text(token, "refresh_token"), &hint).await);
        for dead in [&issued, &next] {
            assert_eq!(browser.call("/me", dead["access_token"].as_str()).await.status, 401);
            refused(&browser.refresh(&text(dead, "refresh_token"), &[]).await, 400, "invalid_grant");
        }
        assert_eq!(browser.call("/me", other["access_token"].as_str()).await.status, 200, "another grant lives");
        assert_eq!(browser.refresh(&text(&other, "refresh_token"), &[]).await.status, 200);
        done(&revoke(&browser, &text(token, "refresh_token"), &hint).await);
    }
}

#[tokio::test]
async fn an_access_token_takes_its_grant_with_it() {
    let (_server, browser) = server();
    let issued = browser.issued(&[]).await;
    done(&revoke(&browser, &text(&issued, "access_token"), &[("token_type_hint", "access_token")]).await);
    let dead = browser.call("/me", issued["access_token"].as_str()).await;
    assert_eq!((dead.status, dead.challenge()["error"].as_str()), (401, "invalid_token"));
    refused(&browser.refresh(&text(&issued, "refresh_token"), &[]).await, 400, "invalid_grant");

    // One in a client's own name is alone in its grant.
    let grant = [("grant_type", "client_credentials")];
    let one = text(&browser.post_as("/token", "api", SECRET, &grant).await.json(), "access_token");
    let two = text(&browser.post_as("/token", "api", SECRET, &grant).await.json(), "access_token");
    done(&browser.post_as("/revoke", "api", SECRET, &[("token", &one)]).await);
    assert_eq!(browser.call("/me", Some(&one)).await.status, 401);
    assert_eq!(browser.call("/me", Some(&two)).await.status, 200);
}

#[tokio::test]
async fn what_is_not_known_is_as_good_as_ended_and_what_is_another_s_is_left_alone() {
    let clock = Clock::by_hand();
    let spy = watched(clock.clone());
    let store = spy.clone();
    let server = start_here(|builder, base| with_clients(builder, base).clock(clock.clone()).store(store));
    let browser = Browser::new(&server);
    let (issued, code) = (browser.issued(&[]).await, browser.code().await);
    let (access, refresh) = (text(&issued, "access_token"), text(&issued, "refresh_token"));
    let before = spy.calls(&[Verb::Swap]);
    for unknown in ["x", "a.b.c", &code, &refresh[1..], &access[..access.len() - 2]] {
        done(&revoke(&browser, unknown, &[]).await);
    }
    // RFC 7009 §2.1, RFC 6749 §5.2: issued to another client
    for token in [&access, &refresh] {
        refused(&revoke(&browser, token, &[("client_id", "other")]).await, 400, "invalid_request");
        let fields = [("client_id", "other"), ("token", token.as_str())];
        let answer = Answer::to(browser.http.post(format!("{}/revoke", server.base)).form(&fields)).await;
        refused(&answer, 400, "invalid_grant");
        refused(&browser.post_as("/revoke", "api", SECRET, &[("token", token)]).await, 400, "invalid_grant");
    }
    for (fields, status, error) in [
        (vec![("client_id", "demo")], 400, "invalid_request"),
        (vec![("client_id", "demo"), ("token", "")], 400, "invalid_request"),
        (vec![("client_id", "demo"), ("token", "a"), ("token", "b")], 400, "invalid_request"),
        (vec![("token", access.as_str())], 400, "invalid_client"),
        (vec![("client_id", "nobody"), ("token", access.as_str())], 400, "invalid_client"),
        (vec![("client_id", "api"), ("token", access.as_str())], 400, "invalid_client"),
    ] {
        let answer = Answer::to(browser.http.post(format!("{}/revoke", server.base)).form(&fields)).await;
        refused(&answer, status, error);
    }
    let wrong = browser.post_as("/revoke", "api", "wrong", &[("token", &access)]).await;
    refused(&wrong, 401, "invalid_client");
    let json = browser.http.post(format!("{}/revoke", server.base)).header("content-type", "application/json");
    refused(&Answer::to(json.body("{}")).await, 400, "invalid_request");
    let query = format!("{}/revoke?client_id=demo&token={access}", server.base);
    refused(&Answer::to(browser.http.post(query).form(&[("x", "y")])).await, 400, "invalid_client");
    assert_eq!(spy.calls(&[Verb::Swap]), before, "nothing was ended");
    assert_eq!(browser.call("/me", Some(&access)).await.status, 200);

    clock.advance(Duration::from_secs(3602));
    done(&revoke(&browser, &access, &[]).await);
    assert_eq!(spy.calls(&[Verb::Swap]), before, "an access token that has expired says nothing any more");
    assert_eq!(browser.refresh(&refresh, &[]).await.status, 200);
}

#[tokio::test]
async fn c35_pages_of_clients_may_revoke_and_no_page_may_introspect() {
    let (server, browser) = server();
    for (path, readable) in [("/revoke", true), ("/introspect", false)] {
        for method in [Method::OPTIONS, Method::POST] {
            let request = browser.http.request(method.clone(), format!("{}{path}", server.base));
            let request = request.header("origin", "https://other.example");
            let answer = Answer::to(request.header("access-control-request-method", "POST")).await;
            assert_eq!(answer.headers.contains_key("access-control-allow-origin"), readable, "{path} {method}");
            let stranger = browser.http.request(method, format!("{}{path}", server.base));
            let stranger = stranger.header("origin", "https://evil.example");
            let answer = Answer::to(stranger.header("access-control-request-method", "POST")).await;
            assert!(!answer.headers.contains_key("access-control-allow-origin"), "{path}");
        }
    }
}

async fn introspect(browser: &Browser, token: &str) -> Value {
    let answer = browser.post_as("/introspect", "api", SECRET, &[("token", token)]).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"), "{answer:?}");
    assert_eq!(answer.header("cache-control"), "no-store");
    answer.json()
}

#[tokio::test]
async fn introspection_says_what_a_good_token_says() {
    let clock = Clock::by_hand();
    let server = start_here(|builder, base| with_clients(builder, base).clock(clock.clone()));
    let browser = Browser::new(&server);
    let issued = browser.issued(&[("scope", Some("notes:read"))]).await;
    let access = text(&issued, "access_token");
    let answer = introspect(&browser, &access).await;
    for (name, value) in [
        ("active", json!(true)),
        ("iss", json!(server.base)),
        ("aud", json!(server.base)),
        ("sub", json!("admin")),
        ("client_id", json!("demo")),
        ("scope", json!("notes:read")),
        ("token_type", json!("Bearer")),
        ("role", json!("admin")),
    ] {
        assert_eq!(answer[name], value, "{name}");
    }
    assert!(["iat", "exp", "jti", "auth_time"].iter().all(|name| answer.get(name).is_some()), "{answer}");
    assert!(answer.get("gid").is_none(), "{answer}");

    let not_good = json!({ "active": false });
    let refresh = text(&issued, "refresh_token");
    let code = browser.code().await;
    // A refresh token is good for no resource.
    for token in ["x", "a.b.c", &refresh, &code, &access[..access.len() - 2]] {
        assert_eq!(introspect(&browser, token).await, not_good, "{token}");
    }
    done(&revoke(&browser, &refresh, &[]).await);
    assert_eq!(introspect(&browser, &access).await, not_good, "revoked");
    let other = text(&browser.issued(&[]).await, "access_token");
    assert_eq!(introspect(&browser, &other).await["active"], true);
    clock.advance(Duration::from_secs(3602));
    assert_eq!(introspect(&browser, &other).await, not_good, "expired");
}

#[tokio::test]
async fn who_may_introspect() {
    let (server, browser) = server();
    let token = text(&browser.issued(&[]).await, "access_token");
    let post = async |fields: &[(&str, &str)]| {
        Answer::to(browser.http.post(format!("{}/introspect", server.base)).form(fields)).await
    };
    let token = ("token", token.as_str());
    refused(&post(&[token, ("client_id", "demo")]).await, 401, "invalid_client");
    refused(&post(&[token, ("client_id", "nobody")]).await, 401, "invalid_client");
    refused(&post(&[token, ("client_id", "api")]).await, 401, "invalid_client");
    refused(&post(&[token, ("client_id", "api"), ("client_secret", "wrong")]).await, 401, "invalid_client");
    refused(&browser.post_as("/introspect", "api", "wrong", &[token]).await, 401, "invalid_client");
    refused(&post(&[token]).await, 401, "invalid_client");
    refused(&browser.post_as("/introspect", "api", SECRET, &[]).await, 400, "invalid_request");
    refused(&browser.post_as("/introspect", "api", SECRET, &[token, token]).await, 400, "invalid_request");
    assert_eq!(post(&[token, ("client_id", "api"), ("client_secret", SECRET)]).await.json()["active"], true);

    // Where no client could, there is no such address.
    let without = start(|builder| builder);
    let browser = Browser::new(&without);
    assert_eq!(browser.post_as("/introspect", "api", SECRET, &[token]).await.status, 404);
    let metadata = browser.call("/.well-known/oauth-authorization-server", None).await.json();
    assert!(metadata.get("introspection_endpoint").is_none(), "{metadata}");
}

#[tokio::test]
async fn an_address_that_the_server_does_not_use_is_guarded_like_any_other() {
    let (listener, base) = free_port();
    let oauth = builder(&base).build().unwrap();
    let server = serve(listener, move |app| {
        app.configure(oauth.routes());
        for path in ["/introspect", "/oauth/logo"] {
            let own = web::resource(path).wrap(oauth.require(policy!(role = "admin")));
            app.service(own.to(HttpResponse::Ok));
        }
    });
    let browser = Browser::new(&server);
    let token = browser.token().await;
    for path in ["/introspect", "/oauth/logo"] {
        assert_eq!(browser.call(path, None).await.status, 401, "{path}");
        assert_eq!(browser.call(path, Some(&token)).await.status, 200, "{path}");
    }
}
