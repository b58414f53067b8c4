//! What a guard costs a request, beside a bare handler and beside other ways of guarding one.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use std::sync::Barrier;
use std::time::{Duration, Instant};

use actix_http::Request;
use actix_web::dev::Service;
use actix_web::http::header;
use actix_web::{App, test};
use criterion::{Criterion, criterion_group, criterion_main};
use oauth_runtime::Client;
use oauth_tests::SECRET;
use oauth_tests::proofs::ProofKey;
use oauth_tests::rows::{PATH, Row, Rows, admin, service};
use serde_json::{Value, json};

fn guard(criterion: &mut Criterion) {
    let system = actix_web::rt::System::new();
    let rows = system.block_on(Rows::new());
    let mut group = criterion.benchmark_group("guard");
    for row in Row::ALL {
        let app = system.block_on(test::init_service(App::new().configure(rows.configure(row))));
        let authorization = rows.authorization(row);
        let request = || {
            let request = test::TestRequest::get().uri(PATH);
            match &authorization {
                Some(value) => request.insert_header((header::AUTHORIZATION, value.clone())).to_request(),
                None => request.to_request(),
            }
        };
        let first = system.block_on(app.call(request())).expect("rows answer, they do not fail");
        assert_eq!(first.status().as_u16(), row.status(), "{row:?}");
        group.bench_function(row.title(), |bench| {
            bench.iter_custom(|times| system.block_on(timed(&app, request, times)));
        });
    }
}

/// A token that is bound to a key, seen before, with a new proof each time: none is remembered.
fn bound(criterion: &mut Criterion) {
    const ISSUER: &str = "http://127.0.0.1:8003";
    let system = actix_web::rt::System::new();
    let job = Client::confidential("job").secret(SECRET).claims(json!({ "role": "admin" }));
    let oauth = service(ISSUER, |builder| builder.dpop().client(job));
    let app = system.block_on(test::init_service(App::new().configure(oauth.routes()).service(admin)));
    let key = ProofKey::new();
    let issued: Value = system.block_on(async {
        let asked = test::TestRequest::post()
            .uri("/token")
            .insert_header(("dpop", key.proof("POST", &format!("{ISSUER}/token"))))
            .insert_header(header::ContentType::form_url_encoded())
            .set_payload(oauth_tests::changed(
                &[("grant_type", "client_credentials"), ("client_id", "job"), ("client_secret", SECRET)],
                &[],
            ));
        test::call_and_read_body_json(&app, asked.to_request()).await
    });
    let token = issued["access_token"].as_str().expect("a token").to_owned();
    let url = format!("{ISSUER}{PATH}");
    let request = || {
        let request = test::TestRequest::get().uri(PATH);
        let request = request.insert_header((header::AUTHORIZATION, format!("DPoP {token}")));
        request.insert_header(("dpop", key.proof_with("GET", &url, &token))).to_request()
    };
    let first = system.block_on(app.call(request())).expect("rows answer, they do not fail");
    assert_eq!(first.status().as_u16(), 200);
    criterion.benchmark_group("guard").bench_function("guarded, hit, bound to a key (DPoP)", |bench| {
        bench.iter_custom(|times| system.block_on(timed(&app, request, times)));
    });
}

/// One token that comes to two threads at once, beside one: what both would wait for is in the difference. The bare handler
/// shows what the machine itself makes of two threads.
fn threads(criterion: &mut Criterion) {
    let rows = actix_web::rt::System::new().block_on(Rows::new());
    let mut group = criterion.benchmark_group("threads");
    for row in [Row::Bare, Row::Hit, Row::Token] {
        for threads in [1, 2] {
            group.bench_function(format!("{}, {threads}", row.title()), |bench| {
                bench.iter_custom(|times| timed_on(threads, &rows, row, times));
            });
        }
    }
}

/// How long so many requests take on each of several threads, by the quickest round in which all of them were at it at the same
/// time: on a busy machine one may wait for a processor while the other is done.
fn timed_on(threads: usize, rows: &Rows, row: Row, times: u64) -> Duration {
    let (each, rounds) = (times.min(ROUND), times.div_ceil(ROUND));
    let together = Barrier::new(threads);
    let one = || {
        let system = actix_web::rt::System::new();
        let app = system.block_on(test::init_service(App::new().configure(rows.configure(row))));
        // Of each thread its own: a copy of it is none of the others'.
        let authorization = rows.authorization(row).expect("these rows have a token");
        let request = || {
            let request = test::TestRequest::get().uri(PATH);
            request.insert_header((header::AUTHORIZATION, authorization.clone())).to_request()
        };
        let round = |_| {
            together.wait();
            let begin = Instant::now();
            let spent = system.block_on(timed(&app, request, each));
            Round { begin, end: Instant::now(), spent }
        };
        (0..rounds).map(round).collect::<Vec<_>>()
    };
    let threads: Vec<_> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
        running.into_iter().map(|thread| thread.join().expect("rows answer, they do not fail")).collect()
    });
    let rounds: Vec<Vec<&Round>> =
        (0..rounds as usize).map(|round| threads.iter().map(|rounds| &rounds[round]).collect()).collect();
    let slowest = |round: &[&Round]| round.iter().map(|it| it.spent).max().unwrap_or_default();
    let quickest = rounds.iter().filter(|round| are_at_once(round)).map(|round| slowest(round)).min();
    let quickest = quickest.or_else(|| rounds.iter().map(|round| slowest(round)).max()).unwrap_or_default();
    quickest.mul_f64(times as f64 / each as f64)
}

/// What one thread did between two barriers.
struct Round {
    begin: Instant,
    end: Instant,
    spent: Duration,
}

/// Whether all were at it for nine tenths of the time.
fn are_at_once(round: &[&Round]) -> bool {
    let (begun, ended) = (round.iter().map(|it| it.begin), round.iter().map(|it| it.end));
    let (Some(first), Some(begun)) = (begun.clone().min(), begun.max()) else { return false };
    let (Some(ended), Some(last)) = (ended.clone().min(), ended.max()) else { return false };
    ended.saturating_duration_since(begun) >= last.duration_since(first).mul_f64(0.9)
}

/// How long so many requests take. Making them, and entering the runtime, cost more than a bare handler: they stay off the clock.
async fn timed<A: Service<Request>>(app: &A, request: impl Fn() -> Request, times: u64) -> Duration {
    let mut spent = Duration::ZERO;
    let mut left = times;
    while left > 0 {
        let requests: Vec<_> = (0..left.min(BATCH)).map(|_| request()).collect();
        left -= requests.len() as u64;
        let start = Instant::now();
        for request in requests {
            drop(app.call(request).await);
        }
        spent += start.elapsed();
    }
    spent
}

/// A few milliseconds: short enough that no other process comes between, now and then.
const ROUND: u64 = 4096;

/// Few enough that the requests stay in the cache.
const BATCH: u64 = 64;

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = guard, bound, threads
}
criterion_main!(benches);
