//! What a guard costs a request, what sealing and signing cost, and a whole sign-in.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use std::hint::black_box;
use std::time::Duration;

use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::header;
use actix_web::{App, get, test};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use criterion::{Criterion, criterion_group, criterion_main};
use oauth_runtime::{__bench as inner, Client, Login, OAuthService, require_claim};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

#[get("/bare")]
async fn bare() -> &'static str {
    "hello"
}

#[require_claim(role = "admin")]
#[get("/admin")]
async fn admin() -> &'static str {
    "hello"
}

#[require_claim(role = "auditor")]
#[get("/auditor")]
async fn auditor() -> &'static str {
    "hello"
}

/// The issuer is another for each, since two services of one issuer in a process log an error.
fn service(issuer: &str) -> OAuthService {
    OAuthService::builder()
        .issuer(issuer)
        .secret("a secret for benches alone, and long enough")
        .client(Client::public("demo").redirect_uri(CALLBACK))
        .authenticate(async |login: Login| (login.username == "alice").then(|| json!({ "role": "admin" })))
        .build()
        .expect("the configuration is good")
}

macro_rules! app {
    ($oauth:expr) => {
        test::init_service(App::new().configure($oauth.routes()).service(bare).service(admin).service(auditor)).await
    };
}

/// From the authorization request to the token.
async fn sign_in<B>(
    app: &impl Service<actix_http::Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
) -> String
where
    B: actix_web::body::MessageBody,
{
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let query = form(&[
        ("response_type", "code"),
        ("client_id", "demo"),
        ("redirect_uri", CALLBACK),
        ("state", "xyz"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ]);
    let page = test::call_service(app, test::TestRequest::get().uri(&format!("/authorize?{query}")).to_request()).await;
    let cookie = page.headers().get(header::SET_COOKIE).expect("a cookie").to_str().expect("ASCII");
    let cookie = cookie.split(';').next().expect("a cookie").to_owned();
    let html = test::read_body(page).await;
    let html = std::str::from_utf8(&html).expect("UTF-8");
    let (_, rest) = html.split_once("name=\"request\" value=\"").expect("the sealed form");
    let sealed = rest.split('"').next().expect("its end");

    let login = test::TestRequest::post()
        .uri("/login")
        .insert_header((header::COOKIE, cookie))
        .insert_header(header::ContentType::form_url_encoded())
        .set_payload(form(&[("request", sealed), ("username", "alice"), ("password", "x")]));
    let response = test::call_service(app, login.to_request()).await;
    assert_eq!(response.status(), 303);
    let location = response.headers().get(header::LOCATION).expect("a place to go").to_str().expect("ASCII");
    let location = url::Url::parse(location).expect("a URL");
    let code = location.query_pairs().find(|(name, _)| name == "code").expect("a code").1;

    let redeem = test::TestRequest::post()
        .uri("/token")
        .insert_header(header::ContentType::form_url_encoded())
        .set_payload(form(&[
            ("grant_type", "authorization_code"),
            ("client_id", "demo"),
            ("redirect_uri", CALLBACK),
            ("code", &code),
            ("code_verifier", VERIFIER),
        ]));
    let issued: Value = test::call_and_read_body_json(app, redeem.to_request()).await;
    issued["access_token"].as_str().expect("a token").to_owned()
}

async fn status<B>(
    app: &impl Service<actix_http::Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    path: &str,
    token: Option<&str>,
) -> u16
where
    B: actix_web::body::MessageBody,
{
    let mut request = test::TestRequest::get().uri(path);
    if let Some(token) = token {
        request = request.insert_header((header::AUTHORIZATION, format!("Bearer {token}")));
    }
    match app.call(request.to_request()).await {
        Ok(response) => response.status().as_u16(),
        Err(error) => error.error_response().status().as_u16(),
    }
}

fn form(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

fn guard(criterion: &mut Criterion) {
    let system = actix_web::rt::System::new();
    let (app, token) = system.block_on(async {
        let app = app!(service("http://127.0.0.1:8001"));
        let token = sign_in(&app).await;
        // A token is good from the second after the store's birth.
        for (path, token, expected) in [
            ("/bare", None, 200),
            ("/admin", Some(token.as_str()), 200),
            ("/auditor", Some(&token), 403),
            ("/admin", None, 401),
        ] {
            assert_eq!(status(&app, path, token).await, expected, "{path}");
        }
        (app, token)
    });
    let mut group = criterion.benchmark_group("guard");
    let rows = [
        ("bare handler", "/bare", None),
        ("accepted", "/admin", Some(token.as_str())),
        ("refused, 403", "/auditor", Some(token.as_str())),
        ("refused, 401", "/admin", None),
    ];
    for (name, path, token) in rows {
        group.bench_function(name, |bench| bench.iter(|| system.block_on(status(&app, path, token))));
    }
}

fn steps(criterion: &mut Criterion) {
    let oauth = service("http://127.0.0.1:8002");
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
    let app = system.block_on(async { app!(service("http://127.0.0.1:8003")) });
    criterion.bench_function("whole flow", |bench| {
        bench.iter(|| {
            system.block_on(async {
                let token = sign_in(&app).await;
                assert_eq!(status(&app, "/admin", Some(&token)).await, 200);
            });
        });
    });
}

const CALLBACK: &str = "http://127.0.0.1/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = guard, steps, flow
}
criterion_main!(benches);
