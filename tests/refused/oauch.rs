//! The cases of OAuch that no other test restates (`docs/oauch.md` has all of them).
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use oauth_runtime::states::WithReload;
use oauth_runtime::{BuildError, Builder, Client, Clock};
use oauth_tests::{Answer, Browser, CHALLENGE, SECRET, VERIFIER, builder, start, watched};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

fn with_openid(builder: Builder) -> Builder<WithReload> {
    builder.scope("openid", "Know who you are").reload_blocking(|_| Some(json!({ "role": "admin" })))
}

fn text<'a>(json: &'a Value, name: &str) -> &'a str {
    json[name].as_str().unwrap_or_else(|| panic!("no {name}: {json}"))
}

async fn metadata(browser: &Browser) -> Value {
    browser.call("/.well-known/oauth-authorization-server", None).await.json()
}

#[tokio::test]
async fn c21_no_response_type_sends_a_token_through_the_browser() {
    let server = start(with_openid);
    let browser = Browser::new(&server);
    let openid = ("scope", Some("openid"));
    for kind in
        ["token", "id_token", "id_token token", "code token", "code id_token", "code id_token token", "Code", "x"]
    {
        for nonce in [None, Some("n")] {
            let asked = [openid, ("response_type", Some(kind)), ("nonce", nonce)];
            let redirect = browser.authorize(&asked).await.redirect();
            assert_eq!(redirect["error"], "unsupported_response_type", "{kind}: {redirect:?}");
            assert!(["code", "access_token", "id_token"].iter().all(|name| !redirect.contains_key(*name)), "{kind}");
        }
    }
    assert_eq!(metadata(&browser).await["response_types_supported"], json!(["code"]));
}

#[tokio::test]
async fn answers_come_in_the_query_and_in_no_other_mode() {
    let server = start(with_openid);
    let browser = Browser::new(&server);
    for mode in ["form_post", "fragment", "query.jwt", "form_post.jwt", "web_message"] {
        let redirect = browser.authorize(&[("response_mode", Some(mode))]).await.redirect();
        assert_eq!(redirect["error"], "invalid_request", "{mode}: {redirect:?}");
    }
    let answer = browser.sign_in(&[("response_mode", Some("query"))], "admin", "admin123").await;
    assert!(answer.redirect().contains_key("code") && !answer.header("location").contains('#'), "{answer:?}");
    assert_eq!(metadata(&browser).await["response_modes_supported"], json!(["query"]));
}

#[tokio::test]
async fn c01_parameters_that_are_unknown_change_nothing() {
    let server = start(with_openid);
    let browser = Browser::new(&server);
    let unknown = [("oauch", Some("x")), ("code_challenge_methods", Some("plain")), ("é", Some("\u{1F600}"))];
    let redirect = browser.sign_in(&unknown, "admin", "admin123").await.redirect();
    let issued = browser.redeem(&redirect["code"], &unknown).await;
    assert_eq!(issued.status, 200, "{issued:?}");
    let refreshed = browser.refresh(text(&issued.json(), "refresh_token"), &unknown).await;
    assert_eq!(refreshed.status, 200, "{refreshed:?}");
}

/// Path confusion and pollution of parameters: <https://doi.org/10.1145/3627106.3627140>.
#[tokio::test]
async fn c07_what_a_router_or_a_browser_would_take_for_the_registered_redirect_is_another() {
    let server = start(|builder| builder);
    let browser = Browser::new(&server);
    for other in [
        "https://other.example/cb/",
        "https://other.example/cb/..",
        "https://other.example/cb/../cb",
        "https://other.example/x/../cb",
        "https://other.example/./cb",
        "https://other.example//cb",
        "https://other.example/%63b",
        "https://other.example/cb/%2e%2e/x",
        "https://other.example/cb%2f..%2fx",
        "https://other.example/cb\\..\\x",
        "https://other.example/cb;x",
        "https://other.example/cb%00",
        "https://other.example/cb%3Fx",
        "https://other.example/CB",
        "https://other.example/cb?",
        "https://other.example/cb?code=attackercode",
        "https://other.example/cb?state=a&iss=b",
        "https://other.example/cb#",
        "https://other.example:443/cb",
        "https://OTHER.example/cb",
        "https://other.example./cb",
        "https://me@other.example/cb",
        "http://other.example/cb",
        "https://evil.example/?https://other.example/cb",
        " https://other.example/cb",
        "https://other.example/c",
    ] {
        let answer = browser.authorize(&[("client_id", Some("other")), ("redirect_uri", Some(other))]).await;
        assert!(answer.status == 400 && answer.is_page(), "{other}: {answer:?}");
    }
    let good =
        browser.authorize(&[("client_id", Some("other")), ("redirect_uri", Some("https://other.example/cb"))]).await;
    assert_eq!(good.status, 200, "{good:?}");
}

