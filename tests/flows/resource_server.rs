//! The same guards over the tokens of an issuer elsewhere.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::{HttpResponse, get, web};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use oauth_runtime::{
    Claims, Clock, DiscoveryError, Keys, ResourceServer, SigningKey, policy, require_claim, require_token,
};
use oauth_tests::{Browser, PATIENCE, Server, free_port, handlers, serve, start};
use serde_json::{Value, json};

use crate::clients::KEYS;

pub(crate) const API: &str = "https://api.example";

/// An issuer whose documents a test changes, that counts who asks for its keys and can be away.
pub(crate) struct Issuer {
    pub(crate) server: Server,
    pub(crate) metadata: Arc<parking_lot::Mutex<Value>>,
    pub(crate) keys: Arc<parking_lot::Mutex<Value>>,
    pub(crate) asked: Arc<AtomicUsize>,
    pub(crate) away: Arc<AtomicBool>,
    /// Keeps everyone who asks for the keys waiting.
    pub(crate) holds: Arc<AtomicBool>,
}

pub(crate) fn issuer() -> Issuer {
    issuer_at(free_port().0)
}

pub(crate) fn issuer_at(listener: TcpListener) -> Issuer {
    let base = format!("http://{}", listener.local_addr().unwrap());
    let metadata = json!({ "issuer": base, "jwks_uri": format!("{base}/keys") });
    let metadata = Arc::new(parking_lot::Mutex::new(metadata));
    let keys = Arc::new(parking_lot::Mutex::new(json!({ "keys": [KEYS[0].public] })));
    let (asked, away, holds) = <(Arc<AtomicUsize>, Arc<AtomicBool>, Arc<AtomicBool>)>::default();
    let shared = (metadata.clone(), keys.clone(), asked.clone(), away.clone(), holds.clone());
    let server = serve(listener, move |app| {
        let (metadata, keys, asked, away, holds) = shared.clone();
        app.route(
            "/.well-known/openid-configuration",
            web::get().to(move || std::future::ready(HttpResponse::Ok().json(&*metadata.lock()))),
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
                let holds = Arc::clone(&holds);
                async move {
                    // So that a thousand at once meet while one asks.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    while holds.load(Ordering::SeqCst) {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                    answer
                }
            }),
        );
    });
    Issuer { server, metadata, keys, asked, away, holds }
}

/// A token of the key with this place in [`KEYS`], but for the changes.
pub(crate) fn token(issuer: &Issuer, key: usize, header: Value, changes: Value) -> String {
    let now = Clock::system().now().seconds();
    let mut claims = json!({ "iss": issuer.server.base, "aud": API, "sub": "ada", "client_id": "c", "iat": now,
        "exp": now + 300, "jti": "1", "role": "admin", "scope": "notes:read" });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        }
    }
    signed(key, header, &claims)
}

/// Claims under the key with this place, with the header of RFC 9068 but for the changes.
pub(crate) fn signed(key: usize, header: Value, claims: &Value) -> String {
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
    jsonwebtoken::encode(&head, claims, &key.private).unwrap()
}

/// An application that relies on the issuer.
pub(crate) async fn relying(issuer: &Issuer, clock: &Clock) -> (Server, Browser) {
    let api = ResourceServer::discover(&issuer.server.base).audience(API).clock(clock.clone()).build().await.unwrap();
    app(api)
}

pub(crate) fn app(api: ResourceServer) -> (Server, Browser) {
    let (listener, _) = free_port();
    let server = serve(listener, move |app| {
        let scope = web::scope("/scope").wrap(api.require(policy!(role = "admin")));
        app.configure(api.routes()).configure(handlers);
        app.service(scope.route("", web::get().to(|| async { "scope" })));
    });
    let browser = Browser::new(&server);
    (server, browser)
}

