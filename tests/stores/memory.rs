//! The memory store: each clause of the contract, and demand 11 from many threads.
#![allow(clippy::unwrap_used)]

use std::future::Future;
use std::pin::pin;
use std::sync::Barrier;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use oauth_runtime::store::{Change, Key, MemoryStore, Seen, Store as _, StoreError, Swap, Value, contract};
use oauth_runtime::testing::{Fault, FaultyStore, Verb};

#[tokio::test]
async fn c11_c42_the_memory_store_keeps_the_contract() {
    contract::check(MemoryStore::new()).await;
}

#[tokio::test]
async fn a_store_that_wraps_another_keeps_the_contract() {
    let store = FaultyStore::new(MemoryStore::new());
    contract::check(store.clone()).await;
    store.fail(Verb::ALL, Fault::Slow(Duration::from_millis(1)));
    contract::check(store.clone()).await;
    for &verb in Verb::ALL {
        assert!(store.calls(&[verb]) > 0, "{verb:?} was asked");
    }
}

#[tokio::test]
async fn a_faulty_store_fails_before_or_after_it_did_what_it_was_asked() {
    for (fault, then) in [(Fault::Unavailable, 0), (Fault::AnswerLost, 1)] {
        let (store, key) = (FaultyStore::new(MemoryStore::new()), Key::named("key"));
        let change = change(&store.read(key).await.unwrap());
        store.fail(&[Verb::Swap], fault);
        let lost = store.swap(key, change.clone()).await;
        assert!(matches!(&lost, Err(StoreError::Unavailable(_))), "{lost:?}");
        drop(store.swap(key, change));
        assert_eq!(store.read(key).await.unwrap().sequence, then, "no other verb fails");
        assert_eq!((store.calls(&[Verb::Swap]), store.calls(Verb::ALL)), (1, 3));
    }
}

fn change(seen: &Seen) -> Change {
    let since = seen.kept.as_ref().map(|kept| kept.version);
    let value = Some(Value::from(b"{}".to_vec()));
    Change { incarnation: seen.incarnation, since, value, keep: Duration::from_secs(600) }
}

/// The memory store answers at once.
fn now<T>(reply: impl Future<Output = T>) -> T {
    match pin!(reply).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the memory store answers at once"),
    }
}

#[test]
fn c11_of_threads_that_write_the_same_keys_one_does() {
    const THREADS: usize = 8;
    const KEYS: usize = 20_000;
    let store = MemoryStore::new();
    let together = Barrier::new(THREADS);
    let won: Vec<Vec<bool>> = std::thread::scope(|scope| {
        let write = || {
            scope.spawn(|| {
                together.wait();
                let swap = |index: usize| {
                    let key = Key::named(&index.to_string());
                    let absent = Seen { kept: None, ..now(store.read(key)).unwrap() };
                    matches!(now(store.swap(key, change(&absent))).unwrap(), Swap::Done { .. })
                };
                (0..KEYS).map(swap).collect()
            })
        };
        let threads: Vec<_> = (0..THREADS).map(|_| write()).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for key in 0..KEYS {
        let writers = won.iter().filter(|won| won[key]).count();
        assert_eq!(writers, 1, "key {key}");
    }
}