#[tokio::test]
async fn c12_c13_pkce_is_neither_left_out_nor_weakened() {
    let server = start(|builder| builder);
    let browser = Browser::new(&server);
    for (name, changes) in [
        ("left out", &[("code_challenge", None), ("code_challenge_method", None)][..]),
        ("plain", &[("code_challenge", Some(VERIFIER)), ("code_challenge_method", Some("plain"))]),
        ("plain by saying nothing", &[("code_challenge_method", None)]),
    ] {
        let redirect = browser.authorize(changes).await.redirect();
        assert_eq!(redirect["error"], "invalid_request", "{name}: {redirect:?}");
    }
    let code = browser.code().await;
    for verifier in [None, Some(""), Some(CHALLENGE), Some(&VERIFIER[..33]), Some(&VERIFIER[..42])] {
        let answer = browser.redeem(&code, &[("code_verifier", verifier)]).await;
        assert_eq!(answer.status, 400, "{verifier:?}: {answer:?}");
    }
    assert_eq!(browser.redeem(&code, &[]).await.status, 200, "none of them has spent the code");

    // A challenge of a verifier that is too short is good for nothing.
    let short = "x".repeat(33);
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&short));
    let redirect = browser.sign_in(&[("code_challenge", Some(&challenge))], "admin", "admin123").await.redirect();
    let answer = browser.redeem(&redirect["code"], &[("code_verifier", Some(&short))]).await;
    assert_eq!((answer.status, &answer.json()["error"]), (400, &json!("invalid_request")), "{answer:?}");
}

#[tokio::test]
async fn c18_no_cache_keeps_what_the_token_endpoint_says_not_even_one_of_http_1_0() {
    let server = start(with_openid);
    let browser = Browser::new(&server);
    let issued = browser.redeem(&browser.code().await, &[]).await;
    let refreshed = browser.refresh(text(&issued.json(), "refresh_token"), &[]).await;
    let refused = browser.redeem("x", &[]).await;
    for (answer, status) in [(issued, 200), (refreshed, 200), (refused, 400)] {
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"), "{answer:?}");
    }
}

/// The last 160 bits: a tag or a signature and what is before it.
fn end(handed_out: &str) -> Vec<u8> {
    let last = handed_out.rsplit('.').next().unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(last).unwrap();
    bytes[bytes.len().checked_sub(20).unwrap()..].to_vec()
}

/// Of 160 random bits 80 differ, and fewer than 40 never do: that is six standard deviations.
fn differ(one: &str, other: &str) -> bool {
    let bits: u32 = end(one).iter().zip(end(other)).map(|(one, other)| (one ^ other).count_ones()).sum();
    (40..=120).contains(&bits)
}

#[tokio::test]
async fn c15_codes_and_tokens_have_160_bits_that_cannot_be_guessed_from_others() {
    let server = start(with_openid);
    let browser = Browser::new(&server);
    // In the same second, for the same request of the same user.
    let codes = [browser.code().await, browser.code().await, browser.code().await];
    let mut issued = Vec::new();
    for code in &codes {
        issued.push(browser.redeem(code, &[]).await.json());
    }
    for (one, other) in [(0, 1), (1, 2), (0, 2)] {
        assert!(differ(&codes[one], &codes[other]), "{codes:?}");
        for name in ["access_token", "refresh_token"] {
            assert!(differ(text(&issued[one], name), text(&issued[other], name)), "{name}: {issued:?}");
        }
    }
    assert!(!differ(&codes[0], &codes[0]), "the measure finds what is the same");
}

#[tokio::test]
async fn the_id_token_names_its_issuer_its_client_and_a_published_key() {
    let server = start(with_openid);
    let browser = Browser::new(&server);
    let issued = browser.issued(&[("scope", Some("openid")), ("nonce", Some("of this request"))]).await;
    let (id_token, access_token) = (text(&issued, "id_token"), text(&issued, "access_token"));

    let head = URL_SAFE_NO_PAD.decode(id_token.split('.').next().unwrap()).unwrap();
    let head: Value = serde_json::from_slice(&head).unwrap();
    let names: Vec<&str> = head.as_object().unwrap().keys().map(String::as_str).collect();
    assert!(names.iter().all(|name| ["alg", "kid", "typ"].contains(name)), "it brings no key of its own: {head}");
    let address = metadata(&browser).await["jwks_uri"].as_str().unwrap().replace(&server.base, "");
    let set: JwkSet = serde_json::from_value(browser.call(&address, None).await.json()).unwrap();
    let key = set.find(text(&head, "kid")).unwrap();
    assert!(matches!(&key.algorithm, AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256));

    let mut rules = Validation::new(Algorithm::ES256);
    rules.set_required_spec_claims(&["iss", "sub", "aud", "exp"]);
    rules.set_issuer(&[&server.base]);
    rules.set_audience(&["demo"]);
    let claims = jsonwebtoken::decode::<Value>(id_token, &DecodingKey::from_jwk(key).unwrap(), &rules).unwrap().claims;
    let half = &Sha256::digest(access_token)[..16];
    for (name, value) in [
        ("iss", json!(server.base)),
        ("sub", json!("admin")),
        ("aud", json!("demo")),
        ("azp", json!("demo")),
        ("nonce", json!("of this request")),
        ("at_hash", json!(URL_SAFE_NO_PAD.encode(half))),
    ] {
        assert_eq!(claims[name], value, "{name}: {claims}");
    }
    let at = |name: &str| claims[name].as_u64().unwrap();
    assert!(at("auth_time") <= at("iat") && at("iat") < at("exp"), "{claims}");
    assert!(claims.get("c_hash").is_none(), "no code came with it: {claims}");
}

