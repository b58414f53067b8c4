//! Sign-ins, redemptions, refreshes and guarded requests a second, each over a connection to a real server.

use std::sync::Arc;
use std::time::{Duration, Instant};

use oauth_runtime::testing::{FaultyStore, Verb};
use oauth_tests::engines::Engine;
use oauth_tests::{Browser, changed};
use serde_json::Value;

use crate::load::{Connection, serve};
use crate::{Plan, Spent, at_once, heading, median, row};

/// How many connections ask at once.
const CALLERS: usize = 16;

/// A rate, and what a request cost beside it.
struct Measured {
    rate: f64,
    costs: Vec<String>,
}

pub(crate) async fn run(plan: &Plan) {
    let kinds = ["sign-in", "redemption", "refresh", "guarded", "guarded, lag 0"];
    // By engine, by kind, by round.
    let mut all: Vec<Vec<Vec<Measured>>> =
        Engine::NAMES.iter().map(|_| kinds.iter().map(|_| Vec::new()).collect()).collect();
    for _ in 0..plan.rounds {
        for (name, of_engine) in Engine::NAMES.iter().zip(&mut all) {
            for (measured, of_kind) in once(name, plan).await.into_iter().zip(of_engine) {
                of_kind.push(measured);
            }
        }
    }
    heading(
        "Over HTTP, 16 connections",
        &[
            "request",
            "store",
            "a second",
            "of memory's",
            "reads",
            "swaps",
            "counts",
            "server µs",
            "own µs",
            "asked of the server",
        ],
    );
    for (kind, title) in kinds.iter().enumerate() {
        for (engine, name) in Engine::NAMES.iter().enumerate() {
            let rates: Vec<f64> = all[engine][kind].iter().map(|measured| measured.rate).collect();
            let ratios = rates.iter().zip(&all[0][kind]).map(|(rate, memory)| rate / memory.rate).collect();
            let cells = [(*title).to_owned(), (*name).to_owned()];
            let rate = [format!("{:.0}", median(rates)), format!("{:.3}", median(ratios))];
            let costs = &all[engine][kind].last().unwrap().costs;
            row(&[cells.as_slice(), &rate, costs].concat());
        }
    }
}

/// A store, and what is watched of it.
struct Watched {
    engine: Engine,
    store: FaultyStore,
}

impl Watched {
    /// Measures what these callers do; each answers how many requests that were.
    async fn measure<F>(&self, caller: impl Fn(u64) -> F) -> Measured
    where
        F: Future<Output = u64> + Send + 'static,
    {
        let calls = || [Verb::Read, Verb::Swap, Verb::Count].map(|verb| self.store.calls(&[verb]));
        let (before, calls_before, begun) = (Spent::now(&self.engine), calls(), Instant::now());
        let done = at_once(CALLERS, caller).await;
        let rate = done as f64 / begun.elapsed().as_secs_f64();
        let each = calls()
            .into_iter()
            .zip(calls_before)
            .map(|(now, then)| format!("{:.2}", (now - then) as f64 / done as f64));
        let costs = each.chain(Spent::now(&self.engine).since(&before, done)).collect();
        Measured { rate, costs }
    }
}

async fn once(name: &str, plan: &Plan) -> Vec<Measured> {
    let engine = Engine::start(name);
    let store = FaultyStore::new(engine.store().await);
    let server = serve(store.clone(), None, |builder| builder);
    let always = serve(store.clone(), Some(&server.base), |builder| builder.revocation_lag(Duration::ZERO));
    let watched = Watched { engine, store };

    let codes = Arc::new(parking_lot::Mutex::new(vec![Vec::new(); CALLERS]));
    let each = plan.users / CALLERS;
    let signed_in = watched.measure(|caller| sign_in(Browser::new(&server), Arc::clone(&codes), caller, each)).await;
    let tokens = Arc::new(parking_lot::Mutex::new(vec![Value::Null; CALLERS]));
    let redeemed = watched
        .measure(|caller| {
            let codes = std::mem::take(&mut codes.lock()[caller as usize]);
            redeem(server.base.clone(), codes, Arc::clone(&tokens), caller)
        })
        .await;
    let text = |caller: u64, name: &str| tokens.lock()[caller as usize][name].as_str().unwrap().to_owned();
    let refreshed =
        watched.measure(|caller| refresh(server.base.clone(), text(caller, "refresh_token"), plan.time)).await;
    let guarded = watched.measure(|caller| call(server.base.clone(), text(caller, "access_token"), plan.time)).await;
    let asked = watched.measure(|caller| call(always.base.clone(), text(caller, "access_token"), plan.time)).await;
    vec![signed_in, redeemed, refreshed, guarded, asked]
}

async fn sign_in(browser: Browser, codes: Arc<parking_lot::Mutex<Vec<Vec<String>>>>, caller: u64, users: usize) -> u64 {
    let mut own = Vec::new();
    for user in 0..users {
        // Another user in the same browser would end this one's session.
        let browser = Browser::at(&browser.base);
        own.push(browser.code_for(&format!("user{caller}x{user}@example.com")).await);
    }
    codes.lock()[caller as usize] = own;
    users as u64
}

async fn redeem(base: String, codes: Vec<String>, tokens: Arc<parking_lot::Mutex<Vec<Value>>>, caller: u64) -> u64 {
    let browser = Browser::at(&base);
    let mut connection = Connection::to(&base).await;
    for code in &codes {
        let issued = connection.token(&browser.token_form(code, &[])).await;
        tokens.lock()[caller as usize] = issued;
    }
    codes.len() as u64
}

async fn refresh(base: String, mut token: String, time: Duration) -> u64 {
    let mut connection = Connection::to(&base).await;
    let (begun, mut done) = (Instant::now(), 0);
    while begun.elapsed() < time {
        let usual = [("grant_type", "refresh_token"), ("client_id", "demo"), ("refresh_token", &*token)];
        let issued = connection.token(&changed(&usual, &[])).await;
        token = issued["refresh_token"].as_str().unwrap().to_owned();
        done += 1;
    }
    done
}

async fn call(base: String, token: String, time: Duration) -> u64 {
    let mut connection = Connection::to(&base).await;
    let (begun, mut done) = (Instant::now(), 0);
    while begun.elapsed() < time {
        connection.call(&token).await;
        done += 1;
    }
    done
}
