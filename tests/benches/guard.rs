//! What a guard costs a request, beside a bare handler and beside other ways of guarding one.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use std::time::{Duration, Instant};

use actix_web::dev::Service as _;
use actix_web::http::header;
use actix_web::{App, test};
use criterion::{Criterion, criterion_group, criterion_main};
use oauth_tests::rows::{PATH, Row, Rows};

fn guard(criterion: &mut Criterion) {
    let system = actix_web::rt::System::new();
    let rows = system.block_on(Rows::new());
    let mut group = criterion.benchmark_group("guard");
    for row in Row::ALL {
        let app = system.block_on(test::init_service(App::new().configure(rows.configure(row))));
        let authorization = rows.authorization(row);
        let request = || {
            let request = test::TestRequest::get().uri(PATH);
            request.insert_header((header::AUTHORIZATION, authorization.clone())).to_request()
        };
        let first = system.block_on(app.call(request())).expect("rows answer, they do not fail");
        assert_eq!(first.status().as_u16(), row.status(), "{row:?}");
        group.bench_function(row.title(), |bench| {
            // Making requests, and entering the runtime, cost more than a bare handler: they stay off the clock.
            bench.iter_custom(|times| {
                system.block_on(async {
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
                })
            });
        });
    }
}

/// Few enough that the requests stay in the cache.
const BATCH: u64 = 64;

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = guard
}
criterion_main!(benches);
