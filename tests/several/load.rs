//! A load through nginx, while processes are restarted, and while the secret is replaced.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use oauth_tests::servers::Nginx;
use oauth_tests::{Browser, NEW_SECRET, SECRET};
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::{Node, Shared, sqlite_file};

/// Two processes behind nginx, which asks them in turn.
struct Site {
    nginx: Nginx,
    nodes: [Node; 2],
}

impl Site {
    fn new(store: &str) -> Site {
        let mut nodes = [Node::new("", store), Node::new("", store)];
        let nginx = Nginx::start(&[nodes[0].base(), nodes[1].base()]);
        for node in &mut nodes {
            node.settings[0].1 = nginx.url();
            node.start();
        }
        Site { nginx, nodes }
    }

    /// Deploys other settings, a process after the other.
    async fn deploy(&mut self, settings: &[(&'static str, &str)]) {
        for (index, node) in self.nodes.iter_mut().enumerate() {
            tokio::task::block_in_place(|| {
                self.nginx.leave_out(Some(index));
                node.stop();
                node.settings.retain(|(name, _)| ["ISSUER", "STORE"].contains(name));
                node.settings.extend(settings.iter().map(|(name, value)| (*name, (*value).to_owned())));
                node.start();
                self.nginx.leave_out(None);
            });
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }
}

/// Users who sign in, refresh and call, one after another, until they have to stop.
struct Load {
    stop: Arc<AtomicBool>,
    signed_in: Arc<AtomicU64>,
    users: Vec<JoinHandle<()>>,
}

impl Load {
    fn begin(base: &str) -> Load {
        let (stop, signed_in) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let user =
            |number: usize| tokio::spawn(user(number, Browser::at(base), Arc::clone(&stop), Arc::clone(&signed_in)));
        Load { users: (0..4).map(user).collect(), stop, signed_in }
    }

    /// How many signed in. A call that failed is the test's failure.
    async fn end(self) -> u64 {
        self.stop.store(true, Ordering::SeqCst);
        for user in self.users {
            user.await.unwrap();
        }
        self.signed_in.load(Ordering::SeqCst)
    }
}

async fn user(number: usize, browser: Browser, stop: Arc<AtomicBool>, signed_in: Arc<AtomicU64>) {
    // What is handed out at the beginning lives through everything.
    let first = tokens(&browser, &format!("first{number}")).await;
    let mut round = 0;
    while !stop.load(Ordering::SeqCst) {
        round += 1;
        let issued = tokens(&browser, &format!("user{number}x{round}")).await;
        signed_in.fetch_add(1, Ordering::SeqCst);
        let refreshed = browser.refresh(text(&issued, "refresh_token"), &[]).await;
        assert_eq!(refreshed.status, 200, "{refreshed:?}");
        for token in [text(&issued, "access_token"), text(&first, "access_token")] {
            let called = browser.call("/me", Some(token)).await;
            assert_eq!(called.status, 200, "{called:?}");
        }
    }
    let last = browser.refresh(text(&first, "refresh_token"), &[]).await;
    assert_eq!(last.status, 200, "the family of the beginning is lost: {last:?}");
}

async fn tokens(browser: &Browser, user: &str) -> Value {
    // Another user in the same browser would end this one's session.
    let browser = &Browser::at(&browser.base);
    let answer = browser.sign_in(&[("scope", Some("openid"))], user, &format!("{user}123")).await;
    assert_eq!(answer.status, 303, "{answer:?}");
    let redeemed = browser.redeem(&answer.redirect()["code"], &[]).await;
    assert_eq!(redeemed.status, 200, "{redeemed:?}");
    redeemed.json()
}

fn text<'a>(issued: &'a Value, name: &str) -> &'a str {
    issued[name].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c42_no_sign_in_is_lost_while_processes_are_restarted() {
    let shared = Shared::Sqlite(sqlite_file());
    let mut site = Site::new(&shared.store());
    let load = Load::begin(&site.nginx.url());
    for _ in 0..3 {
        site.deploy(&[]).await;
    }
    let signed_in = load.end().await;
    assert!(signed_in > 10, "{signed_in} signed in\n{}", site.nginx.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c15_the_secret_is_replaced_in_three_deployments_without_a_failed_call() {
    let shared = Shared::Sqlite(sqlite_file());
    let mut site = Site::new(&shared.store());
    let load = Load::begin(&site.nginx.url());
    site.deploy(&[("SECRET", SECRET), ("NEXT", NEW_SECRET)]).await;
    site.deploy(&[("SECRET", NEW_SECRET), ("PREVIOUS", SECRET)]).await;
    let signed_in = load.end().await;
    assert!(signed_in > 10, "{signed_in} signed in");
    // When everything from before has ended, the previous one goes.
    let browser = Browser::at(&site.nginx.url());
    let before = tokens(&browser, "ada").await;
    site.deploy(&[("SECRET", NEW_SECRET)]).await;
    assert_eq!(browser.call("/me", before["access_token"].as_str()).await.status, 200);

    // In an emergency at once, with nothing beside it: everything from before has ended.
    site.deploy(&[("SECRET", SECRET)]).await;
    assert_eq!(browser.call("/me", before["access_token"].as_str()).await.status, 401);
    assert_eq!(browser.refresh(text(&before, "refresh_token"), &[]).await.status, 400);
    let silent = browser.authorize(&[("prompt", Some("none"))]).await;
    assert_eq!(silent.redirect()["error"], "login_required", "no earlier session");
    tokens(&browser, "ada").await;
}
