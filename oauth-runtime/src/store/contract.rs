//! What every [`Store`] must do: run it against your own (feature `testing`).
//!
//! ```
//! use oauth_runtime::store::{MemoryStore, contract};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! contract::check(MemoryStore::new()).await;
//! # });
//! ```

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use crate::model::{Clock, Timestamp};
use crate::store::{Advance, Count, Spend, Store, StoreError};

/// Checks a store against the contract. It takes about three seconds of real time (more where the machine pauses),
/// since facts have to expire, and uses keys of its own that begin with `contract/`.
///
/// # Panics
/// Where the store breaks the contract; the message says which clause.
pub async fn check(store: impl Store) {
    let store = Arc::new(store);
    spending(&*store).await;
    families(&*store).await;
    revocation(&*store).await;
    subjects(&*store).await;
    counters(&*store).await;
    races(&*store).await;
    birth(&*store).await;
    expiry(&*store).await;
}

async fn spending(store: &dyn Store) {
    let id = key();
    assert_eq!(ok(store.spend(&id, "first", soon()).await), Spend::First, "an id is spent once");
    for _ in 0..2 {
        let again = ok(store.spend(&id, "again", soon()).await);
        assert_eq!(again, Spend::Already("first".into()), "a spent id says what the first spending recorded");
    }
    assert_eq!(ok(store.spend(&key(), "", soon()).await), Spend::First, "other ids are not touched");
}

async fn families(store: &dyn Store) {
    let (grant, grace) = (key(), Duration::from_secs(60));
    assert_eq!(ok(store.advance(&grant, 0, grace, soon()).await), Advance::Ended, "an absent family has ended");
    ok(store.begin(&grant, soon()).await);
    assert_eq!(ok(store.advance(&grant, 0, grace, soon()).await), Advance::Advanced(1), "a family advances");
    assert_eq!(ok(store.advance(&grant, 0, grace, soon()).await), Advance::Grace(1), "grace takes the predecessor");
    assert_eq!(ok(store.advance(&grant, 1, grace, soon()).await), Advance::Advanced(2), "a family advances again");
    ok(store.begin(&grant, soon()).await);
    assert_eq!(ok(store.advance(&grant, 1, grace, soon()).await), Advance::Grace(2), "to begin again changes nothing");
    assert_eq!(ok(store.advance(&grant, 0, grace, soon()).await), Advance::Reused, "grace takes the predecessor only");
    assert_eq!(ok(store.advance(&grant, 2, grace, soon()).await), Advance::Ended, "reuse ends the family");
    assert!(ok(store.is_revoked(&grant).await), "and is a revocation");

    let (grant, none) = (key(), Duration::ZERO);
    ok(store.begin(&grant, soon()).await);
    assert_eq!(ok(store.advance(&grant, 0, none, soon()).await), Advance::Advanced(1), "a family advances");
    assert_eq!(ok(store.advance(&grant, 0, none, soon()).await), Advance::Reused, "without grace reuse is reuse");

    let grant = key();
    ok(store.begin(&grant, soon()).await);
    assert_eq!(ok(store.advance(&grant, 1, grace, soon()).await), Advance::Reused, "a generation to come is none");
    let grant = key();
    ok(store.begin(&grant, soon()).await);
    assert_eq!(ok(store.advance(&grant, u64::MAX, grace, soon()).await), Advance::Reused, "nor is the last number");
}

async fn revocation(store: &dyn Store) {
    let grant = key();
    assert!(!ok(store.is_revoked(&grant).await), "what nobody revoked is not revoked");
    ok(store.begin(&grant, soon()).await);
    assert!(!ok(store.is_revoked(&grant).await), "a living family is not revoked");
    ok(store.revoke(&grant, soon()).await);
    assert!(ok(store.is_revoked(&grant).await), "revoked");
    ok(store.begin(&grant, soon()).await);
    assert!(ok(store.is_revoked(&grant).await), "to begin does not undo a revocation");
    let advance = ok(store.advance(&grant, 0, Duration::from_secs(60), soon()).await);
    assert_eq!(advance, Advance::Ended, "a revoked family does not advance");
}

async fn subjects(store: &dyn Store) {
    let (subject, now) = (key(), Clock::system().now());
    assert_eq!(ok(store.not_before(&subject).await), None, "nothing is set at first");
    ok(store.set_not_before(&subject, now, soon()).await);
    assert_eq!(ok(store.not_before(&subject).await), Some(now), "what was set is answered");
    ok(store.set_not_before(&subject, Timestamp::from_seconds(1), soon()).await);
    assert_eq!(ok(store.not_before(&subject).await), Some(now), "it never moves back");
}

