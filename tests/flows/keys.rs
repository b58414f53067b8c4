//! Signing keys of the author's own, as others see them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation};
use oauth_runtime::{Keys, SigningKey};
use oauth_tests::{Browser, start};
use serde_json::Value;

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

        // A library that nobody here wrote.
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
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let (browser, done, calls) = (Browser::new(&server), Arc::clone(&done), Arc::clone(&calls));
            tokio::spawn(async move {
                let mut tokens = Vec::new();
                while !done.load(Ordering::SeqCst) {
                    tokens.push(browser.token().await);
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
    for _ in 0..5 {
        let before = calls.load(Ordering::SeqCst);
        let next = ours.add(key()).unwrap();
        ours.promote(&next).unwrap();
        while calls.load(Ordering::SeqCst) < before + 40 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
    done.store(true, Ordering::SeqCst);
    let browser = Browser::new(&server);
    let mut all = Vec::new();
    for caller in callers {
        all.extend(caller.await.unwrap());
    }
    let kids: std::collections::BTreeSet<_> =
        all.iter().map(|token| jsonwebtoken::decode_header(token).unwrap().kid).collect();
    assert!(kids.len() >= 5, "{kids:?}");
    for token in &all {
        assert_eq!(browser.call("/me", Some(token)).await.status, 200);
    }

    // One that was stolen goes at once, and what it signed with it, however often it was seen before.
    ours.retire(&first).unwrap();
    for token in &all {
        let by_first = jsonwebtoken::decode_header(token).unwrap().kid.as_ref() == Some(&first);
        assert_eq!(browser.call("/me", Some(token)).await.status, if by_first { 401 } else { 200 });
    }
}
