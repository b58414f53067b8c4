//! Signing keys as others see them: the author's own, and those that are derived from the secret.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation};
use oauth_runtime::states::WithReload;
use oauth_runtime::testing::FaultyStore;
use oauth_runtime::{Builder, Clock, Keys, SigningKey};
use oauth_tests::{Answer, Browser, Server, start, watched};
use serde_json::{Value, json};

fn key() -> SigningKey {
    SigningKey::generate().unwrap()
}

#[tokio::test]
async fn c26_c35_others_verify_by_the_published_keys() {
    let ed25519 = rcgen(&["-algorithm", "ED25519"]);
    let rsa = rcgen(&["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]);
    for (key, alg) in [(key(), "ES256"), (ed25519, "EdDSA"), (rsa, "RS256")] {
        let keys = Keys::new(key);
        let ours = keys.clone();
        let server = start(|builder| builder.keys(keys));
        let browser = Browser::new(&server);
        let token = browser.token().await;
        assert_eq!(browser.call("/admin", Some(&token)).await.status, 200, "{alg}");

        let metadata = browser.call("/.well-known/oauth-authorization-server", None).await.json();
        let address = metadata["jwks_uri"].as_str().unwrap().strip_prefix(&server.base).unwrap().to_owned();
        assert_eq!(address, "/.well-known/jwks.json");
        let answer = browser.call(&address, None).await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, "*"));
        assert_eq!(answer.header("cache-control"), "public, max-age=300");
        assert!(!answer.body.contains("\"d\""), "{answer:?}");

        // A library that is not ours.
        let set: JwkSet = serde_json::from_str(&answer.body).unwrap();
        let header = jsonwebtoken::decode_header(&token).unwrap();
        assert_eq!((serde_json::to_value(header.alg).unwrap(), header.typ.as_deref()), (alg.into(), Some("at+jwt")));
        let jwk = set.find(header.kid.as_ref().unwrap()).unwrap();
        let mut rules = Validation::new(header.alg);
        rules.set_audience(&[&server.base]);
        rules.set_issuer(&[&server.base]);
        let claims =
            jsonwebtoken::decode::<Value>(&token, &DecodingKey::from_jwk(jwk).unwrap(), &rules).unwrap().claims;
        assert_eq!((&claims["sub"], &claims["role"]), (&"admin".into(), &"admin".into()));
        assert_eq!(header.kid.unwrap(), ours.signs_with());
    }
}

/// A key that another program has made.
fn rcgen(arguments: &[&str]) -> SigningKey {
    let output = std::process::Command::new("openssl").arg("genpkey").args(arguments).output().unwrap();
    SigningKey::from_pem(std::str::from_utf8(&output.stdout).unwrap()).unwrap()
}

