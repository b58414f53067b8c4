//! Passwords, codes and secrets that somebody guesses: whom that holds up, and whom it does not.

use std::sync::Arc;

use oauth_runtime::{Client, Login};
use oauth_tests::{Browser, SECRET, start};
use serde_json::json;
use tokio::sync::Semaphore;

#[tokio::test(flavor = "multi_thread")]
async fn c46_sign_ins_keep_no_refresh_waiting() {
    let (begun, may_end) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let signals = (Arc::clone(&begun), Arc::clone(&may_end));
    let server = start(|builder| {
        let blocking = move |login: Login| {
            if &*login.password == "slow" {
                signals.0.add_permits(1);
                tokio::runtime::Builder::new_current_thread()
                    .build()
                    .unwrap()
                    .block_on(signals.1.acquire())
                    .unwrap()
                    .forget();
            }
            oauth_tests::users(&login)
        };
        builder
            .blocking_at_once(1)
            .authenticate_blocking(blocking)
            .reload_blocking(|_| Some(json!({ "role": "admin" })))
    });
    let owner = Browser::new(&server);
    let issued = owner.issued(&[]).await;
    let stranger = Browser::new(&server);
    let form = stranger.authorize(&[]).await.form();
    let guess = tokio::spawn(async move { stranger.login(&form, "user", "slow").await.status });
    begun.acquire().await.unwrap().forget();
    let refreshed = owner.refresh(issued["refresh_token"].as_str().unwrap(), &[]).await;
    assert_eq!(refreshed.status, 200, "every place for passwords is taken: {refreshed:?}");
    may_end.add_permits(1);
    assert_eq!(guess.await.unwrap(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn c46_a_right_secret_is_never_throttled_whatever_fails_beside_it() {
    const OTHER: &str = "SWFzY2h1c3MtbmljaHQtZ2VoZWltLWdlbnVnLS0tLS0=";
    let server = start(|builder| {
        builder
            .client(Client::confidential("job").secret(SECRET))
            .client(Client::confidential("web").secret(OTHER).redirect_uri("https://web.example/cb"))
    });
    let browser = Browser::new(&server);
    let grant = [("grant_type", "client_credentials")];
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..90 {
        for (client, secret) in [("job", SECRET), ("job", "wrong"), ("web", "wrong"), ("nobody", "wrong")] {
            let browser = browser.clone();
            tasks.spawn(async move {
                let status = browser.post_as("/token", client, secret, &grant).await.status;
                (number, client, secret == SECRET, status)
            });
        }
    }
    let answers = tasks.join_all().await;
    for (number, client, is_right, status) in &answers {
        assert_eq!(*is_right, *status == 200, "{number} {client} {status}");
    }
    assert!(answers.iter().any(|(.., status)| *status == 429), "wrong ones are slowed down");
}
