//! An issuer elsewhere that is not there yet, goes away, or takes its keys back.

use std::net::TcpListener;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_web::{FromRequest as _, HttpRequest, HttpResponse, get, web};
use oauth_runtime::{AccessToken, Clock, ResourceServer, SignatureAlgorithm};
use oauth_tests::{Answer, Browser, PATIENCE, free_port, handlers, serve};
use serde_json::{Value, json};

use crate::clients::KEYS;
use crate::resource_server::{API, Issuer, app, issuer, issuer_at, relying, token};

/// Of the first key, good for a day.
fn good(issuer: &Issuer, clock: &Clock) -> String {
    token(issuer, 0, json!({}), json!({ "exp": clock.now().seconds() + 86_400 }))
}

async fn at_once(browser: &Browser, times: usize, token: &str) -> Vec<u16> {
    let calls = (0..times).map(|_| {
        let (browser, token) = (browser.clone(), token.to_owned());
        tokio::spawn(async move { browser.call("/me", Some(&token)).await.status })
    });
    let mut statuses = Vec::new();
    for status in calls.collect::<Vec<_>>() {
        statuses.push(status.await.unwrap());
    }
    statuses
}

fn is_unavailable(answer: &Answer) {
    assert_eq!((answer.status, answer.header("retry-after")), (503, "1"), "{answer:?}");
    assert_eq!(answer.json()["error"], "temporarily_unavailable");
    assert!(!answer.headers.contains_key("www-authenticate"), "nothing is wrong with the token");
}

/// Calls until it is answered so, as what is asked for in the background has to arrive.
async fn until(status: u16, browser: &Browser, token: &str) {
    let answered = async {
        while browser.call("/me", Some(token)).await.status != status {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, answered).await.unwrap_or_else(|_| panic!("never {status}"));
}

/// Calls, and is let in, until the issuer is asked once more. The answer to the question before may still be under way, and
/// is the begin of a pause: so time goes on.
async fn asks(issuer: &Issuer, clock: &Clock, browser: &Browser, token: &str) {
    let before = issuer.asked.load(Ordering::SeqCst);
    let asked = async {
        while issuer.asked.load(Ordering::SeqCst) == before {
            assert_eq!(browser.call("/me", Some(token)).await.status, 200);
            tokio::time::sleep(Duration::from_millis(20)).await;
            clock.advance(Duration::from_secs(1));
        }
    };
    tokio::time::timeout(PATIENCE, asked).await.expect("it is asked");
}

#[tokio::test]
async fn c48_an_api_starts_before_its_issuer_and_answers_503_until_that_is_there() {
    let (listener, base) = free_port();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let clock = Clock::by_hand();
    let api = ResourceServer::discover(&base).audience(API).clock(clock.clone()).build().await.unwrap();
    let (_server, browser) = app(api);
    is_unavailable(&browser.call("/me", Some("x.y.z")).await);
    is_unavailable(&browser.call("/scope", Some("x.y.z")).await);
    assert_eq!(browser.call("/me", None).await.status, 401, "without a token there is nothing to check");
    assert_eq!(browser.call("/me", Some("garbage")).await.status, 401, "what is no JWT has no key to wait for");
    assert_eq!(browser.call("/open", None).await.status, 200);

    let issuer = issuer_at(TcpListener::bind(address).unwrap());
    let token = good(&issuer, &clock);
    is_unavailable(&browser.call("/me", Some(&token)).await);
    assert_eq!(issuer.asked.load(Ordering::SeqCst), 0, "it was asked within the same second");
    clock.advance(Duration::from_secs(30));
    assert_eq!(at_once(&browser, 50, &token).await, [200; 50], "those that come meanwhile wait");
    assert_eq!(issuer.asked.load(Ordering::SeqCst), 1, "fifty at once are one question");
    assert_eq!(browser.call("/scope", Some(&token)).await.status, 200);
}

#[tokio::test]
async fn c48_an_issuer_that_is_away_is_asked_less_and_less_often() {
    let issuer = issuer();
    issuer.away.store(true, Ordering::SeqCst);
    let clock = Clock::by_hand();
    let (_server, browser) = relying(&issuer, &clock).await;
    let token = good(&issuer, &clock);
    for (asked, pause) in (1..).zip([1, 2, 4, 8, 16, 30, 30]) {
        clock.advance(Duration::from_secs(pause - 1));
        assert_eq!(at_once(&browser, 10, &token).await, [503; 10]);
        assert_eq!(issuer.asked.load(Ordering::SeqCst), asked, "within {pause} seconds");
        clock.advance(Duration::from_secs(1));
        assert_eq!(at_once(&browser, 10, &token).await, [503; 10]);
        assert_eq!(issuer.asked.load(Ordering::SeqCst), asked + 1, "after {pause} seconds");
    }
    issuer.away.store(false, Ordering::SeqCst);
    clock.advance(Duration::from_secs(30));
    assert_eq!(browser.call("/me", Some(&token)).await.status, 200);
}

#[tokio::test]
async fn c48_health_says_whether_the_keys_are_there_and_how_long_the_issuer_is_away() {
    let issuer = issuer();
    issuer.away.store(true, Ordering::SeqCst);
    let clock = Clock::by_hand();
    let api = ResourceServer::discover(&issuer.server.base).audience(API).clock(clock.clone()).build().await.unwrap();
    for seconds in [0, 10] {
        clock.advance(Duration::from_secs(seconds));
        let away = api.health().await.unwrap_err();
        assert_eq!((&away.issuer, away.away_for), (&issuer.server.base, Duration::from_secs(seconds)));
        assert!(away.to_string().contains("returns 503 instead of 200"), "{away}");
    }

    // No request comes to a process that is not ready: the question alone brings the keys.
    issuer.away.store(false, Ordering::SeqCst);
    clock.advance(Duration::from_secs(30));
    let mut expected = api.health().await.unwrap();
    assert_eq!((expected.keys, expected.fetched, expected.away_for), (1, Duration::ZERO, None));
    assert_eq!(expected.trusted_for, Duration::from_secs(3600));
    let asked = issuer.asked.load(Ordering::SeqCst);
    assert_eq!(api.health().await.unwrap(), expected);
    assert_eq!(issuer.asked.load(Ordering::SeqCst), asked, "keys that are young are not asked for");

    issuer.away.store(true, Ordering::SeqCst);
    for (age, away) in [(700, 0), (800, 100)] {
        clock.advance(Duration::from_secs(age) - expected.fetched);
        expected.fetched = Duration::from_secs(age);
        expected.trusted_for = Duration::from_secs(3600 - age);
        expected.away_for = Some(Duration::from_secs(away));
        assert_eq!(api.health().await.unwrap(), expected);
    }
    clock.advance(Duration::from_secs(2800));
    assert_eq!(api.health().await.unwrap_err().away_for, Duration::from_secs(2900));

    // It withdrew its keys: nothing is amiss with the issuer, and none of its tokens are good.
    issuer.away.store(false, Ordering::SeqCst);
    *issuer.keys.lock() = json!({ "keys": [] });
    clock.advance(Duration::from_secs(30));
    let health = api.health().await.unwrap();
    assert_eq!((health.keys, health.away_for), (0, None));
}

/// Gives up before the issuer has answered, as a handler behind a time limit does.
#[get("/hurried")]
async fn hurried(request: HttpRequest) -> &'static str {
    let _ = tokio::time::timeout(Duration::from_millis(50), AccessToken::extract(&request)).await;
    "hurried"
}