/// Clients look for the metadata above any scope.
#[tokio::test]
async fn c27_in_a_scope_the_guards_work_and_no_refusal_names_metadata_that_is_not_there() {
    let issuer = issuer();
    let api = async || {
        let api = ResourceServer::discover(&issuer.server.base).audience(format!("{API}/v1"));
        api.build().await.unwrap()
    };
    let token = token(&issuer, 0, json!({}), json!({ "aud": format!("{API}/v1") }));
    let metadata = "/.well-known/oauth-protected-resource/v1";
    for is_in_app in [false, true] {
        let api = api().await;
        let server = serve(free_port().0, move |app| {
            if is_in_app {
                app.configure(api.routes());
            }
            let inner = web::scope("/inner").wrap(api.require(policy!(role = "admin")));
            let inner = inner.route("", web::get().to(|| async { "inner" }));
            app.service(web::scope("/v1").configure(api.routes()).configure(handlers).service(inner));
        });
        let browser = Browser::new(&server);
        for path in ["/v1/me", "/v1/inner"] {
            assert_eq!(browser.call(path, Some(&token)).await.status, 200, "{path}");
            let refused = browser.call(path, None).await;
            let named = refused.challenge().get("resource_metadata").cloned();
            assert_eq!((refused.status, named), (401, is_in_app.then(|| format!("{API}{metadata}"))), "{path}");
        }
        let status = async |path: &str| browser.call(path, None).await.status;
        assert_eq!(status(metadata).await, if is_in_app { 200 } else { 404 });
        assert_eq!(status(&format!("/v1{metadata}")).await, 404);
    }
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
    let issuer = issuer();
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

    // A new key signs: no server has to be restarted.
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
    let issuer = issuer();
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
        ("expired with a fraction", token(&issuer, 0, none(), json!({ "exp": now as f64 - 10.5 }))),
        ("an end before 1970", token(&issuer, 0, none(), json!({ "exp": -0.5 }))),
        ("without an end", token(&issuer, 0, none(), json!({ "exp": 1e300 }))),
        ("not yet by a fraction", token(&issuer, 0, none(), json!({ "nbf": now as f64 + 30.5 }))),
        ("a beginning that is no time", token(&issuer, 0, none(), json!({ "nbf": "now" }))),
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
        ("times with fractions", {
            let (at, until) = (now as f64 - 0.5, now as f64 + 300.75);
            token(&issuer, 0, none(), json!({ "iat": at, "nbf": at, "auth_time": at, "exp": until }))
        }),
        ("a clock that is ahead", token(&issuer, 0, none(), json!({ "exp": now - 5, "nbf": now + 5 }))),
    ] {
        assert_eq!(browser.call("/me", Some(&good)).await.status, 200, "{what}");
    }
    assert_eq!(issuer.asked.load(Ordering::SeqCst), 1, "in the first half minute nothing is asked again");
}

#[tokio::test]
async fn made_up_keys_cost_the_issuer_nothing_and_a_new_one_is_found() {
    let issuer = issuer();
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

/// Its metadata names another address, while the one before still answers: what it has there is withdrawn.
#[tokio::test]
async fn c48_keys_that_the_issuer_moved_are_found_and_those_it_left_behind_verify_nothing() {
    let (issuer, elsewhere) = (issuer(), issuer());
    *elsewhere.keys.lock() = json!({ "keys": [KEYS[1].public] });
    let clock = Clock::by_hand();
    let (_server, browser) = relying(&issuer, &clock).await;
    let until = json!({ "exp": clock.now().seconds() + 86_400 });
    let (before, after) = (token(&issuer, 0, json!({}), until.clone()), token(&issuer, 1, json!({}), until));
    assert_eq!(browser.call("/me", Some(&before)).await.status, 200);
    issuer.metadata.lock()["jwks_uri"] = json!(format!("{}/keys", elsewhere.server.base));
    // A key that is not known is looked for where the metadata says now.
    clock.advance(Duration::from_secs(31));
    assert_eq!(browser.call("/me", Some(&after)).await.status, 200);
    assert_eq!(browser.call("/me", Some(&before)).await.status, 401, "it was taken back");
    // And without one, once the keys are ten minutes old.
    issuer.metadata.lock()["jwks_uri"] = json!(format!("{}/keys", issuer.server.base));
    clock.advance(Duration::from_secs(601));
    let refused = async {
        while browser.call("/me", Some(&after)).await.status != 401 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, refused).await.expect("it is noticed");
    assert_eq!(browser.call("/me", Some(&before)).await.status, 200);
}

#[tokio::test]
async fn what_is_wrong_without_asking_the_issuer_is_an_error_at_start_up() {
    let api = |issuer: &str| ResourceServer::discover(issuer).audience(API);
    for issuer in ["idp.example", "http://idp.example", "https://idp.example?x", ""] {
        let built = api(issuer).build().await.map(drop);
        assert!(matches!(built, Err(DiscoveryError::Issuer { .. })), "{issuer}");
    }
    let good = issuer();
    let base = &good.server.base;
    for (built, error) in [
        (ResourceServer::discover(base), DiscoveryError::NoAudience),
        (ResourceServer::discover(base).audience(""), DiscoveryError::NoAudience),
        (api(base).algorithms([]), DiscoveryError::NoAlgorithm),
        (api(base).max_staleness(Duration::from_secs(59)), DiscoveryError::MaxStaleness),
    ] {
        assert_eq!(built.build().await.map(drop), Err(error));
    }
    assert_eq!(api(base).max_staleness(Duration::from_secs(60)).build().await.map(drop), Ok(()));
}

#[tokio::test]
async fn an_issuer_with_another_type_is_taken_by_choice_alone() {
    let issuer = issuer();
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