#[tokio::test]
async fn access_tokens_live_for_an_hour_or_as_long_as_the_builder_says() {
    for (lifetime, seconds) in [(None, 3600), (Some(600), 600)] {
        let clock = Clock::by_hand();
        let server = start(|builder| {
            let builder = builder.clock(clock.clone());
            match lifetime {
                Some(lifetime) => builder.access_token_lifetime(Duration::from_secs(lifetime)),
                None => builder,
            }
        });
        let browser = Browser::new(&server);
        clock.advance(Duration::from_secs(5));
        let issued = browser.issued(&[]).await;
        assert_eq!(issued["expires_in"], seconds);
        let token = issued["access_token"].as_str();
        clock.advance(Duration::from_secs(seconds - 1));
        assert_eq!(browser.call("/me", token).await.status, 200, "{seconds}");
        clock.advance(Duration::from_secs(1));
        assert_eq!(browser.call("/me", token).await.status, 401, "{seconds}");
    }
}

#[test]
fn a_client_s_secret_has_32_bytes() {
    let build = |secret: &str| builder("http://127.0.0.1:1").client(Client::confidential("job").secret(secret)).build();
    for bytes in [0, 16, 31] {
        let refused = build(&SECRET[..bytes]).map(drop);
        assert!(matches!(refused, Err(BuildError::ClientSecret { .. })), "{bytes}: {refused:?}");
    }
    assert!(build(&SECRET[..32]).is_ok());
}

#[tokio::test]
async fn c17_an_assertion_that_was_issued_long_ago_proves_nothing() {
    const HOUR: u64 = 3600;
    // The memory is older than what is asserted, and vouches for it.
    let clock = Clock::by_hand_ago(Duration::from_secs(2 * HOUR));
    let store = watched(clock.clone());
    clock.advance(Duration::from_secs(2 * HOUR));
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let private = EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref());
    let public = Jwk::from_encoding_key(&private, Algorithm::ES256).unwrap();
    let client = Client::confidential("signer").jwks(json!({ "keys": [public] }));
    let server = start(|builder| builder.store(store).clock(clock.clone()).client(client));
    let browser = Browser::new(&server);
    let now = clock.now().seconds();
    let asserted = async |issued_at: u64| {
        let claims = json!({
            "iss": "signer", "sub": "signer", "aud": server.base, "jti": issued_at.to_string(),
            "iat": issued_at, "exp": now + 60,
        });
        let assertion = jsonwebtoken::encode(&Header::new(Algorithm::ES256), &claims, &private).unwrap();
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", &assertion),
        ];
        Answer::to(browser.http.post(format!("{}/token", server.base)).form(&fields)).await
    };
    for ago in [365 * 24 * HOUR, HOUR, 360] {
        let answer = asserted(now - ago).await;
        assert_eq!((answer.status, &answer.json()["error"]), (400, &json!("invalid_client")), "{ago}: {answer:?}");
    }
    for ago in [0, 240] {
        assert_eq!(asserted(now - ago).await.status, 200, "{ago}");
    }
}

#[tokio::test]
async fn c21_what_is_not_offered_is_neither_listed_nor_done() {
    let server = start(with_openid);
    let browser = Browser::new(&server);
    let openid = browser.call("/.well-known/openid-configuration", None).await.json();
    for name in [
        "device_authorization_endpoint",
        "request_object_signing_alg_values_supported",
        "require_signed_request_object",
        "dpop_signing_alg_values_supported",
        "tls_client_certificate_bound_access_tokens",
        "mtls_endpoint_aliases",
    ] {
        assert!(openid.get(name).is_none_or(|value| value == false), "{name}: {openid}");
    }
    for grant in ["password", "urn:ietf:params:oauth:grant-type:device_code"] {
        let answer = browser.post("/token", format!("client_id=demo&grant_type={grant}&device_code=x")).await;
        assert_eq!((answer.status, &answer.json()["error"]), (400, &json!("unsupported_grant_type")), "{answer:?}");
    }
    // A proof that is not read binds nothing, and the answer says so.
    let form = browser.token_form(&browser.code().await, &[]);
    let request = browser.http.post(format!("{}/token", server.base)).header("dpop", "a.b.c");
    let answer = Answer::to(request.header("content-type", "application/x-www-form-urlencoded").body(form)).await;
    assert_eq!((answer.status, text(&answer.json(), "token_type")), (200, "Bearer"), "{answer:?}");
}
