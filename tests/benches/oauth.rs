//! What sealing and signing cost, and a whole sign-in, by each algorithm. What a guard costs is in `guard.rs`.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use std::hint::black_box;
use std::time::Duration;

use actix_web::http::header;
use actix_web::{App, test};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use oauth_runtime::__bench as inner;
use oauth_tests::flows::{Caller, Flow};
use oauth_tests::rows::{PATH, admin, service, sign_in};
use oauth_tests::{free_port, serve_with};
use serde_json::{Value, json};

fn steps(criterion: &mut Criterion) {
    let oauth = service("http://127.0.0.1:8002", |builder| builder);
    let code = inner::Code::sample();
    let sealed = code.seal(&oauth).expect("a small code");
    assert!(inner::opens(&oauth, &sealed));
    let claims = json!({
        "iss": "http://127.0.0.1:8002", "aud": "http://127.0.0.1:8002", "sub": "alice", "client_id": "demo",
        "iat": 1_800_000_000, "exp": 1_800_003_600, "jti": "hH0Ah5Nq1bq8o3JqkM8u3A", "gid": "hH0Ah5Nq1bq8o3JqkM8u3A",
        "role": "admin", "level": 3
    });
    let Value::Object(claims) = claims else { unreachable!("written as an object") };
    let mut group = criterion.benchmark_group("steps");
    group.bench_function("seal a code", |bench| bench.iter(|| black_box(&code).seal(&oauth)));
    group.bench_function("open a code", |bench| bench.iter(|| inner::opens(&oauth, black_box(&sealed))));
    group.bench_function("sign a token", |bench| bench.iter(|| inner::sign(&oauth, black_box(&claims))));
}

fn flow(criterion: &mut Criterion) {
    let system = actix_web::rt::System::new();
    let oauth = service("http://127.0.0.1:8003", |builder| builder);
    let app = system.block_on(test::init_service(App::new().configure(oauth.routes()).service(admin)));
    criterion.bench_function("whole flow", |bench| {
        bench.iter(|| {
            system.block_on(async {
                let token = sign_in(&app).await;
                let request = test::TestRequest::get().uri(PATH);
                let request = request.insert_header((header::AUTHORIZATION, format!("Bearer {token}")));
                assert_eq!(test::call_service(&app, request.to_request()).await.status(), 200);
            });
        });
    });
}

/// Each over HTTP, from one client on one connection, to a server with one worker.
fn flows(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("over HTTP");
    group.throughput(Throughput::Elements(1));
    for flow in Flow::ALL.iter().filter(|flow| !flow.is_of_one_user()) {
        let (listener, base) = free_port();
        let server = serve_with(1, listener, flow.site().configure());
        let mut caller = Caller::new(*flow, &base);
        group.bench_function(flow.name(), |bench| bench.iter(|| caller.once()));
        drop(server);
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = steps, flow, flows
}
criterion_main!(benches);
