//! A store that does not answer: everything is refused, nothing is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use oauth_runtime::store::{Advance, Count, MemoryStore, Reply, Spend, Store, StoreError};
use oauth_runtime::{Clock, Timestamp};
use oauth_tests::{Browser, start};

#[derive(Clone)]
struct Fragile(Arc<(MemoryStore, AtomicBool)>);

impl Fragile {
    fn ask<'a, T: Unpin>(&'a self, ask: impl FnOnce(&'a MemoryStore) -> Reply<'a, T>) -> Reply<'a, T> {
        let (memory, broken) = &*self.0;
        if broken.load(Ordering::SeqCst) {
            return Reply::now(Err(StoreError::Unavailable("the cable is out".into())));
        }
        ask(memory)
    }
}

impl Store for Fragile {
    fn birth(&self) -> Reply<'_, Timestamp> {
        self.ask(|memory| memory.birth())
    }
    fn spend<'a>(&'a self, id: &'a str, record: &'a str, until: Timestamp) -> Reply<'a, Spend> {
        self.ask(|memory| memory.spend(id, record, until))
    }
    fn begin<'a>(&'a self, grant: &'a str, until: Timestamp) -> Reply<'a, ()> {
        self.ask(|memory| memory.begin(grant, until))
    }
    fn advance<'a>(&'a self, grant: &'a str, from: u64, grace: Duration, until: Timestamp) -> Reply<'a, Advance> {
        self.ask(|memory| memory.advance(grant, from, grace, until))
    }
    fn revoke<'a>(&'a self, grant: &'a str, until: Timestamp) -> Reply<'a, ()> {
        self.ask(|memory| memory.revoke(grant, until))
    }
    fn is_revoked<'a>(&'a self, grant: &'a str) -> Reply<'a, bool> {
        self.ask(|memory| memory.is_revoked(grant))
    }
    fn set_not_before<'a>(&'a self, subject: &'a str, at: Timestamp, until: Timestamp) -> Reply<'a, ()> {
        self.ask(|memory| memory.set_not_before(subject, at, until))
    }
    fn not_before<'a>(&'a self, subject: &'a str) -> Reply<'a, Option<Timestamp>> {
        self.ask(|memory| memory.not_before(subject))
    }
    fn count<'a>(&'a self, key: &'a str, add: i64, window: Duration) -> Reply<'a, Count> {
        self.ask(|memory| memory.count(key, add, window))
    }
}

fn fragile() -> Fragile {
    Fragile(Arc::new((MemoryStore::new(), AtomicBool::new(false))))
}

#[tokio::test]
async fn a_store_that_does_not_answer_lets_nobody_in_and_loses_nothing() {
    let store = fragile();
    let server = start(|builder| builder.store(store.clone()));
    let browser = Browser::new(&server);
    let (code, token) = (browser.code().await, browser.token().await);
    let form = browser.authorize(&[]).await.form();

    store.0.1.store(true, Ordering::SeqCst);
    let login = browser.login(&form, "admin", "admin123").await;
    assert!(login.status == 503 && login.is_page(), "{login:?}");
    assert_eq!(login.header("retry-after"), "1");
    let redeemed = browser.redeem(&code, &[]).await;
    assert_eq!((redeemed.status, redeemed.header("retry-after")), (503, "1"), "{redeemed:?}");
    assert_eq!(redeemed.json()["error"], "temporarily_unavailable");
    let called = browser.call("/admin", Some(&token)).await;
    assert_eq!((called.status, called.header("retry-after")), (503, "1"), "{called:?}");

    store.0.1.store(false, Ordering::SeqCst);
    assert_eq!(browser.call("/admin", Some(&token)).await.status, 200);
    assert_eq!(browser.redeem(&code, &[]).await.status, 200);
    assert_eq!(browser.login(&form, "admin", "admin123").await.status, 303);
}

#[tokio::test]
async fn a_subject_s_not_before_ends_the_tokens_from_before() {
    let store = fragile();
    let server = start(|builder| builder.store(store.clone()));
    let browser = Browser::new(&server);
    let token = browser.token().await;
    assert_eq!(browser.call("/admin", Some(&token)).await.status, 200);
    let now = Clock::system().now() + Duration::from_secs(1);
    store.set_not_before("admin", now, now + Duration::from_secs(3600)).await.unwrap();
    let refused = browser.call("/admin", Some(&token)).await;
    assert_eq!(refused.challenge()["error"], "invalid_token");
}
