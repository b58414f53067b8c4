//! The memory store keeps the contract, from many threads too.
#![allow(clippy::unwrap_used)]

use std::future::Future;
use std::pin::pin;
use std::sync::Barrier;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use oauth_runtime::Clock;
use oauth_runtime::store::{MemoryStore, Spend, Store as _, contract};
use oauth_tests::Spy;

#[tokio::test]
async fn the_memory_store_keeps_the_contract() {
    contract::check(MemoryStore::new()).await;
}

#[tokio::test]
async fn a_store_that_wraps_another_keeps_the_contract() {
    contract::check(Spy::slow(Clock::system(), Duration::from_millis(1))).await;
}

/// The memory store answers at once.
fn now<T>(reply: impl Future<Output = T>) -> T {
    match pin!(reply).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the memory store makes nobody wait"),
    }
}

#[test]
fn c11_threads_that_spend_the_same_ids() {
    const THREADS: usize = 8;
    const IDS: usize = 20_000;
    let store = MemoryStore::new();
    let until = Clock::system().now() + Duration::from_secs(600);
    let together = Barrier::new(THREADS);
    let won: Vec<Vec<Option<String>>> = std::thread::scope(|scope| {
        let spend = |me: usize| {
            let (store, together) = (&store, &together);
            scope.spawn(move || {
                together.wait();
                let record = me.to_string();
                let ids = (0..IDS).map(|id| match now(store.spend(&format!("id{id}"), &record, until)).unwrap() {
                    Spend::First => None,
                    Spend::Already(winner) => Some(winner),
                });
                ids.collect()
            })
        };
        let threads: Vec<_> = (0..THREADS).map(spend).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for id in 0..IDS {
        let (mut winners, mut named) = (Vec::new(), Vec::new());
        for (thread, answers) in won.iter().enumerate() {
            match &answers[id] {
                None => winners.push(thread.to_string()),
                Some(winner) => named.push(winner),
            }
        }
        let [winner] = &winners[..] else { panic!("id {id} was won by {winners:?}") };
        assert!(named.iter().all(|named| *named == winner), "the losers of {id} learn who won: {named:?}");
    }
}
