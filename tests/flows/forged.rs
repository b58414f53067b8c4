//! What was not made here: what comes from another server, and signatures that are not good, in floods, what bounds them,
//! and whom that holds up.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth_runtime::{Client, Clock};
use oauth_tests::{Answer, Browser, REDIRECT, Server, VERIFIER, start};
use serde_json::json;

use crate::guessing::address;

/// What a guard answers to a token from this address.
async fn call(server: &Server, token: &str, from: &str) -> Answer {
    let http = Browser::new(server).http;
    let request = http.get(format!("{}/admin", server.base)).bearer_auth(token).header("x-test-address", from);
    Answer::to(request).await
}

/// The same token with a signature that is none.
fn forged(token: &str, number: u32) -> String {
    let (message, signature) = token.rsplit_once('.').unwrap();
    let begin = format!("{number:08x}");
    format!("{message}.{begin}{}", &signature[begin.len()..])
}

#[tokio::test]
async fn c26_a_flood_of_forged_signatures_is_refused_unread_and_holds_up_its_own_network_alone() {
    let clock = Clock::by_hand();
    let server =
        start(|builder| builder.clock(clock.clone()).client_address(address).scope("openid", "Know who you are"));
    let browser = Browser::new(&server);
    let (known, new) = (browser.token().await, browser.token().await);
    assert_eq!(call(&server, &known, "192.0.2.1").await.status, 200);
    for number in 0..100 {
        let answer = call(&server, &forged(&known, number), "192.0.2.1").await;
        assert_eq!((answer.status, answer.challenge()["error"].as_str()), (401, "invalid_token"), "{number}");
    }
    for token in [&forged(&known, 100), &new] {
        let answer = call(&server, token, "192.0.2.1").await;
        assert_eq!((answer.status, answer.header("retry-after")), (429, "1"), "{answer:?}");
        assert_eq!(answer.header("www-authenticate"), "", "no other token would do better");
    }
    assert_eq!(call(&server, &known, "192.0.2.1").await.status, 200, "what was verified is not verified again");
    // One network in four thousand has the same place by chance.
    let mut others = Vec::new();
    for (number, address) in (101..).zip(["198.51.100.1", "203.0.113.1"]) {
        others.push(call(&server, &forged(&known, number), address).await.status);
    }
    assert!(others.contains(&401), "another network: {others:?}");
    clock.advance(Duration::from_secs(1));
    assert_eq!(call(&server, &new, "192.0.2.1").await.status, 200, "a second later");
    assert_eq!(call(&server, &forged(&known, 102), "192.0.2.1").await.status, 401);
}

#[tokio::test]
async fn a_token_whose_signature_no_key_is_asked_for_is_not_counted() {
    let server =
        start(|builder| builder.clock(Clock::by_hand()).client_address(address).scope("openid", "Know who you are"));
    let good = Browser::new(&server).token().await;
    let (header, rest) = good.split_once('.').unwrap();
    let payload = rest.split('.').next().unwrap();
    let named =
        |alg: &str, kid: &str| URL_SAFE_NO_PAD.encode(json!({ "alg": alg, "typ": "at+jwt", "kid": kid }).to_string());
    for number in 0..60 {
        for cheap in [
            format!("{}.{payload}.AAAA", named("ES256", "no key of this service")),
            format!("{}.{payload}.AAAA", named("PS256", "an algorithm of no key")),
            format!("{header}.{payload}.not base64url"),
        ] {
            assert!([400, 401].contains(&call(&server, &cheap, "192.0.2.1").await.status), "{number} {cheap}");
        }
    }
    assert_eq!(call(&server, &good, "192.0.2.1").await.status, 200);
}

#[tokio::test]
async fn what_costs_little_to_verify_is_not_counted() {
    let server = start(|builder| builder.clock(Clock::by_hand()).client_address(address));
    let token = Browser::new(&server).token().await;
    for number in 0..150 {
        assert_eq!(call(&server, &forged(&token, number), "192.0.2.1").await.status, 401, "{number}");
    }
    assert_eq!(call(&server, &token, "192.0.2.1").await.status, 200);
}

/// RFC 7662 §2.2 has a query for a token that is not valid be no error, and RFC 6749 §5.2 has codes for a grant and for a
/// client that are unknown, by which clients begin anew. What a client still has from the server before this one may be
/// longer than anything made here.
#[tokio::test]
async fn what_another_server_made_is_unknown_here_however_long_it_is() {
    let server = start(|builder| {
        let builder = builder.scope("openid", "Know who you are").reload_blocking(|_| Some(json!({ "role": "user" })));
        builder.client(Client::public("tv").device()).client(Client::confidential("api").secret(SECRET))
    });
    let browser = Browser::new(&server);
    let code =
        format!("client_id=demo&redirect_uri={REDIRECT}&code_verifier={VERIFIER}&grant_type=authorization_code&code=");
    let asks = format!("client_id=api&client_secret={SECRET}&token=");
    for text in ["x", &"x".repeat(12_000), "%ff"] {
        for (path, form, status, error) in [
            ("/token", &*code, 400, json!("invalid_grant")),
            ("/token", "client_id=demo&grant_type=refresh_token&refresh_token=", 400, json!("invalid_grant")),
            ("/token", &*format!("client_id=tv&grant_type={DEVICE_CODE}&device_code="), 400, json!("invalid_grant")),
            ("/token", "grant_type=refresh_token&refresh_token=x&client_id=", 400, json!("invalid_client")),
            ("/token", "grant_type=client_credentials&client_id=api&client_secret=", 400, json!("invalid_client")),
            (
                "/token",
                &*format!("grant_type=client_credentials&client_assertion_type={ASSERTION}&client_assertion="),
                400,
                json!("invalid_client"),
            ),
            ("/revoke", "client_id=demo&token=", 200, json!(null)),
            ("/introspect", &*asks, 200, json!(null)),
            ("/userinfo", "access_token=", 401, json!("invalid_token")),
        ] {
            // As in the header, what is not ASCII is no token at all (RFC 6750 §2.1).
            if path == "/userinfo" && text == "%ff" {
                continue;
            }
            let answer = browser.post(path, format!("{form}{text}")).await;
            let json = answer.json();
            assert_eq!((answer.status, &json["error"]), (status, &error), "{path} {form} {text:.9}");
            assert!(path != "/introspect" || json == json!({ "active": false }), "{json}");
        }
    }
}

const SECRET: &str = "the_secret_of_a_server_that_asks_in_the_tests";
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
