//! The memory store keeps the contract, from many threads too.
#![allow(clippy::unwrap_used)]

use std::future::Future;
use std::pin::pin;
use std::sync::Barrier;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use oauth_runtime::Clock;
use oauth_runtime::store::{MemoryStore, Spend, Store as _, StoreError, contract};
use oauth_runtime::testing::{Fault, FaultyStore, Verb};

#[tokio::test]
async fn the_memory_store_keeps_the_contract() {
    contract::check(MemoryStore::new()).await;
}

#[tokio::test]
async fn a_store_that_wraps_another_keeps_the_contract() {
    let store = FaultyStore::new(MemoryStore::new());
    contract::check(store.clone()).await;
    store.fail(&Verb::ALL, Fault::Slow(Duration::from_millis(1)));
    contract::check(store.clone()).await;
    for verb in Verb::ALL {
        assert!(store.calls(&[verb]) > 0, "{verb:?} was asked");
    }
}

#[tokio::test]
async fn a_faulty_store_fails_before_or_after_it_did_what_it_was_asked() {
    let until = Clock::system().now() + Duration::from_secs(60);
    let faults = [(Fault::Unavailable, Spend::First), (Fault::AnswerLost, Spend::Already("first".into()))];
    for (fault, then) in faults {
        let store = FaultyStore::new(MemoryStore::new());
        store.fail(&[Verb::Spend], fault);
        let lost = store.spend("id", "first", until).await;
        assert!(matches!(&lost, Err(StoreError::Unavailable(_))), "{lost:?}");
        assert!(store.birth().await.is_ok(), "no other verb fails");
        drop(store.spend("id", "dropped", until));
        store.repair();
        assert_eq!(store.spend("id", "second", until).await.unwrap(), then);
        assert_eq!((store.calls(&[Verb::Spend]), store.calls(&Verb::CHANGES), store.calls(&Verb::ALL)), (2, 2, 3));
    }
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
