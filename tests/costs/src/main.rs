//! `costs ROW N`: a server with one worker, and N requests to it over one connection. For `run.sh`, which runs this under
//! callgrind.
#![allow(clippy::unwrap_used)]

use oauth_tests_costs::count;
use oauth_tests_costs::rows::{Row, Rows};

#[actix_web::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let row = arguments.next().and_then(|name| Row::named(&name)).expect("ROW, of Row::name");
    let times = arguments.next().and_then(|times| times.parse().ok()).expect("N, how many requests");
    count(&Rows::new().await, row, times).await;
}
