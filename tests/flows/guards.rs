//! What a guard decides, when it does, and what it says.

use std::time::{Duration, Instant};

use actix_web::error::{ErrorBadRequest, ErrorNotFound};
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, Responder as _, get, web};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use oauth_runtime::testing::Verb;
use oauth_runtime::{policy, public, require_token};
use oauth_tests::{Answer, Browser, PATIENCE, free_port, head_only, serve, slow, start, start_with};
use serde_json::{Value, json};

const SLOW: Duration = Duration::from_millis(200);
const JSON: &str = "content-type: application/json\r\nhost: x\r\n";

async fn post(browser: &Browser, token: Option<&str>, body: String) -> Answer {
    let request = browser.http.post(format!("{}/write", browser.base)).header("content-type", "application/json");
    let request = match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    Answer::to(request.body(body)).await
}

#[tokio::test]
async fn c26_c28_the_guard_decides_before_the_extractors() {
    let server = start(|builder| builder.store(slow(SLOW)).revocation_lag(Duration::ZERO));
    let browser = Browser::new(&server);
    let (admin, user) = (browser.token().await, browser.token_for("user").await);
    for body in ["{ broken".to_owned(), String::new(), "x".repeat(40_000)] {
        let none = post(&browser, None, body.clone()).await;
        assert_eq!((none.status, none.challenge().contains_key("error")), (401, false), "{none:?}");
        let bad = post(&browser, Some("a.b.c"), body.clone()).await;
        assert_eq!((bad.status, bad.challenge()["error"].as_str()), (401, "invalid_token"));
        let begun = Instant::now();
        let wrong = post(&browser, Some(&user), body.clone()).await;
        assert!(begun.elapsed() >= SLOW, "the decision did wait");
        assert_eq!((wrong.status, wrong.challenge()["error"].as_str()), (403, "insufficient_scope"));
        assert_eq!(post(&browser, Some(&admin), body).await.status, 400, "only who is let in learns of the body");
    }
    assert_eq!(post(&browser, Some(&admin), "[1]".to_owned()).await.body, "[1]");
}

#[tokio::test]
async fn c26_not_one_byte_of_the_body_is_needed_to_refuse() {
    let server = start(|builder| builder.store(slow(SLOW)).revocation_lag(Duration::ZERO));
    let browser = Browser::new(&server);
    let (admin, user) = (browser.token().await, browser.token_for("user").await);
    for length in [100, 50_000_000_u64] {
        let head = |authorization: &str| {
            format!("POST /write HTTP/1.1\r\n{JSON}content-length: {length}\r\n{authorization}\r\n")
        };
        assert_eq!(head_only(&server, &head(""), PATIENCE), Some(401));
        assert_eq!(head_only(&server, &head(&format!("authorization: Bearer {user}\r\n")), PATIENCE), Some(403));
    }
    let head = format!("POST /write HTTP/1.1\r\n{JSON}content-length: 100\r\nauthorization: Bearer {admin}\r\n\r\n");
    assert_eq!(head_only(&server, &head, SLOW * 4), None, "who is let in is waited for");
    let head =
        format!("POST /write HTTP/1.1\r\n{JSON}content-length: 50000000\r\nauthorization: Bearer {admin}\r\n\r\n");
    assert_eq!(head_only(&server, &head, PATIENCE), Some(413));
}

#[tokio::test]
async fn c25_only_the_header_and_its_scheme_without_case() {
    let server = start(|builder| builder);
    let browser = Browser::new(&server);
    let token = browser.token().await;
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR", "Bearer  "] {
        let request =
            browser.http.get(format!("{}/me", server.base)).header("authorization", format!("{scheme} {token}"));
        assert_eq!(Answer::to(request).await.status, 200, "{scheme}");
    }
    let query = browser.call(&format!("/me?access_token={token}"), None).await;
    assert_eq!((query.status, query.challenge().contains_key("error")), (401, false));
    let form = browser.post("/write", format!("access_token={token}")).await;
    assert_eq!(form.status, 401);
}

