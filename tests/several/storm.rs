//! Many at once, at two processes.

use std::sync::Arc;
use std::time::Duration;

use oauth_tests::{Answer, Browser};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::{Node, Shared, two};

/// Sends these requests at the same moment, to one process and the other in turn.
async fn at_once(browsers: &[Browser], bodies: &[String], times: usize) -> Vec<Answer> {
    let together = Arc::new(Barrier::new(bodies.len() * times));
    let mut tasks = JoinSet::new();
    for (index, body) in bodies.iter().cycle().take(bodies.len() * times).enumerate() {
        let (browser, body) = (browsers[index % browsers.len()].clone(), body.clone());
        let together = Arc::clone(&together);
        tasks.spawn(async move {
            together.wait().await;
            (index, browser.post("/token", body).await)
        });
    }
    let mut answers = tasks.join_all().await;
    answers.sort_by_key(|(index, _)| *index);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

fn refresh(token: &str) -> String {
    format!("grant_type=refresh_token&client_id=demo&refresh_token={token}")
}

fn field(answer: &Answer, name: &str) -> String {
    answer.json()[name].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

/// Of a thousand redemptions one is the first, at whichever process; what it got is dead.
async fn redemptions(browsers: &[Browser]) {
    let code = browsers[0].code_for("ada").await;
    let answers = at_once(browsers, &[browsers[0].token_form(&code, &[])], 1_000).await;
    let (issued, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!((issued.len(), refused.len()), (1, 999));
    for answer in refused {
        assert!(answer.status == 400 && answer.json()["error"] == "invalid_grant", "{answer:?}");
    }
    // Within the lag at the other one.
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    for browser in browsers {
        assert_eq!(browser.call("/me", Some(&field(&issued[0], "access_token"))).await.status, 401);
    }
}

/// Two hundred refreshes of one family move it by one, and none is lost.
async fn refreshes(browsers: &[Browser]) {
    let code = browsers[0].code_for("ada").await;
    let mut token = field(&browsers[0].redeem(&code, &[]).await, "refresh_token");
    for _ in 0..2 {
        let answers = at_once(browsers, &[refresh(&token)], 200).await;
        answers.iter().for_each(|answer| assert_eq!(answer.status, 200, "{answer:?}"));
        token = field(&answers[199], "refresh_token");
    }
}

/// Fifty families, four times each at once.
async fn families(browsers: &[Browser]) {
    let mut tokens = Vec::new();
    for user in 0..50 {
        // Another user in the same browser would end this one's session.
        let code = Browser::at(&browsers[user % 2].base).code_for(&format!("user{user}")).await;
        tokens.push(field(&browsers[user % 2].redeem(&code, &[]).await, "refresh_token"));
    }
    for _ in 0..2 {
        let bodies: Vec<String> = tokens.iter().map(|token| refresh(token)).collect();
        let answers = at_once(browsers, &bodies, 4).await;
        answers.iter().for_each(|answer| assert_eq!(answer.status, 200, "{answer:?}"));
        tokens = answers[..50].iter().map(|answer| field(answer, "refresh_token")).collect();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c11_c23_many_at_once_at_two_processes_of_each_store() {
    for shared in Shared::all() {
        let nodes = two(&shared.store());
        let browsers: Vec<Browser> = nodes.iter().map(Node::browser).collect();
        redemptions(&browsers).await;
        refreshes(&browsers).await;
        families(&browsers).await;
    }
}