async fn counters(store: &dyn Store) {
    let (key, window) = (key(), Duration::from_secs(60));
    for expected in [1, 2, 3] {
        let Count { sum, ends_in } = ok(store.count(&key, 1, window).await);
        assert_eq!(sum, expected, "a counter adds up");
        assert!(ends_in <= window, "its window does not grow");
    }
    assert_eq!(ok(store.count(&key, 0, window).await).sum, 3, "to add nothing is to read");
    assert_eq!(ok(store.count(&key, -2, window).await).sum, 1, "a counter takes back");
    assert_eq!(ok(store.count(&key, -5, window).await).sum, 0, "and never falls below zero");
    assert_eq!(ok(store.count(&key, 1, window).await).sum, 1, "from there it counts on");
}

async fn races(store: &dyn Store) {
    let (id, grant) = (key(), key());
    let spent = join_all((0..100).map(|_| store.spend(&id, "x", soon()))).await;
    let first = spent.into_iter().filter(|spend| matches!(spend, Ok(Spend::First))).count();
    assert_eq!(first, 1, "of a hundred who spend one id at once, one is the first");

    ok(store.begin(&grant, soon()).await);
    let advanced = join_all((0..100).map(|_| store.advance(&grant, 0, Duration::from_secs(60), soon()))).await;
    let first = advanced.iter().filter(|advance| matches!(advance, Ok(Advance::Advanced(1)))).count();
    let grace = advanced.iter().filter(|advance| matches!(advance, Ok(Advance::Grace(1)))).count();
    assert_eq!((first, grace), (1, 99), "of a hundred who advance at once one advances, the others get the same");
}

async fn birth(store: &dyn Store) {
    let birth = ok(store.birth().await);
    assert!(birth <= Clock::system().now(), "a store was born before now");
    assert_eq!(birth, ok(store.birth().await), "and stays as old as it is");
}

async fn expiry(store: &dyn Store) {
    let mut lifetime = Duration::from_secs(2);
    while !expires_after(store, lifetime).await {
        // The machine paused for so long that nothing was seen: once more, with facts that outlast it.
        lifetime *= 4;
        assert!(lifetime < Duration::from_secs(600), "the store takes minutes to answer");
    }
}

/// False where the facts had expired before they could be looked at.
async fn expires_after(store: &dyn Store, lifetime: Duration) -> bool {
    let (id, grant, longer, subject, counter) = (key(), key(), key(), key(), key());
    let until = Clock::system().now() + lifetime;
    ok(store.spend(&id, "x", until).await);
    ok(store.revoke(&grant, until).await);
    let (idle, used, reused) = (key(), key(), key());
    for family in [&idle, &used, &reused] {
        ok(store.begin(family, until).await);
    }
    let grace = Duration::from_secs(60);
    let advanced = ok(store.advance(&used, 0, grace, soon()).await);
    let reuse = ok(store.advance(&reused, 7, grace, soon()).await);
    ok(store.revoke(&longer, soon()).await);
    ok(store.revoke(&longer, until).await);
    ok(store.set_not_before(&subject, until, until).await);
    let _ = ok(store.count(&counter, 5, lifetime).await);
    let is_revoked = ok(store.is_revoked(&grant).await);
    if Clock::system().now() >= until {
        return false;
    }
    assert_eq!(advanced, Advance::Advanced(1), "a family advances");
    assert_eq!(reuse, Advance::Reused, "a generation to come is none");
    assert!(is_revoked, "a fact lives until its expiry");
    tokio::time::sleep(lifetime + Duration::from_millis(1100)).await;
    assert_eq!(ok(store.spend(&id, "y", soon()).await), Spend::First, "a spent id is forgotten at its expiry");
    assert!(!ok(store.is_revoked(&grant).await), "so is a revocation");
    assert!(ok(store.is_revoked(&longer).await), "which a later one never shortens");
    assert_eq!(ok(store.advance(&idle, 0, grace, soon()).await), Advance::Ended, "so is a family");
    assert_eq!(ok(store.advance(&used, 1, grace, soon()).await), Advance::Advanced(2), "which lives on with its use");
    assert!(ok(store.is_revoked(&reused).await), "reuse is remembered for as long as the call says");
    assert_eq!(ok(store.not_before(&subject).await), None, "so is a subject's not-before");
    assert_eq!(ok(store.count(&counter, 1, lifetime).await).sum, 1, "and a counter begins again");
    true
}

fn ok<T>(result: Result<T, StoreError>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("the store answered an error: {error}"),
    }
}

fn key() -> String {
    format!("contract/{:032x}", rand::random::<u128>())
}

fn soon() -> Timestamp {
    Clock::system().now() + Duration::from_secs(600)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryStore;
    use crate::testing::{Fault, FaultyStore, Verb};

    #[tokio::test]
    async fn a_pause_is_not_taken_for_a_broken_store() {
        let store = FaultyStore::new(MemoryStore::new());
        store.fail(&[Verb::SetNotBefore], Fault::Slow(Duration::from_secs(2)));
        assert!(!expires_after(&store, Duration::from_secs(2)).await);
    }
}
