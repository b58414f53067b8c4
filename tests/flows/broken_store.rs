//! A store that does not answer: everything is refused, nothing is lost.

use oauth_runtime::Client;
use oauth_runtime::store::MemoryStore;
use oauth_runtime::testing::{Fault, FaultyStore, Verb};
use oauth_tests::{Browser, SECRET, start, start_here};
use serde_json::json;

#[tokio::test]
async fn a_store_that_does_not_answer_lets_nobody_in_and_loses_nothing() {
    let store = FaultyStore::new(MemoryStore::new());
    let server = start(|builder| builder.store(store.clone()));
    let browser = Browser::new(&server);
    let (code, token) = (browser.code().await, browser.token().await);
    let form = browser.authorize(&[]).await.form();

    store.fail(&Verb::ALL, Fault::Unavailable);
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

    store.fail(&Verb::ALL, Fault::Unavailable);
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