#[tokio::test]
async fn c48_a_request_that_is_broken_off_makes_no_second_question() {
    let issuer = issuer();
    issuer.away.store(true, Ordering::SeqCst);
    let clock = Clock::by_hand();
    let api = ResourceServer::discover(&issuer.server.base).audience(API).clock(clock.clone()).build().await.unwrap();
    let server = serve(free_port().0, move |app| {
        app.configure(api.routes()).configure(handlers).service(hurried);
    });
    let browser = Browser::new(&server);
    issuer.away.store(false, Ordering::SeqCst);
    issuer.holds.store(true, Ordering::SeqCst);
    clock.advance(Duration::from_secs(1));
    let token = good(&issuer, &clock);
    for _ in 0..20 {
        assert_eq!(browser.call("/hurried", Some(&token)).await.status, 200);
    }
    issuer.holds.store(false, Ordering::SeqCst);
    assert_eq!(browser.call("/me", Some(&token)).await.status, 200);
    assert_eq!(issuer.asked.load(Ordering::SeqCst), 2);
}

/// What the issuer publishes cannot be relied on: closed, until it is mended there. The log says what; see `tests/logs`.
#[tokio::test]
async fn c48_metadata_that_cannot_be_relied_on_keep_guards_closed_until_they_are_mended() {
    let it = issuer();
    let base = it.server.base.clone();
    let (metadata, keys) = (it.metadata.lock().clone(), it.keys.lock().clone());
    let changed = |name: &str, value: Value| {
        let mut metadata = metadata.clone();
        metadata[name] = value;
        metadata
    };
    let rows = [
        (changed("issuer", json!("https://idp.example")), keys.clone()),
        (changed("issuer", json!(format!("{base}/"))), keys.clone()),
        (changed("issuer", json!(null)), keys.clone()),
        (changed("jwks_uri", json!(null)), keys.clone()),
        (changed("jwks_uri", json!("http://idp.example/keys")), keys.clone()),
        (changed("jwks_uri", json!(format!("{base}/nothing"))), keys.clone()),
        (json!("x".repeat(300_000)), keys.clone()),
        (metadata.clone(), json!([])),
        (metadata.clone(), json!({ "keys": [] })),
        (metadata.clone(), json!({ "keys": [{ "kty": "oct", "k": "AAAA" }, 1] })),
        (metadata.clone(), json!({ "keys": [{ "kty": "RSA", "n": "AQAB", "e": "AQAB" }] })),
    ];
    for (bad, set) in rows {
        (*it.metadata.lock(), *it.keys.lock()) = (bad.clone(), set.clone());
        let clock = Clock::by_hand();
        let (_server, browser) = relying(&it, &clock).await;
        let token = good(&it, &clock);
        is_unavailable(&browser.call("/me", Some(&token)).await);
        clock.advance(Duration::from_secs(1));
        is_unavailable(&browser.call("/me", Some(&token)).await);
        (*it.metadata.lock(), *it.keys.lock()) = (metadata.clone(), keys.clone());
        clock.advance(Duration::from_secs(2));
        assert_eq!(browser.call("/me", Some(&token)).await.status, 200, "{set} {}", bad.to_string().len());
    }
    let pinned = ResourceServer::discover(&base).audience(API).algorithms([SignatureAlgorithm::Rs256]);
    let (_server, browser) = app(pinned.build().await.unwrap());
    is_unavailable(&browser.call("/me", Some(&good(&it, &Clock::system()))).await);

    // Redirects are not followed, not to the issuer itself either.
    let to = format!("{base}/.well-known/openid-configuration");
    let redirecting = serve(free_port().0, move |app| {
        let to = to.clone();
        app.default_service(web::to(move || {
            std::future::ready(HttpResponse::Found().insert_header(("location", to.clone())).finish())
        }));
    });
    let api = ResourceServer::discover(&redirecting.base).audience(API).build().await.unwrap();
    let (_server, browser) = app(api);
    is_unavailable(&browser.call("/me", Some("x.y.z")).await);
}

