//! How long the memory store's lock is held at most, while what has expired is dropped: a call to it is hardly more.

use std::time::{Duration, Instant};

use oauth_runtime::Clock;
use oauth_runtime::store::{Change, MemoryStore, Store as _, Swap, Value};
use oauth_tests::engines::Engine;

use crate::sizes::bytes;
use crate::{Plan, heading, key, load, row};

const KEEP: Duration = Duration::from_secs(3600);

pub(crate) async fn run(plan: &Plan) {
    let record = load::records().await.one;
    heading(
        "A swap in memory, while as many have expired",
        &["values", "median µs", "99.9 % µs", "longest µs", "writes until none was left", "bytes a value"],
    );
    for size in plan.sizes {
        let clock = Clock::by_hand();
        let store = MemoryStore::with_clock(clock.clone());
        let empty = bytes(&Engine::Memory).await;
        let put = async |number: u64| {
            let (key, value) = (key(number), Some(Value::from(record.clone())));
            let incarnation = store.read(key).await.unwrap().incarnation;
            let change = Change { incarnation, since: None, value, keep: KEEP };
            let begun = Instant::now();
            let swap = store.swap(key, change).await;
            let took = begun.elapsed();
            assert!(matches!(swap, Ok(Swap::Done { .. })), "{swap:?}");
            took.as_secs_f64() * 1e6
        };
        for number in 0..*size {
            put(number).await;
        }
        let each = (bytes(&Engine::Memory).await - empty) / *size as f64;
        clock.advance(KEEP);
        // Each of these drops 16 of those, or all that its bucket has left.
        let writes = size.div_ceil(16).max(1024);
        let mut times = Vec::new();
        for number in *size..size + writes {
            times.push(put(number).await);
        }
        times.sort_by(f64::total_cmp);
        let at = |permille: usize| times[(times.len() * permille / 1000).min(times.len() - 1)];
        let numbers = [at(500), at(999), at(1000)].map(|number| format!("{number:.1}"));
        row(&[[size.to_string()].as_slice(), &numbers, &[writes.to_string(), format!("{each:.0}")]].concat());
    }
}
