//! A thousand at once.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use oauth_tests::{Browser, start};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

const MANY: usize = 1000;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn c11_of_a_thousand_redemptions_one_succeeds_and_its_token_is_dead() {
    let server = start(|builder| builder);
    let browser = Browser::new(&server);
    for round in 0..5 {
        let code = browser.code().await;
        let body = browser.token_form(&code, &[]);
        let together = Arc::new(Barrier::new(MANY));
        let mut tasks = JoinSet::new();
        for _ in 0..MANY {
            let (browser, body, together) = (browser.clone(), body.clone(), Arc::clone(&together));
            tasks.spawn(async move {
                together.wait().await;
                browser.post("/token", body).await
            });
        }
        let answers = tasks.join_all().await;
        let (issued, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
        assert_eq!((issued.len(), refused.len()), (1, MANY - 1), "round {round}");
        for answer in refused {
            assert!(answer.status == 400 && answer.json()["error"] == "invalid_grant", "round {round}: {answer:?}");
        }
        let token = issued[0].json()["access_token"].as_str().unwrap().to_owned();
        let dead = browser.call("/me", Some(&token)).await;
        assert_eq!((dead.status, dead.challenge()["error"].as_str()), (401, "invalid_token"), "round {round}");
    }
}
