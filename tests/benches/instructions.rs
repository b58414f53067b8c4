//! `instructions ROW@STORE N`: as `costs ROW N` of `tests/costs`, over one of `Engine::NAMES`.
#![allow(clippy::unwrap_used)]

use oauth_tests::engines::Engine;
use oauth_tests_costs::count;
use oauth_tests_costs::rows::{Row, Rows};

#[actix_web::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let (row, store) = name.split_once('@').expect("ROW@STORE");
    let row = Row::named(row).expect("ROW, of Row::name");
    let times = arguments.next().and_then(|times| times.parse().ok()).expect("N, how many requests");
    let engine = Engine::start(store);
    count(&Rows::over(engine.store().await).await, row, times).await;
}
