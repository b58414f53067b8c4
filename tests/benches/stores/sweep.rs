//! How long the memory store's lock is held at most, while what has expired is dropped: how long a read of the same bucket takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use oauth_runtime::Clock;
use oauth_runtime::store::{Change, MemoryStore, Store as _, Swap, Value};
use oauth_tests::engines::Engine;

use crate::sizes::bytes;
use crate::{Plan, heading, key, load, row};

const KEEP: Duration = Duration::from_secs(3600);

pub(crate) async fn run(plan: &Plan) {
    let record = load::records().await.one;
    heading(
        "A read in memory, while its bucket is written to and drops what has expired",
        &["values", "median µs", "99.9 % µs", "longest µs", "writes until none was left", "bytes a value"],
    );
    for size in plan.sizes {
        let clock = Clock::by_hand();
        let store = MemoryStore::with_clock(clock.clone());
        let empty = bytes(&Engine::Memory).await;
        let put = async |store: &MemoryStore, number: u64| {
            let (key, value) = (key(number), Some(Value::from(record.clone())));
            let incarnation = store.read(key).await.unwrap().incarnation;
            let change = Change { incarnation, since: None, value, keep: KEEP };
            let swap = store.swap(key, change).await;
            assert!(matches!(swap, Ok(Swap::Done { .. })), "{swap:?}");
        };
        for number in 0..*size {
            put(&store, number).await;
        }
        let each = (bytes(&Engine::Memory).await - empty) / *size as f64;
        clock.advance(KEEP);
        // Each of these drops 16 of those, or all that its bucket has left.
        let writes = size.div_ceil(16).max(1024);
        let (store, at) = (Arc::new(store), Arc::new(AtomicU64::new(*size)));
        let reader = std::thread::spawn(reads(Arc::clone(&store), Arc::clone(&at)));
        for number in *size..size + writes {
            at.store(number, Ordering::Relaxed);
            // As the buffer of a request does, it makes glibc put together what has been freed.
            drop(std::hint::black_box(Vec::<u8>::with_capacity(REQUEST)));
            put(&store, number).await;
        }
        at.store(DONE, Ordering::Relaxed);
        let mut waits = reader.join().unwrap();
        waits.sort_by(f64::total_cmp);
        let of = |permille: usize| waits[(waits.len() * permille / 1000).min(waits.len() - 1)];
        let numbers = [of(500), of(999), of(1000)].map(|number| format!("{number:.1}"));
        row(&[[size.to_string()].as_slice(), &numbers, &[writes.to_string(), format!("{each:.0}")]].concat());
    }
}

/// Reads what is just being written, as fast as it can, and tells how long each took: a read does nothing but wait for the lock.
fn reads(store: Arc<MemoryStore>, at: Arc<AtomicU64>) -> impl FnOnce() -> Vec<f64> {
    move || {
        let mut times = Vec::new();
        loop {
            let number = at.load(Ordering::Relaxed);
            if number == DONE {
                return times;
            }
            let begun = Instant::now();
            let seen = store.read(key(number)).now_or_never();
            times.push(begun.elapsed().as_secs_f64() * 1e6);
            assert!(matches!(seen, Some(Ok(_))));
        }
    }
}

/// Bytes.
const REQUEST: usize = 4096;
/// No number of a value.
const DONE: u64 = u64::MAX;
