//! The same guards over the tokens of an issuer elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::{HttpResponse, get, web};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use oauth_runtime::{
    Claims, Clock, DiscoveryError, Keys, ResourceServer, SignatureAlgorithm, SigningKey, policy, require_claim,
    require_token,
};
use oauth_tests::{Browser, PATIENCE, Server, free_port, handlers, serve, start};
use serde_json::{Value, json};

use crate::clients::KEYS;

const API: &str = "https://api.example";

/// An issuer whose documents a test changes, that counts who asks for its keys and can be away.
struct Issuer {
    server: Server,
    keys: Arc<parking_lot::Mutex<Value>>,
    asked: Arc<AtomicUsize>,
    away: Arc<AtomicBool>,
}

fn issuer(change: impl Fn(&mut Value) + Clone + Send + 'static) -> Issuer {
    let (listener, base) = free_port();
    let keys = Arc::new(parking_lot::Mutex::new(json!({ "keys": [KEYS[0].public] })));
    let (asked, away) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let shared = (Arc::clone(&keys), Arc::clone(&asked), Arc::clone(&away));
    let server = serve(listener, move |app| {
        let (keys, asked, away) = shared.clone();
        let mut metadata = json!({ "issuer": base, "jwks_uri": format!("{base}/keys") });
        change(&mut metadata);
        app.route(
            "/.well-known/openid-configuration",
            web::get().to(move || std::future::ready(HttpResponse::Ok().json(&metadata))),
        );
        app.route(
            "/keys",
            web::get().to(move || {
                asked.fetch_add(1, Ordering::SeqCst);
                let answer = if away.load(Ordering::SeqCst) {
                    HttpResponse::ServiceUnavailable().finish()
                } else {
                    HttpResponse::Ok().json(&*keys.lock())
                };
                async {
                    // So that a thousand at once meet while one asks.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    answer
                }
            }),
        );
    });
    Issuer { server, keys, asked, away }
}

/// A token of the key with this place in [`KEYS`], but for the changes.
fn token(issuer: &Issuer, key: usize, header: Value, changes: Value) -> String {
    let now = Clock::system().now().seconds();
    let mut claims = json!({ "iss": issuer.server.base, "aud": API, "sub": "ada", "client_id": "c", "iat": now,
        "exp": now + 300, "jti": "1", "role": "admin", "scope": "notes:read" });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        }
    }
    let key = &KEYS[key];
    let mut head = Header {
        typ: Some("at+jwt".into()),
        kid: key.public["kid"].as_str().map(str::to_owned),
        ..Header::new(key.algorithm)
    };
    if let Some(kid) = header.get("kid") {
        head.kid = kid.as_str().map(str::to_owned);
    }
    if let Some(typ) = header.get("typ") {
        head.typ = typ.as_str().map(str::to_owned);
    }
    jsonwebtoken::encode(&head, &claims, &key.private).unwrap()
}

/// An application that relies on the issuer.
async fn relying(issuer: &Issuer, clock: &Clock) -> (Server, Browser) {
    let api = ResourceServer::discover(&issuer.server.base).audience(API).clock(clock.clone()).build().await.unwrap();
    app(api)
}

fn app(api: ResourceServer) -> (Server, Browser) {
    let (listener, _) = free_port();
    let server = serve(listener, move |app| {
        let scope = web::scope("/scope").wrap(api.require(policy!(role = "admin")));
        app.configure(api.routes()).configure(handlers);
        app.service(scope.route("", web::get().to(|| async { "scope" })));
    });
    let browser = Browser::new(&server);
    (server, browser)
}

#[derive(serde::Deserialize)]
struct Person {
    #[serde(default)]
    suspended: bool,
}

#[require_claim(role = "admin", not(suspended))]
#[get("/negative")]
async fn negative() -> &'static str {
    "not suspended"
}

#[require_claim(Person { suspended: false })]
#[get("/pattern")]
async fn pattern() -> &'static str {
    "not suspended"
}

