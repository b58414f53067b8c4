//! A store that does not answer: everything is refused, nothing is lost.

use std::time::Duration;

use actix_web::{Error, HttpResponse, post};
use oauth_runtime::store::MemoryStore;
use oauth_runtime::testing::{Fault, FaultyStore, Verb};
use oauth_runtime::{Client, OAuthService};
use oauth_tests::{Browser, SECRET, builder, free_port, serve, start, start_here};
use serde_json::json;

#[post("/end")]
async fn end(oauth: OAuthService) -> Result<HttpResponse, Error> {
    oauth.sign_out("admin").await?;
    Ok(HttpResponse::NoContent().finish())
}

#[post("/follow")]
async fn follow(oauth: OAuthService, token: String) -> Result<String, Error> {
    Ok(oauth.redeem_one_time::<String>("link", &token).await?.payload)
}

/// A user hears to come back, and nothing of the engine.
#[tokio::test]
async fn a_handler_that_returns_an_error_of_the_store_answers_as_the_server_does() {
    let (listener, base) = free_port();
    let store = FaultyStore::new(MemoryStore::new());
    let oauth = builder(&base).store(store.clone()).build().unwrap();
    let link = oauth.one_time("link", "admin", Duration::from_secs(60)).with("here").seal().await.unwrap();
    let server = serve(listener, move |app| {
        app.configure(oauth.routes()).service(end).service(follow);
    });
    let browser = Browser::new(&server);
    store.fail(Verb::ALL, Fault::Unavailable);
    for (path, body) in [("/end", String::new()), ("/follow", link.clone())] {
        let answer = browser.post(path, body).await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, "1"), "{path}: {answer:?}");
        let told = json!({ "error": "temporarily_unavailable", "error_description": "try again in a moment" });
        assert_eq!(answer.json(), told, "{path}");
    }
    store.repair();
    assert_eq!(browser.post("/follow", link.clone()).await.body, "here");
    let used = browser.post("/follow", link).await;
    assert_eq!((used.status, used.body.as_str()), (400, "this link was used before"));
    assert_eq!(browser.post("/end", String::new()).await.status, 204);
}

#[tokio::test]
async fn a_store_that_does_not_answer_lets_no_one_in_and_loses_nothing() {
    let store = FaultyStore::new(MemoryStore::new());
    let server = start(|builder| builder.store(store.clone()));
    let browser = Browser::new(&server);
    let (code, token) = (browser.code().await, browser.token().await);
    let form = browser.authorize(&[]).await.form();

    store.fail(Verb::ALL, Fault::Unavailable);
    let login = browser.login(&form, "admin", "admin123").await;
    assert!(login.status == 503 && login.is_page(), "{login:?}");
    assert_eq!(login.header("retry-after"), "1");
    let redeemed = browser.redeem(&code, &[]).await;
    assert_eq!((redeemed.status, redeemed.header("retry-after")), (503, "1"), "{redeemed:?}");
    assert_eq!(redeemed.json()["error"], "temporarily_unavailable");
    let called = browser.call("/admin", Some(&token)).await;
    assert_eq!((called.status, called.header("retry-after")), (503, "1"), "{called:?}");

    store.repair();
    assert_eq!(browser.call("/admin", Some(&token)).await.status, 200);
    assert_eq!(browser.redeem(&code, &[]).await.status, 200);
    assert_eq!(browser.login(&form, "admin", "admin123").await.status, 303);
}

#[tokio::test]
async fn a_store_that_does_not_answer_costs_no_family_and_no_client_anything() {
    let store = FaultyStore::new(MemoryStore::new());
    let server = start_here(|builder, base| {
        builder
            .store(store.clone())
            .reload_blocking(|_| Some(json!({ "role": "admin" })))
            .client(Client::confidential("job").secret(SECRET).resource_server(base))
    });
    let browser = Browser::new(&server);
    let issued = browser.issued(&[]).await;
    let (access, refresh) = (issued["access_token"].as_str().unwrap(), issued["refresh_token"].as_str().unwrap());
    let grant = [("grant_type", "client_credentials")];
    let token = [("token", access)];
    let give_back = format!("client_id=demo&token={access}");

    store.fail(Verb::ALL, Fault::Unavailable);
    for _ in 0..20 {
        for answer in [
            browser.refresh(refresh, &[]).await,
            browser.post_as("/token", "job", SECRET, &grant).await,
            // A guesser learns nothing meanwhile.
            browser.post_as("/token", "job", "wrong", &grant).await,
            browser.post_as("/introspect", "job", SECRET, &token).await,
            browser.post("/revoke", give_back.clone()).await,
        ] {
            assert_eq!((answer.status, answer.header("retry-after")), (503, "1"), "{answer:?}");
            assert_eq!(answer.json()["error"], "temporarily_unavailable");
        }
    }
    store.repair();
    assert_eq!(browser.post_as("/token", "job", SECRET, &grant).await.status, 200, "no try was counted");
    assert_eq!(browser.post_as("/introspect", "job", SECRET, &token).await.json()["active"], true);
    assert_eq!(browser.refresh(refresh, &[]).await.status, 200);
    assert_eq!(browser.post("/revoke", give_back).await.status, 200);
    assert_eq!(browser.call("/me", Some(access)).await.status, 401);
}
