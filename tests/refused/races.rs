//! A thousand at once.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use oauth_runtime::Clock;
use oauth_runtime::Login;
use oauth_tests::{Answer, Browser, start};
use serde_json::json;
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

/// Each refresh token is used this often at the same moment; the answers, all of them good.
async fn storm(browser: &Browser, tokens: &[String], times: usize) -> Vec<Answer> {
    let together = Arc::new(Barrier::new(tokens.len() * times));
    let mut tasks = JoinSet::new();
    for token in tokens {
        for _ in 0..times {
            let (browser, token, together) = (browser.clone(), token.clone(), Arc::clone(&together));
            tasks.spawn(async move {
                together.wait().await;
                browser.refresh(&token, &[]).await
            });
        }
    }
    let answers = tasks.join_all().await;
    answers.iter().for_each(|answer| assert_eq!(answer.status, 200, "{answer:?}"));
    answers
}

fn refresh_tokens(answers: &[Answer]) -> Vec<String> {
    answers.iter().map(|answer| answer.json()["refresh_token"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn c23_two_hundred_refreshes_of_one_family_at_once_move_it_by_one() {
    // However long the storm takes, the grace does not end in it.
    let clock = Clock::by_hand();
    let server = start(|builder| {
        let builder = builder.clock(clock).blocking_at_once(MANY);
        builder.reload_blocking(|_| Some(json!({ "role": "admin" })))
    });
    let browser = Browser::new(&server);
    let mut tokens = vec![browser.issued(&[]).await["refresh_token"].as_str().unwrap().to_owned()];
    for round in 1..=5 {
        // First one token two hundred times, then the two hundred answers: were they of two generations, one would be
        // taken for a reuse.
        let answers = storm(&browser, &tokens, 200 / tokens.len()).await;
        tokens = refresh_tokens(&answers);
        let token = answers[199].json()["access_token"].as_str().unwrap().to_owned();
        assert_eq!(browser.call("/admin", Some(&token)).await.status, 200, "the family lives after round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn c23_fifty_families_at_once_do_not_touch_one_another() {
    let server = start(|builder| {
        let builder = builder.clock(Clock::by_hand()).blocking_at_once(MANY);
        let builder = builder.authenticate_blocking(|login: Login| Some(json!({ "sub": login.username })));
        builder.reload_blocking(|_| Some(json!({ "role": "admin" })))
    });
    let browser = Browser::new(&server);
    let mut tokens = Vec::new();
    for user in 0..50 {
        let browser = Browser::new(&server);
        let code = browser.code_for(&format!("user{user}")).await;
        tokens.push(browser.redeem(&code, &[]).await.json()["refresh_token"].as_str().unwrap().to_owned());
    }
    for _ in 0..3 {
        // Four of each family at once; all of them are good afterwards, and no family is lost.
        let answers = storm(&browser, &tokens, 200 / tokens.len()).await;
        tokens = refresh_tokens(&answers);
    }
}