#[require_token]
#[get("/default")]
async fn by_default(Claims(person): Claims<Person>) -> String {
    person.suspended.to_string()
}

/// What is sealed in a token is opened by its issuer alone: what is absent here may be in it.
#[tokio::test]
async fn c44_where_claims_are_sealed_absence_lets_no_one_in_elsewhere() {
    let issuer = issuer(|_| {});
    let clock = Clock::system();
    let api = ResourceServer::discover(&issuer.server.base).audience(API).clock(clock).build().await.unwrap();
    let (listener, _) = free_port();
    let server = serve(listener, move |app| {
        app.configure(api.routes()).configure(handlers).service((negative, pattern, by_default));
    });
    let browser = Browser::new(&server);
    let (open, sealed) =
        (token(&issuer, 0, json!({}), json!({})), token(&issuer, 0, json!({}), json!({ "sealed": "x", "jti": "2" })));
    for path in ["/negative", "/pattern", "/default", "/me"] {
        assert_eq!(browser.call(path, Some(&open)).await.status, 200, "{path}");
        assert_eq!(browser.call(path, Some(&sealed)).await.status, 403, "{path}");
    }
    for path in ["/admin", "/notes"] {
        assert_eq!(browser.call(path, Some(&sealed)).await.status, 200, "what is in the open: {path}");
    }
}

#[tokio::test]
async fn the_same_handlers_take_the_tokens_of_another_server_of_ours() {
    let keys = Keys::new(SigningKey::generate().unwrap());
    let held = keys.clone();
    let idp = start(|builder| builder.keys(held).resource(API));
    let clock = Clock::by_hand();
    let api = ResourceServer::discover(&idp.base).audience(API).clock(clock.clone()).build().await.unwrap();
    let (_server, there) = app(api);
    let here = Browser::new(&idp);
    let issued = async |user: &str| {
        let scope = [("scope", Some("notes:read")), ("resource", Some(API))];
        let redirect = here.sign_in(&scope, user, &format!("{user}123")).await.redirect();
        here.redeem(&redirect["code"], &[]).await.json()["access_token"].as_str().unwrap().to_owned()
    };
    let (admin, user) = (issued("admin").await, issued("user").await);
    for (path, token, status) in [
        ("/me", Some(&admin), 200),
        ("/admin", Some(&admin), 200),
        ("/notes", Some(&user), 200),
        ("/scope", Some(&admin), 200),
        ("/stacked", Some(&admin), 200),
        ("/admin", Some(&user), 403),
        ("/scope", Some(&user), 403),
        ("/shaped", Some(&user), 403),
        ("/me", None, 401),
        ("/scope", None, 401),
        ("/open", None, 200),
    ] {
        let answer = there.call(path, token.map(String::as_str)).await;
        assert_eq!(answer.status, status, "{path}: {answer:?}");
        if status == 401 || status == 403 {
            let challenge = answer.challenge();
            assert_eq!(challenge["realm"], idp.base);
            assert_eq!(challenge["resource_metadata"], format!("{API}/.well-known/oauth-protected-resource"));
        }
    }
    let me = there.call("/me", Some(&admin)).await.json();
    assert_eq!((me["sub"].as_str(), me["iss"].as_str()), (Some("admin"), Some(&*idp.base)));
    let metadata = there.call("/.well-known/oauth-protected-resource", None).await.json();
    assert_eq!((&metadata["resource"], &metadata["authorization_servers"]), (&json!(API), &json!([idp.base])));
    // One for the issuer itself is none for here, nor the other way round.
    let own = here.token_for("admin").await;
    assert_eq!((there.call("/me", Some(&own)).await.status, here.call("/me", Some(&admin)).await.status), (401, 401));

    // A new key signs: nobody has to start anything anew.
    let next = keys.add(SigningKey::generate().unwrap()).unwrap();
    let old = keys.signs_with();
    keys.promote(&next).unwrap();
    clock.advance(Duration::from_secs(31));
    let fresh = issued("admin").await;
    assert_eq!(there.call("/admin", Some(&fresh)).await.status, 200);
    assert_eq!(there.call("/admin", Some(&admin)).await.status, 200, "of the key before");
    // It is taken away, and so is what was verified by it.
    keys.retire(&old).unwrap();
    clock.advance(Duration::from_secs(31));
    assert_eq!(
        there.call("/me", Some("eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6IngifQ.e30.AAAA")).await.status,
        401
    );
    assert_eq!(there.call("/admin", Some(&admin)).await.status, 401);
    assert_eq!(there.call("/admin", Some(&fresh)).await.status, 200);
}

