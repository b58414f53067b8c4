//! Reads, swaps and counts a second, by one caller and by 64.

use std::sync::Arc;
use std::time::{Duration, Instant};

use oauth_runtime::store::{Change, Count, Swap, Value};
use oauth_tests::engines::Engine;

use crate::{Plan, Shared, Spent, at_once, heading, key, load, median, row};

#[derive(Clone, Copy, Debug)]
enum Verb {
    Read,
    Swap,
    Count,
}

/// How many calls come between two looks at the clock, which costs as much as a call of the store in memory.
const PORTION: u64 = 16;

pub(crate) async fn run(plan: &Plan) {
    let record = load::records().await.one;
    let mut engines: Vec<(&str, Engine, Shared)> = Vec::new();
    for name in Engine::NAMES {
        let engine = Engine::start(name);
        let store = Arc::from(engine.store().await);
        engines.push((name, engine, store));
    }
    heading(
        "At the trait",
        &["call", "callers", "store", "a second", "of memory's", "server µs", "own µs", "asked of the server"],
    );
    for verb in [Verb::Read, Verb::Swap, Verb::Count] {
        for callers in [1, 64] {
            let mut rates = vec![Vec::new(); engines.len()];
            let mut spent = vec![Vec::new(); engines.len()];
            for _ in 0..plan.rounds {
                for (index, (_, engine, store)) in engines.iter().enumerate() {
                    let before = Spent::now(engine);
                    let begun = Instant::now();
                    let until = begun + plan.time;
                    let ask = |number| call(verb, Arc::clone(store), number, record.clone(), until);
                    let done = at_once(callers, ask).await;
                    rates[index].push(done as f64 / begun.elapsed().as_secs_f64());
                    spent[index] = Spent::now(engine).since(&before, done).to_vec();
                }
            }
            for (index, (name, ..)) in engines.iter().enumerate() {
                let ratios = rates[index].iter().zip(&rates[0]).map(|(rate, memory)| rate / memory).collect();
                let cells = [format!("{verb:?}"), callers.to_string(), (*name).to_owned()];
                let rate = [format!("{:.0}", median(rates[index].clone())), format!("{:.5}", median(ratios))];
                row(&[cells.as_slice(), &rate, &spent[index]].concat());
            }
        }
    }
}

/// Calls one verb until then; answers how often.
async fn call(verb: Verb, store: Shared, number: u64, record: Vec<u8>, until: Instant) -> u64 {
    let (key, value) = (key(number), Some(Value::from(record)));
    let keep = Duration::from_secs(86_400);
    let seen = store.read(key).await.unwrap();
    let (incarnation, mut since) = (seen.incarnation, seen.kept.map(|kept| kept.version));
    if since.is_none() {
        let Swap::Done { sequence, .. } =
            store.swap(key, Change { incarnation, since, value: value.clone(), keep }).await.unwrap()
        else {
            panic!("another has the key")
        };
        since = Some(sequence);
    }
    let counts = [Count { slot: u32::try_from(number).unwrap(), add: 1, window: keep }];
    let mut done = 0;
    loop {
        for _ in 0..PORTION {
            match verb {
                Verb::Read => drop(store.read(key).await.unwrap()),
                Verb::Count => drop(store.count(&counts).await.unwrap()),
                Verb::Swap => match store.swap(key, Change { incarnation, since, value: value.clone(), keep }).await {
                    Ok(Swap::Done { sequence, .. }) => since = Some(sequence),
                    other => panic!("{other:?}"),
                },
            }
        }
        done += PORTION;
        if Instant::now() >= until {
            return done;
        }
    }
}