#[tokio::test]
async fn c48_stale_keys_are_trusted_for_an_hour_while_the_issuer_is_away() {
    let issuer = issuer();
    let clock = Clock::by_hand();
    let begin = clock.now();
    let (_server, browser) = relying(&issuer, &clock).await;
    let token = good(&issuer, &clock);
    clock.advance(Duration::from_secs(599));
    assert_eq!(browser.call("/me", Some(&token)).await.status, 200);
    assert_eq!(issuer.asked.load(Ordering::SeqCst), 1, "fresh");
    // None of them says which keys there are.
    for set in [json!({}), json!([]), json!({ "keys": null })] {
        *issuer.keys.lock() = set;
        asks(&issuer, &clock, &browser, &token).await;
    }
    issuer.away.store(true, Ordering::SeqCst);
    asks(&issuer, &clock, &browser, &token).await;
    clock.advance((begin + Duration::from_secs(3_599)).since(clock.now()));
    assert_eq!(browser.call("/me", Some(&token)).await.status, 200, "a second before the hour is over");
    clock.advance(Duration::from_secs(1));
    is_unavailable(&browser.call("/me", Some(&token)).await);
    is_unavailable(&browser.call("/scope", Some(&token)).await);

    *issuer.keys.lock() = json!({ "keys": [KEYS[0].public] });
    issuer.away.store(false, Ordering::SeqCst);
    clock.advance(Duration::from_secs(30));
    assert_eq!(at_once(&browser, 20, &token).await, [200; 20], "it is back");
}

#[tokio::test]
async fn c48_the_bound_of_stale_keys_is_the_builders() {
    let issuer = issuer();
    let clock = Clock::by_hand();
    let api = ResourceServer::discover(&issuer.server.base).audience(API).clock(clock.clone());
    let (_server, browser) = app(api.max_staleness(Duration::from_secs(120)).build().await.unwrap());
    let (begin, token) = (clock.now(), good(&issuer, &clock));
    issuer.away.store(true, Ordering::SeqCst);
    clock.advance(Duration::from_secs(59));
    assert_eq!(browser.call("/me", Some(&token)).await.status, 200);
    assert_eq!(issuer.asked.load(Ordering::SeqCst), 1, "others are asked for at half of it");
    asks(&issuer, &clock, &browser, &token).await;
    clock.advance((begin + Duration::from_secs(119)).since(clock.now()));
    assert_eq!(browser.call("/me", Some(&token)).await.status, 200);
    clock.advance(Duration::from_secs(1));
    is_unavailable(&browser.call("/me", Some(&token)).await);
}

#[tokio::test]
async fn c48_keys_that_the_issuer_withdrew_verify_nothing() {
    for none in [json!([]), json!([{ "kty": "oct", "k": "AAAA" }]), json!([KEYS[1].public])] {
        let issuer = issuer();
        let clock = Clock::by_hand();
        let (_server, browser) = relying(&issuer, &clock).await;
        let token = good(&issuer, &clock);
        assert_eq!(browser.call("/me", Some(&token)).await.status, 200);
        *issuer.keys.lock() = json!({ "keys": none });
        clock.advance(Duration::from_secs(600));
        assert_eq!(browser.call("/me", Some(&token)).await.status, 200, "served while others are fetched");
        // It was verified before, and is in the cache.
        until(401, &browser, &token).await;
        let answer = browser.call("/me", Some(&good(&issuer, &clock))).await;
        assert_eq!((answer.status, answer.challenge()["error"].as_str()), (401, "invalid_token"), "{none}");
        // It publishes them again.
        *issuer.keys.lock() = json!({ "keys": [KEYS[0].public] });
        clock.advance(Duration::from_secs(30));
        until(200, &browser, &token).await;
    }
}
