//! Processes that are killed in the middle of a load, and a shard that is lost.

use std::sync::Arc;
use std::time::Duration;

use oauth_tests::servers::{Postgres, Redis, RedisCluster};
use oauth_tests::{Answer, Browser};
use parking_lot::Mutex;

use crate::{Node, Shared, sqlite_file};

/// What was acknowledged: codes that were redeemed, and refresh tokens whose grants were revoked.
#[derive(Default)]
struct Acknowledged {
    redeemed: Vec<String>,
    revoked: Vec<(String, String)>,
}

/// Signs in, redeems, and revokes every other grant, until the process is gone.
async fn load(browser: Browser, user: String, acknowledged: Arc<Mutex<Acknowledged>>) {
    let password = format!("{user}123");
    let ask = async |request: reqwest::RequestBuilder| -> Option<Answer> {
        let response = request.send().await.ok()?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Some(Answer { status, headers, body: response.text().await.ok()? })
    };
    for round in 0_u32.. {
        let page = browser.http.get(browser.authorize_url(&[("prompt", Some("login"))]));
        let Some(page) = ask(page).await else { return };
        let fields = [("request", page.form()), ("username", user.clone()), ("password", password.clone())];
        let login = browser.http.post(format!("{}/login", browser.base)).form(&fields);
        let Some(signed_in) = ask(login).await else { return };
        let code = signed_in.redirect()["code"].clone();
        let token = |form: String| {
            let request = browser.http.post(format!("{}/token", browser.base));
            request.header("content-type", "application/x-www-form-urlencoded").body(form)
        };
        let Some(issued) = ask(token(browser.token_form(&code, &[]))).await else { return };
        assert_eq!(issued.status, 200, "{issued:?}");
        acknowledged.lock().redeemed.push(code);
        let issued = issued.json();
        let [access, refresh] = ["access_token", "refresh_token"].map(|name| issued[name].as_str().unwrap().to_owned());
        if round % 2 == 0 {
            let form = [("client_id", "demo"), ("token", refresh.as_str())];
            let Some(revoked) = ask(browser.http.post(format!("{}/revoke", browser.base)).form(&form)).await else {
                return;
            };
            assert_eq!(revoked.status, 200, "{revoked:?}");
            acknowledged.lock().revoked.push((access, refresh));
        }
    }
}

/// Kills a process of the service this often, and looks for everything that it had acknowledged.
async fn killed(shared: &Shared, times: usize) {
    let mut node = Node::new("http://127.0.0.1:9", &shared.store());
    for round in 0..times {
        node.start();
        let acknowledged = Arc::new(Mutex::new(Acknowledged::default()));
        let users = (0..4)
            .map(|user| tokio::spawn(load(node.browser(), format!("user{round}x{user}"), Arc::clone(&acknowledged))));
        let users: Vec<_> = users.collect();
        while acknowledged.lock().revoked.len() < 4 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        node.kill();
        for user in users {
            user.await.unwrap();
        }
        node.start();
        let browser = node.browser();
        let Acknowledged { redeemed, revoked } = std::mem::take(&mut *acknowledged.lock());
        for (access, refresh) in &revoked {
            assert_eq!(browser.call("/me", Some(access)).await.status, 401, "round {round}");
            assert_eq!(browser.refresh(refresh, &[]).await.status, 400, "round {round}");
        }
        for code in &redeemed {
            assert_eq!(browser.redeem(code, &[]).await.status, 400, "round {round}: a code was spent twice");
        }
        node.kill();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c11_c42_a_process_that_is_killed_over_sqlite_has_lost_nothing() {
    killed(&Shared::Sqlite(sqlite_file()), 20).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c11_c42_a_process_that_is_killed_over_postgresql_has_lost_nothing() {
    killed(&Shared::Postgres(Postgres::start()), 20).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c11_c42_a_process_that_is_killed_over_redis_has_lost_nothing() {
    killed(&Shared::Redis(Redis::start()), 20).await;
}

/// A shard of a Cluster starts again with nothing: its users sign in again, and no one else does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c42_a_shard_that_is_lost_refuses_its_users_and_revives_nothing() {
    let cluster = RedisCluster::start();
    let mut node = Node::new("http://127.0.0.1:9", &format!("redis:{}", cluster.urls()[0]));
    node.start();
    let browser = node.browser();
    let mut users = Vec::new();
    for user in 0..30 {
        let code = browser.code_for(&format!("user{user}")).await;
        users.push((browser.redeem(&code, &[]).await.json(), code));
    }
    cluster.ask(0, &["FLUSHALL"]);
    // What this process held of them is older than the lag by then.
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    let mut lost = 0;
    for (issued, code) in &users {
        let called = browser.call("/me", issued["access_token"].as_str()).await.status;
        assert!([200, 401].contains(&called), "{called}");
        lost += usize::from(called == 401);
        let refreshed = browser.refresh(issued["refresh_token"].as_str().unwrap(), &[]).await;
        assert_eq!(refreshed.status == 200, called == 200, "{refreshed:?}");
        assert_eq!(browser.redeem(code, &[]).await.status, 400, "a code is spent, or its memory is lost");
    }
    assert!((1..30).contains(&lost), "{lost} of 30");
    for user in 0..30 {
        browser.token_for(&format!("user{user}")).await;
    }
}