#[tokio::test]
async fn c26_what_is_not_of_this_issuer_for_this_audience_is_refused() {
    let issuer = issuer(|_| {});
    issuer.keys.lock()["keys"] = json!([KEYS[0].public, KEYS[1].public]);
    let (_server, browser) = relying(&issuer, &Clock::system()).await;
    let now = Clock::system().now().seconds();
    let none = || json!({});
    let refused: Vec<(&str, String)> = vec![
        ("another audience", token(&issuer, 0, none(), json!({ "aud": "https://other.example" }))),
        ("no audience", token(&issuer, 0, none(), json!({ "aud": null }))),
        ("another issuer", token(&issuer, 0, none(), json!({ "iss": "https://other.example" }))),
        ("an issuer with a slash", token(&issuer, 0, none(), json!({ "iss": format!("{}/", issuer.server.base) }))),
        ("expired", token(&issuer, 0, none(), json!({ "exp": now - 11 }))),
        ("not yet", token(&issuer, 0, none(), json!({ "nbf": now + 60 }))),
        ("an ID token", token(&issuer, 0, json!({ "typ": "JWT" }), none())),
        ("without a type", token(&issuer, 0, json!({ "typ": null }), none())),
        ("without a client", token(&issuer, 0, none(), json!({ "client_id": null }))),
        ("a key of the same name that is not theirs", token(&issuer, 3, none(), none())),
        ("an algorithm whose key is not there", token(&issuer, 2, json!({ "kid": "ec" }), none())),
        ("without a signature", {
            let token = token(&issuer, 0, none(), none());
            format!("{}.", token.rsplit_once('.').unwrap().0)
        }),
    ];
    for (what, token) in refused {
        let answer = browser.call("/me", Some(&token)).await;
        assert_eq!((answer.status, answer.challenge()["error"].as_str()), (401, "invalid_token"), "{what}");
    }
    // RFC 8725 §2.1: the public key as the secret of an HMAC, and none at all
    let public = KEYS[0].public.to_string();
    let header = Header { typ: Some("at+jwt".into()), kid: Some("ec".into()), ..Header::new(Algorithm::HS256) };
    let claims = json!({ "iss": issuer.server.base, "aud": API, "sub": "a", "client_id": "c", "iat": now, "exp": now + 9, "jti": "1" });
    let confused = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(public.as_bytes())).unwrap();
    assert_eq!(browser.call("/me", Some(&confused)).await.status, 401);
    let part = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let unsigned = format!("{}.{}.", part(json!({ "alg": "none", "typ": "at+jwt" })), part(claims));
    assert_eq!(browser.call("/me", Some(&unsigned)).await.status, 401);

    for (what, good) in [
        ("EdDSA", token(&issuer, 1, none(), none())),
        ("a list of audiences", token(&issuer, 0, none(), json!({ "aud": ["x", API] }))),
        ("a type with its prefix", token(&issuer, 0, json!({ "typ": "application/at+jwt" }), none())),
        ("a key without a name, of which there is one", token(&issuer, 0, json!({ "kid": null }), none())),
        ("a clock that is ahead", token(&issuer, 0, none(), json!({ "exp": now - 5, "nbf": now + 5 }))),
    ] {
        assert_eq!(browser.call("/me", Some(&good)).await.status, 200, "{what}");
    }
    assert_eq!(issuer.asked.load(Ordering::SeqCst), 1, "in the first half minute nothing is asked again");
}