#[tokio::test]
async fn c27_c28_c29_every_challenge_is_well_formed() {
    let server = start(|builder| builder);
    let browser = Browser::new(&server);
    let user = browser.token_for("user").await;
    let rows: [(&str, Option<String>, u16, Option<&str>); 8] = [
        ("/me", None, 401, None),
        ("/me", Some("Basic YTpi".into()), 401, None),
        ("/me", Some("Bearer".into()), 400, Some("invalid_request")),
        ("/me", Some("Bearer a b".into()), 400, Some("invalid_request")),
        ("/me", Some("Bearer a.b.c".into()), 401, Some("invalid_token")),
        ("/admin", Some(format!("Bearer {user}")), 403, Some("insufficient_scope")),
        ("/notes", Some(format!("Bearer {user}")), 403, Some("insufficient_scope")),
        ("/shaped", Some(format!("Bearer {user}")), 403, Some("insufficient_scope")),
    ];
    for (path, authorization, status, error) in rows {
        let request = browser.http.get(format!("{}{path}", server.base));
        let request = match &authorization {
            Some(value) => request.header("authorization", value),
            None => request,
        };
        let answer = Answer::to(request).await;
        let challenge = answer.challenge();
        assert_eq!((answer.status, challenge.get("error").map(String::as_str)), (status, error), "{path} {answer:?}");
        assert_eq!(challenge["realm"], server.base);
        assert_eq!(challenge.get("scope").map(String::as_str), (path == "/notes").then_some("notes:read"));
        assert_eq!(answer.json().get("error").and_then(Value::as_str), error);
        assert_eq!(challenge.contains_key("error_description"), error.is_some());
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn c26_a_store_that_takes_its_time_is_asked_once_a_request() {
    let spy = slow(Duration::from_millis(5));
    let store = spy.clone();
    let server = start(|builder| builder.store(store).revocation_lag(Duration::ZERO));
    let browser = Browser::new(&server);
    let token = browser.token().await;
    let before = spy.calls(Verb::ALL);
    for calls in 1..4 {
        assert_eq!(browser.call("/stacked", Some(&token)).await.status, 200);
        assert_eq!(spy.calls(Verb::ALL) - before, calls, "three guards and two extractors ask once");
    }
}

#[tokio::test]
async fn c26_tokens_of_other_keys_and_of_none() {
    let server = start(|builder| builder);
    let browser = Browser::new(&server);
    let token = browser.token().await;
    let parts: Vec<&str> = token.split('.').collect();
    let decode = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    let (header, payload) = (decode(parts[0]), parts[1]);
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = |header: &Value, payload: &str, key: &[u8]| {
        let message = format!("{}.{payload}", encode(header));
        let key = EncodingKey::from_secret(key);
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
        format!("{message}.{signature}")
    };
    let with = |name: &str, value: &str| {
        let mut changed = header.clone();
        changed[name] = json!(value);
        changed
    };
    let mut promoted = decode(payload);
    promoted["role"] = json!("root");
    let bad = [
        signed(&header, payload, b"the key of someone else altogether"),
        signed(&header, payload, oauth_tests::SECRET.as_bytes()),
        signed(&with("alg", "none"), payload, b""),
        format!("{}.{payload}.", encode(&with("alg", "none"))),
        format!("{}.{payload}", encode(&with("alg", "none"))),
        format!("{}.{payload}.{}", encode(&with("alg", "HS512")), parts[2]),
        format!("{}.{payload}.{}", encode(&with("typ", "JWT")), parts[2]),
        format!("{}.{}.{}", parts[0], encode(&promoted), parts[2]),
        format!("{}.{payload}.", parts[0]),
        format!("{token}x"),
        format!("{}.{token}", parts[0]),
        token[..token.len() - 1].to_owned(),
        browser.code().await,
        browser.authorize(&[]).await.form()[..200].to_owned(),
        "x".repeat(9000),
    ];
    for bad in bad {
        let answer = browser.call("/me", Some(&bad)).await;
        assert_eq!((answer.status, answer.challenge()["error"].as_str()), (401, "invalid_token"), "{bad}");
    }
    assert_eq!(browser.call("/me", Some(&token)).await.status, 200);
}

#[tokio::test]
async fn c26_a_token_of_another_issuer_or_audience_under_the_same_secret() {
    let (a, b) = (start(|builder| builder), start(|builder| builder));
    let token = Browser::new(&a).token().await;
    assert_eq!(Browser::new(&b).call("/me", Some(&token)).await.status, 401);
    let name = "http://127.0.0.1:9";
    let a = start(|builder| builder.issuer(name).audience("one"));
    let b = start(|builder| builder.issuer(name).audience("two"));
    let (a, b) = (Browser::new(&a), Browser::new(&b));
    let token = a.token().await;
    assert_eq!(a.call("/me", Some(&token)).await.json()["aud"], json!(["one"]));
    assert_eq!(b.call("/me", Some(&token)).await.status, 401);
}

#[tokio::test]
async fn c27_a_body_of_ones_own_changes_neither_status_nor_challenge() {
    let server = start(|builder| {
        builder.refusal_body(|refusal, request| {
            HttpResponse::Ok()
                .insert_header(("www-authenticate", "Basic"))
                .insert_header(("cache-control", "public"))
                .json(json!({ "mine": refusal.error(), "status": refusal.status().as_u16(), "path": request.path() }))
        })
    });
    let browser = Browser::new(&server);
    let none = browser.call("/me", None).await;
    assert_eq!((none.status, none.json()), (401, json!({ "mine": null, "status": 401, "path": "/me" })));
    assert_eq!((none.challenge()["realm"].as_str(), none.header("cache-control")), (server.base.as_str(), "no-store"));
    let user = browser.token_for("user").await;
    let wrong = browser.call("/admin", Some(&user)).await;
    assert_eq!((wrong.status, &wrong.json()["mine"]), (403, &json!("insufficient_scope")));
    assert_eq!(wrong.challenge()["error"], "insufficient_scope");
}

#[require_token]
#[get("/answers/{status}")]
async fn answers(status: web::Path<u16>) -> Result<HttpResponse, actix_web::Error> {
    let mut answer = HttpResponse::build(StatusCode::from_u16(*status).map_err(ErrorBadRequest)?);
    match *status {
        404 => Err(ErrorNotFound("not there")),
        202 => Ok(answer.insert_header(("cache-control", "public, max-age=60")).finish()),
        _ => Ok(answer.finish()),
    }
}

#[public]
#[get("/welcome")]
async fn welcome() -> &'static str {
    "welcome"
}

/// RFC 9111 section 3.5
#[tokio::test]
async fn c26_what_a_guard_let_through_is_private_unless_its_handler_says_otherwise() {
    let (listener, base) = free_port();
    let oauth = oauth_tests::builder(&base).build().unwrap();
    let server = serve(listener, move |app| {
        let within = || async { "within" };
        let said = || async { "said".customize().insert_header(("cache-control", "no-cache")) };
        let scope = web::scope("/scope").route("/within", web::get().to(within)).route("/said", web::get().to(said));
        app.configure(oauth.routes()).configure(oauth_tests::handlers).service(answers).service(welcome);
        app.service(scope.wrap(oauth.require(policy!(sub = "admin"))));
    });
    let browser = Browser::new(&server);
    let token = browser.token().await;
    for (path, status, control) in [
        ("/answers/200", 200, "private"),
        ("/answers/202", 202, "public, max-age=60"),
        ("/answers/404", 404, "private"),
        ("/answers/none", 404, "private"),
        ("/stacked", 200, "private"),
        ("/scope/within", 200, "private"),
        ("/scope/said", 200, "no-cache"),
        ("/scope/nothing", 404, "private"),
        ("/welcome", 200, ""),
    ] {
        let answer = browser.call(path, Some(&token)).await;
        assert_eq!((answer.status, answer.header("cache-control")), (status, control), "{path}");
    }
}

#[tokio::test]
async fn c35_actix_cors_around_a_guarded_route() {
    let server = start_with(
        |builder| builder,
        |app| {
            let cors = actix_cors::Cors::default()
                .allowed_origin("https://spa.example")
                .allowed_methods(["GET", "POST"])
                .allowed_headers(["authorization", "content-type"])
                .expose_headers(["www-authenticate"]);
            app.service(web::scope("/api").wrap(cors).configure(oauth_tests::handlers));
        },
    );
    let browser = Browser::new(&server);
    let preflight = browser
        .http
        .request(reqwest::Method::OPTIONS, format!("{}/api/write", server.base))
        .header("origin", "https://spa.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type");
    let preflight = Answer::to(preflight).await;
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (200, "https://spa.example"));

    let refused =
        Answer::to(browser.http.get(format!("{}/api/me", server.base)).header("origin", "https://spa.example"));
    let refused = refused.await;
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (401, "https://spa.example"));
    assert!(refused.header("access-control-expose-headers").eq_ignore_ascii_case("www-authenticate"), "{refused:?}");
    assert_eq!(refused.challenge()["realm"], server.base);
    // Refused by the guard alone, without the layer.
    for (origin, exposed) in [(Some("https://spa.example"), Some("WWW-Authenticate")), (None, None)] {
        let request = browser.http.get(format!("{}/me", server.base));
        let request = origin.into_iter().fold(request, |request, origin| request.header("origin", origin));
        let refused = Answer::to(request).await;
        let said = refused.headers.get("access-control-expose-headers").map(|said| said.to_str().unwrap());
        assert_eq!((refused.status, said), (401, exposed), "{refused:?}");
    }
    let token = browser.token().await;
    let let_in = browser.http.get(format!("{}/api/me", server.base)).header("origin", "https://spa.example");
    assert_eq!(Answer::to(let_in.bearer_auth(token)).await.status, 200);
}

#[tokio::test]
async fn c27_of_two_authorization_headers_neither_is_read() {
    let server = start(|builder| builder);
    let browser = Browser::new(&server);
    let token = browser.token().await;
    for second in [&*token, "x"] {
        let request = browser.http.get(format!("{}/me", server.base)).bearer_auth(&token);
        let answer = Answer::to(request.header("authorization", format!("Bearer {second}"))).await;
        assert_eq!((answer.status, &answer.challenge()["error"]), (400, &"invalid_request".to_owned()), "{answer:?}");
    }
}
