//! `instructions ROW@STORE BEFORE N`: as `costs ROW BEFORE N` of `tests/costs`, over one of `Engine::NAMES`.
#![allow(clippy::unwrap_used)]

use oauth_tests::engines::Engine;
use oauth_tests_costs::rows::{Row, Rows};
use oauth_tests_costs::{Times, count};

#[actix_web::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, before, counted] = arguments.as_slice() else { panic!("ROW@STORE, BEFORE and N, how many times") };
    let (row, store) = name.split_once('@').expect("ROW@STORE");
    let row = Row::named(row).expect("ROW, of Row::name");
    let times = Times::parse(before, counted).expect("BEFORE and N, how many times");
    let engine = Engine::start(store);
    count(&Rows::over(engine.store().await).await, row, times).await;
}