#[tokio::test]
async fn made_up_keys_cost_the_issuer_nothing_and_a_new_one_is_found() {
    let issuer = issuer(|_| {});
    let clock = Clock::by_hand();
    let (_server, browser) = relying(&issuer, &clock).await;
    assert_eq!(issuer.asked.load(Ordering::SeqCst), 1);
    clock.advance(Duration::from_secs(30));
    let flood = (0..200).map(|id| {
        let made_up = token(&issuer, 0, json!({ "kid": format!("made-up-{id}") }), json!({}));
        let browser = browser.clone();
        tokio::spawn(async move { browser.call("/me", Some(&made_up)).await.status })
    });
    for status in flood.collect::<Vec<_>>() {
        assert_eq!(status.await.unwrap(), 401);
    }
    assert_eq!(issuer.asked.load(Ordering::SeqCst), 2, "two hundred at once are one question");
    issuer.keys.lock()["keys"] = json!([KEYS[0].public, KEYS[2].public]);
    let next = token(&issuer, 2, json!({}), json!({}));
    assert_eq!(browser.call("/me", Some(&next)).await.status, 401, "within the half minute");
    clock.advance(Duration::from_secs(30));
    let calls = (0..50).map(|_| {
        let (browser, next) = (browser.clone(), next.clone());
        tokio::spawn(async move { browser.call("/me", Some(&next)).await.status })
    });
    for status in calls.collect::<Vec<_>>() {
        assert_eq!(status.await.unwrap(), 200, "all who come meanwhile wait for the answer");
    }
    assert_eq!(issuer.asked.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn stale_keys_go_on_while_the_issuer_is_away() {
    let issuer = issuer(|_| {});
    let clock = Clock::by_hand();
    let (_server, browser) = relying(&issuer, &clock).await;
    issuer.away.store(true, Ordering::SeqCst);
    let good = || token(&issuer, 0, json!({}), json!({ "exp": clock.now().seconds() + 300 }));
    let asked_until = async |times: usize| {
        for _ in 0..5000 {
            if issuer.asked.load(Ordering::SeqCst) >= times {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            // One that asks already is not joined by a second one.
            let _ = browser.call("/me", Some(&good())).await;
        }
        panic!("asked {} times, not {times}", issuer.asked.load(Ordering::SeqCst));
    };
    clock.advance(Duration::from_secs(599));
    assert_eq!(browser.call("/me", Some(&good())).await.status, 200);
    assert_eq!(issuer.asked.load(Ordering::SeqCst), 1, "fresh");
    clock.advance(Duration::from_secs(1));
    for _ in 0..5 {
        assert_eq!(browser.call("/me", Some(&good())).await.status, 200);
    }
    asked_until(2).await;
    clock.advance(Duration::from_secs(24 * 3600));
    assert_eq!(browser.call("/me", Some(&good())).await.status, 200, "a day later");
    asked_until(3).await;
    // It is back with nothing: that is a mistake of its own. And then with another key alone.
    issuer.away.store(false, Ordering::SeqCst);
    *issuer.keys.lock() = json!({ "keys": [] });
    clock.advance(Duration::from_secs(31));
    assert_eq!(browser.call("/me", Some(&good())).await.status, 200);
    asked_until(4).await;
    *issuer.keys.lock() = json!({ "keys": [KEYS[1].public] });
    clock.advance(Duration::from_secs(31));
    let before = good();
    assert_eq!(browser.call("/me", Some(&before)).await.status, 200, "served while others are fetched");
    asked_until(5).await;
    let gone = async {
        // What was asked for has still to arrive.
        while browser.call("/me", Some(&before)).await.status != 401 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.expect("the key is gone, and what it verified");
}

#[tokio::test]
async fn an_issuer_that_cannot_be_relied_on_is_refused_at_start_up() {
    let build = async |issuer: &str| ResourceServer::discover(issuer).audience(API).build().await.map(drop);
    let good = issuer(|_| {});
    assert_eq!(build(&good.server.base).await, Ok(()));
    let slash = build(&format!("{}/", good.server.base)).await;
    assert!(matches!(slash, Err(DiscoveryError::OtherIssuer { .. })), "{slash:?}");
    for issuer in ["idp.example", "http://idp.example", "https://idp.example?x", ""] {
        assert!(matches!(build(issuer).await, Err(DiscoveryError::Issuer { .. })), "{issuer}");
    }
    let none = ResourceServer::discover(&good.server.base).build().await.map(drop);
    assert_eq!(none, Err(DiscoveryError::NoAudience));
    let none = ResourceServer::discover(&good.server.base).audience(API).algorithms([]).build().await.map(drop);
    assert_eq!(none, Err(DiscoveryError::NoAlgorithm));
    let pinned = ResourceServer::discover(&good.server.base).audience(API).algorithms([SignatureAlgorithm::Rs256]);
    assert!(matches!(pinned.build().await.map(drop), Err(DiscoveryError::NoKeys { .. })), "it has ES256 alone");

    let lies = issuer(|metadata| metadata["issuer"] = json!("https://idp.example"));
    assert!(matches!(build(&lies.server.base).await, Err(DiscoveryError::OtherIssuer { .. })));
    let keyless = issuer(|metadata| metadata["jwks_uri"] = json!(null));
    assert!(matches!(build(&keyless.server.base).await, Err(DiscoveryError::NoKeys { .. })));
    let plain = issuer(|metadata| metadata["jwks_uri"] = json!("http://idp.example/keys"));
    assert!(matches!(build(&plain.server.base).await, Err(DiscoveryError::PlainHttp { .. })));
    let (listener, base) = free_port();
    drop(listener);
    assert!(matches!(build(&base).await, Err(DiscoveryError::Unreachable { .. })));
    let empty = serve(free_port().0, |_| {});
    assert!(matches!(build(&empty.base).await, Err(DiscoveryError::NotFound { .. })));
    let redirecting = serve(free_port().0, |app| {
        app.default_service(web::to(|| async {
            HttpResponse::Found().insert_header(("location", "https://evil.example/")).finish()
        }));
    });
    assert!(matches!(build(&redirecting.base).await, Err(DiscoveryError::Status { status: 302, .. })));
    let endless = serve(free_port().0, |app| {
        app.default_service(web::to(|| async { HttpResponse::Ok().body("x".repeat(300_000)) }));
    });
    assert!(matches!(build(&endless.base).await, Err(DiscoveryError::NotJson { .. })));
    let unusable = issuer(|_| {});
    for keys in [
        json!([]),
        json!([{ "kty": "oct", "k": "AAAA" }]),
        json!([1]),
        json!([{ "kty": "RSA", "n": "AQAB", "e": "AQAB" }]),
    ] {
        unusable.keys.lock()["keys"] = keys.clone();
        assert!(matches!(build(&unusable.server.base).await, Err(DiscoveryError::NoKeys { .. })), "{keys}");
    }
}

#[tokio::test]
async fn an_issuer_with_another_type_is_taken_by_choice_alone() {
    let issuer = issuer(|_| {});
    let api =
        ResourceServer::discover(&issuer.server.base).audience(API).danger_accept_type("JWT").build().await.unwrap();
    let (_server, browser) = app(api);
    let theirs = json!({ "client_id": null, "azp": "their-client", "jti": null });
    let me = browser.call("/me", Some(&token(&issuer, 0, json!({ "typ": "JWT" }), theirs))).await;
    assert_eq!((me.status, me.json()["client_id"].as_str()), (200, Some("their-client")), "{me:?}");
    assert_eq!(
        browser.call("/me", Some(&token(&issuer, 0, json!({ "typ": "logout+jwt" }), json!({})))).await.status,
        401
    );
    // Without a server of ours there is nothing to sign in at, and a guard says so.
    let answer = browser.authorize(&[]).await;
    assert_eq!(answer.status, 404, "{answer:?}");
}