#[tokio::test]
async fn secret_keys_are_not_published() {
    let server = start(|builder| builder);
    let browser = Browser::new(&server);
    assert_eq!(browser.call("/.well-known/jwks.json", None).await.status, 404);
    let metadata = browser.call("/.well-known/oauth-authorization-server", None).await.json();
    assert!(metadata.get("jwks_uri").is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_follow_one_another_under_load_and_no_token_fails() {
    let keys = Keys::new(key());
    let ours = keys.clone();
    let server = start(|builder| builder.keys(keys));
    let (done, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::new(parking_lot::Mutex::new(BTreeSet::new()));
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let (browser, done, calls) = (Browser::new(&server), Arc::clone(&done), Arc::clone(&calls));
            let (ours, seen) = (ours.clone(), Arc::clone(&seen));
            tokio::spawn(async move {
                let (mut tokens, mut last) = (Vec::new(), None);
                while !done.load(Ordering::SeqCst) {
                    // One by each key: of a user's forms that were sent, a hundred are remembered.
                    if last.as_ref() != Some(&ours.signs_with()) {
                        let token = browser.token().await;
                        seen.lock().insert(kid(&token));
                        last = Some(kid(&token));
                        tokens.push(token);
                    }
                    for token in tokens.iter().rev().take(5) {
                        let answer = browser.call("/admin", Some(token)).await;
                        assert_eq!(answer.status, 200, "{answer:?}");
                        calls.fetch_add(1, Ordering::SeqCst);
                    }
                }
                tokens
            })
        })
        .collect();
    let first = ours.signs_with();
    for _ in 0..6 {
        let (signs, before) = (ours.signs_with(), calls.load(Ordering::SeqCst));
        while calls.load(Ordering::SeqCst) < before + 40 || !seen.lock().contains(&signs) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let next = ours.add(key()).unwrap();
        ours.promote(&next).unwrap();
    }
    done.store(true, Ordering::SeqCst);
    let browser = Browser::new(&server);
    let mut all = Vec::new();
    for caller in callers {
        all.extend(caller.await.unwrap());
    }
    let kids: BTreeSet<_> = all.iter().map(|token| kid(token)).collect();
    assert!(kids.len() >= 6 && all.len() <= 7 * 8, "{} of {kids:?}", all.len());
    for token in &all {
        assert_eq!(browser.call("/me", Some(token)).await.status, 200);
    }

    // One that was stolen goes at once, and what it signed with it, however often it was seen before.
    ours.retire(&first).unwrap();
    for token in &all {
        let by_first = kid(token) == first;
        assert_eq!(browser.call("/me", Some(token)).await.status, if by_first { 401 } else { 200 });
    }
}

/// How long a key that is derived from the secret signs.
const PERIOD: Duration = Duration::from_secs(30 * 24 * 3600);
const HOUR: Duration = Duration::from_secs(3600);

/// All processes of a service have this issuer, though they listen elsewhere.
const NAME: &str = "http://127.0.0.1:9";

/// A process of a service with OpenID Connect and no keys of its author.
fn process(clock: &Clock, store: &FaultyStore) -> Server {
    start(|builder| with_openid(builder).clock(clock.clone()).store(store.clone()))
}

fn with_openid(builder: Builder) -> Builder<WithReload> {
    builder
        .issuer(NAME)
        .scope("openid", "Know who you are")
        .access_token_lifetime(24 * HOUR)
        .reload(async |_: &str| Some(json!({})))
        .session_idle(3 * PERIOD)
        .session_lifetime(3 * PERIOD)
}

/// A clock that was set to an hour after the beginning of a period.
fn early_in_a_period() -> Clock {
    let clock = Clock::by_hand();
    clock.advance(PERIOD + HOUR - Duration::from_secs(clock.now().seconds() % PERIOD.as_secs()));
    clock
}

async fn jwks(browser: &Browser) -> Answer {
    browser.call("/.well-known/jwks.json", None).await
}

fn kid(token: &str) -> String {
    jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
}

/// Whether a library that others wrote takes the token, by keys that it fetched once.
fn verifies(token: &str, keys: &Answer) -> bool {
    let keys: JwkSet = serde_json::from_str(&keys.body).unwrap();
    let mut rules = Validation::new(jsonwebtoken::Algorithm::ES256);
    rules.set_audience(&[NAME]);
    rules.set_issuer(&[NAME]);
    // The clock here is another.
    rules.validate_exp = false;
    let key = keys.find(&kid(token)).map(|key| DecodingKey::from_jwk(key).unwrap());
    key.is_some_and(|key| jsonwebtoken::decode::<Value>(token, &key, &rules).is_ok())
}

#[tokio::test]
async fn keys_of_the_secret_follow_one_another_in_processes_of_any_age() {
    let clock = early_in_a_period();
    let store = watched(clock.clone());
    let one = process(&clock, &store);
    clock.advance(HOUR);
    let two = process(&clock, &store);
    let [one, two] = [&one, &two].map(Browser::new);
    let cached = jwks(&one).await;
    assert_eq!(cached.header("cache-control"), "public, max-age=300");
    assert_eq!((cached.json()["keys"].as_array().unwrap().len(), &cached.body), (3, &jwks(&two).await.body));

    // Until the last second of the period one key signs, from then on another, and every token lasts as long as it was to.
    clock.advance(PERIOD - 2 * HOUR - Duration::from_secs(1));
    let before = [one.token().await, two.token().await];
    assert_eq!(cached.body, jwks(&two).await.body);
    clock.advance(Duration::from_secs(1));
    let after = [one.token().await, two.token().await];
    assert_eq!((kid(&before[0]), kid(&after[0])), (kid(&before[1]), kid(&after[1])));
    assert_ne!(kid(&before[0]), kid(&after[0]));
    let three = process(&clock, &store);
    let three = Browser::new(&three);
    let renewed = jwks(&three).await;
    assert!(renewed.body == jwks(&one).await.body && renewed.body != cached.body);
    for token in before.iter().chain(&after) {
        assert!(verifies(token, &cached) && verifies(token, &renewed), "whenever the keys were fetched");
    }
    clock.advance(24 * HOUR - Duration::from_secs(2));
    for browser in [&one, &two, &three] {
        for token in before.iter().chain(&after) {
            assert_eq!(browser.call("/me", Some(token)).await.status, 200);
        }
    }
    clock.advance(Duration::from_secs(2));
    let expired = three.call("/me", Some(&before[0])).await;
    assert!(expired.challenge()["error_description"].contains("expired"), "{expired:?}");

    // The first key is gone two periods after it began to sign.
    clock.advance(PERIOD - 24 * HOUR);
    let gone = jwks(&one).await;
    assert!(!verifies(&before[0], &gone) && verifies(&after[0], &gone));
}

#[tokio::test]
async fn a_process_whose_clock_is_ahead_signs_with_what_the_others_know() {
    let clock = early_in_a_period();
    clock.advance(PERIOD - HOUR - Duration::from_secs(60));
    let store = watched(clock.clone());
    // Set by the same hand, two minutes later.
    let ahead = early_in_a_period();
    ahead.advance(PERIOD - HOUR + Duration::from_secs(60));
    let (behind, ahead) = (process(&clock, &store), process(&ahead, &store));
    let (behind, ahead) = (Browser::new(&behind), Browser::new(&ahead));
    let (early, late) = (behind.token().await, ahead.token().await);
    assert_ne!(kid(&early), kid(&late));
    assert!(verifies(&early, &jwks(&ahead).await) && verifies(&late, &jwks(&behind).await));
    assert_eq!(behind.call("/me", Some(&late)).await.status, 200);
    assert_eq!(ahead.call("/me", Some(&early)).await.status, 200);
}

#[tokio::test]
async fn an_id_token_of_the_period_before_is_still_a_hint() {
    let clock = early_in_a_period();
    let server = process(&clock, &watched(clock.clone()));
    let browser = Browser::new(&server);
    let hint = browser.issued(&[("scope", Some("openid"))]).await["id_token"].as_str().unwrap().to_owned();
    let asks = async || {
        let changes = [("scope", Some("openid")), ("prompt", Some("none")), ("id_token_hint", Some(&*hint))];
        let other = [("client_id", Some("other")), ("redirect_uri", Some("https://other.example/cb"))];
        browser.authorize(&[&changes[..], &other].concat()).await.redirect()
    };
    clock.advance(2 * PERIOD - 2 * HOUR);
    assert!(asks().await.contains_key("code"));
    // Its key is gone: it proves nothing.
    clock.advance(HOUR);
    assert_eq!(asks().await["error"], "login_required");
}

#[tokio::test]
async fn c26_tokens_outlive_the_step_to_keys_that_others_verify_by() {
    let store = watched(Clock::system());
    let shared = |change: fn(Builder) -> Builder| {
        let store = store.clone();
        start(move |builder| change(builder.issuer(NAME)).store(store))
    };
    let alone = shared(|builder| builder);
    // No other server is any of these.
    let its_audience = shared(|builder| builder.resource(NAME));
    let of_its_origin = shared(|builder| builder.resource(format!("{NAME}/files")));
    let served = shared(|builder| builder.mcp("https://mcp.example/mcp"));
    let resource = shared(|builder| builder.resource("https://api.example"));
    let openid = start(|builder| with_openid(builder).store(store));
    let browsers = [&alone, &its_audience, &of_its_origin, &served, &resource, &openid].map(Browser::new);
    for (browser, alg) in browsers.iter().zip(["HS256", "HS256", "HS256", "HS256", "ES256", "ES256"]) {
        let token = browser.token().await;
        assert_eq!(serde_json::to_value(jsonwebtoken::decode_header(&token).unwrap().alg).unwrap(), alg);
        assert_eq!(jwks(browser).await.status, if alg == "HS256" { 404 } else { 200 });
        // One process after another is restarted, and each takes what the others issue.
        for other in &browsers {
            assert_eq!(other.call("/me", Some(&token)).await.status, 200, "{alg}");
        }
    }
}
