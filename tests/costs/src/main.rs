//! `costs ROW BEFORE N`: a server with one worker, and N requests to it over one connection, or N times the several requests of
//! a flow, after so many which do not count. For `run.sh`, which runs this under callgrind.
#![allow(clippy::unwrap_used)]

use oauth_tests_costs::flows::Flow;
use oauth_tests_costs::rows::{Row, Rows};
use oauth_tests_costs::{Times, count, count_flow};

#[actix_web::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, before, counted] = arguments.as_slice() else { panic!("ROW, BEFORE and N, how many times") };
    let times = Times::parse(before, counted).expect("BEFORE and N, how many times");
    match (Row::named(name), Flow::named(name)) {
        (Some(row), _) => count(&Rows::new().await, row, times).await,
        (None, Some(flow)) => count_flow(flow, times).await,
        (None, None) => panic!("ROW, of Row::name or Flow::name"),
    }
}
