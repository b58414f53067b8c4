//! What each store costs, beside the store in memory: at the trait, over HTTP, by commits, and by how much it holds.
//!
//! `cargo bench -p oauth-tests --bench stores [-- SECTION..]`; the sections are `verbs`, `http`, `commits`, `sizes` and `sweep`. With
//! `--test` each runs once, with little in it.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod commits;
mod http;
mod load;
mod sizes;
mod sweep;
mod verbs;

use std::sync::Arc;
use std::time::Duration;

use oauth_runtime::store::{BUCKETS, Key, Store};
use oauth_tests::engines::{Engine, own_time};

/// How much is measured.
struct Plan {
    /// How long each rate is measured for, and how often.
    time: Duration,
    rounds: usize,
    /// How many users sign in.
    users: usize,
    /// How many records there are.
    sizes: &'static [u64],
}

const WHOLE: Plan =
    Plan { time: Duration::from_millis(700), rounds: 3, users: 1_600, sizes: &[1_000, 100_000, 1_000_000] };
const ONCE: Plan = Plan { time: Duration::from_millis(20), rounds: 1, users: 32, sizes: &[1_000] };

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let plan = if arguments.iter().any(|argument| argument == "--test") { ONCE } else { WHOLE };
    let named: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let is_asked = |section: &str| named.is_empty() || named.iter().any(|name| *name == section);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        // First of all: the memory of this process is one of the things that it measures.
        if is_asked("sizes") {
            sizes::run(&plan).await;
        }
        if is_asked("sweep") {
            sweep::run(&plan).await;
        }
        if is_asked("verbs") {
            verbs::run(&plan).await;
        }
        if is_asked("http") {
            http::run(&plan).await;
        }
        if is_asked("commits") {
            commits::run().await;
        }
    });
}

/// A key in each bucket in turn, of which no other number has the same.
fn key(number: u64) -> Key {
    let bucket = u16::try_from(number % u64::from(BUCKETS)).unwrap();
    let mut bytes = [0xA5; 32];
    bytes[..2].copy_from_slice(&bucket.to_be_bytes());
    bytes[24..].copy_from_slice(&number.to_be_bytes());
    Key::from_bytes(bytes)
}

/// What was spent between two moments, for each of so many things.
struct Spent {
    server: Option<Duration>,
    own: Duration,
    asked: Option<u64>,
}

impl Spent {
    fn now(engine: &Engine) -> Spent {
        Spent { server: engine.server_time(), own: own_time(), asked: engine.asked() }
    }

    /// Microseconds of the server's processors and of this process's, and what the server was asked.
    fn since(&self, earlier: &Spent, times: u64) -> [String; 3] {
        let each = |spent: Duration| format!("{:.1}", spent.as_secs_f64() * 1e6 / times as f64);
        let server = self.server.zip(earlier.server).map(|(now, then)| now.saturating_sub(then));
        let asked = self.asked.zip(earlier.asked).map(|(now, then)| now.saturating_sub(then));
        [
            server.map_or_else(|| "-".to_owned(), each),
            each(self.own.saturating_sub(earlier.own)),
            asked.map_or_else(|| "-".to_owned(), |asked| format!("{:.2}", asked as f64 / times as f64)),
        ]
    }
}

/// The middle one.
fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

fn row(cells: &[String]) {
    println!("| {} |", cells.join(" | "));
}

fn heading(title: &str, columns: &[&str]) {
    println!("\n## {title}\n\n| {} |\n|{}", columns.join(" | "), "---|".repeat(columns.len()));
}

/// Runs so many callers at once.
async fn at_once<F>(callers: usize, caller: impl Fn(u64) -> F) -> u64
where
    F: Future<Output = u64> + Send + 'static,
{
    let all: Vec<_> = (0..callers as u64).map(|number| tokio::spawn(caller(number))).collect();
    let mut sum = 0;
    for one in all {
        sum += one.await.unwrap();
    }
    sum
}

type Shared = Arc<dyn Store>;
