//! What unmodified clients send, and expect of the token endpoint and its neighbours.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use oauth_runtime::{
    BuildError, Builder, Client, Clock, GrantType, KeyError, Keys, SignatureAlgorithm, SigningKey, require_claim,
};
use oauth_tests::keys::rsa;
use oauth_tests::{Answer, Browser, SECRET, Server, aged, free_port, serve, start, start_with, watched};
use reqwest::Method;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::clients::KEYS;

fn openid(builder: Builder) -> Builder {
    builder.keys(Keys::generate().unwrap()).scope("openid", "Know who you are")
}

/// A client whose id and secret read otherwise once they are decoded.
const ODD: &str = "job+50%25";
const ODD_SECRET: &str = "100% odd+secret%2Bof a client, as it is";

fn confidential(builder: Builder) -> Builder {
    aged(
        builder
            .client(Client::confidential(ODD).secret(ODD_SECRET).scope("notes:read"))
            .client(Client::confidential("job").secret(SECRET).scope("notes:read")),
    )
}

#[tokio::test]
async fn c35_a_page_of_another_origin_may_send_any_header() {
    let server = start(|builder| confidential(openid(builder)).origin("https://swagger.example"));
    let browser = Browser::new(&server);
    let asked = "authorization,mcp-protocol-version,x-requested-with";
    let preflight = async |path: &str, method: &str, origin: &str| {
        let request = browser.http.request(Method::OPTIONS, format!("{}{path}", server.base)).header("origin", origin);
        let request = request.header("access-control-request-method", method);
        Answer::to(request.header("access-control-request-headers", asked)).await
    };
    for (path, method, vary) in [
        ("/.well-known/oauth-authorization-server", "GET", "Access-Control-Request-Headers"),
        ("/.well-known/openid-configuration", "GET", "Access-Control-Request-Headers"),
        ("/.well-known/oauth-protected-resource", "GET", "Access-Control-Request-Headers"),
        ("/.well-known/jwks.json", "GET", "Access-Control-Request-Headers"),
        ("/token", "POST", "Origin, Access-Control-Request-Headers"),
        ("/par", "POST", "Origin, Access-Control-Request-Headers"),
        ("/revoke", "POST", "Origin, Access-Control-Request-Headers"),
        ("/userinfo", "GET", "Origin, Access-Control-Request-Headers"),
    ] {
        let answer = preflight(path, method, "https://swagger.example").await;
        assert_eq!((answer.status, answer.header("access-control-allow-headers")), (204, asked), "{path}");
        let all: Vec<_> = answer.headers.get_all("vary").iter().map(|value| value.to_str().unwrap()).collect();
        assert_eq!(all.join(", "), vary, "{path}");
        assert!(!answer.headers.contains_key("access-control-allow-credentials"), "{path}");
    }
    // Of an origin that nothing was said of, and where no page of another may come at all.
    for (path, origin) in [("/token", "https://evil.example"), ("/introspect", "https://swagger.example")] {
        let answer = preflight(path, "POST", origin).await;
        for header in ["access-control-allow-headers", "access-control-allow-origin"] {
            assert!(!answer.headers.contains_key(header), "{path} {origin}: {answer:?}");
        }
    }
    // What can be read beyond the body, where it is there.
    let from = |request: reqwest::RequestBuilder| Answer::to(request.header("origin", "https://swagger.example"));
    let refused = from(browser.http.get(format!("{}/userinfo", server.base))).await;
    assert_eq!((refused.status, refused.header("access-control-expose-headers")), (401, "WWW-Authenticate"));
    let metadata = from(browser.http.get(format!("{}/.well-known/jwks.json", server.base))).await;
    assert_eq!((metadata.status, metadata.headers.get("access-control-expose-headers")), (200, None));
}

#[tokio::test]
async fn c20_the_redirect_uri_may_be_left_out_at_the_token_endpoint() {
    let server = start(|builder| builder);
    let browser = Browser::new(&server);
    let code = browser.code().await;
    let other = browser.redeem(&code, &[("redirect_uri", Some("http://127.0.0.1:7777/callback/"))]).await;
    assert_eq!((other.status, &other.json()["error"]), (400, &json!("invalid_grant")));
    // PKCE binds it all the same.
    let thief = "a-verifier-of-somebody-else-who-has-the-code";
    let stolen = browser.redeem(&code, &[("redirect_uri", None), ("code_verifier", Some(thief))]).await;
    assert_eq!((stolen.status, &stolen.json()["error"]), (400, &json!("invalid_grant")));
    let left_out = browser.redeem(&code, &[("redirect_uri", None)]).await;
    assert_eq!(left_out.status, 200, "{left_out:?}");
}

#[tokio::test]
async fn c13_c19_what_fails_at_the_token_endpoint_has_the_codes_of_fapi() {
    let server = start(|builder| confidential(builder.client(web())));
    let browser = Browser::new(&server);
    let without = browser.redeem(&browser.code().await, &[("code_verifier", None)]).await;
    assert_eq!((without.status, &without.json()["error"]), (400, &json!("invalid_grant")));

    let grant = ("grant_type", "client_credentials");
    let mismatch = browser.post_as("/token", "job", SECRET, &[grant, ("client_id", "web")]).await;
    assert_eq!((mismatch.status, &mismatch.json()["error"]), (401, &json!("invalid_client")));
    assert_eq!(mismatch.header("www-authenticate"), "Basic realm=\"token\"");
    let none = browser.post("/token", "grant_type=client_credentials").await;
    assert_eq!((none.status, &none.json()["error"]), (400, &json!("invalid_client")));
    let no_secret = browser.post("/token", "grant_type=client_credentials&client_id=job").await;
    assert_eq!((no_secret.status, &no_secret.json()["error"]), (400, &json!("invalid_client")));
}

fn web() -> Client {
    Client::confidential("web")
        .secret(SECRET)
        .redirect_uri("http://127.0.0.1/callback")
        .grants(GrantType::ALL.iter().copied())
}

#[tokio::test]
async fn c17_ids_and_secrets_in_the_header_are_read_as_sent_and_decoded() {
    let server = start(|builder| confidential(builder.origin("https://spa.example")));
    let browser = Browser::new(&server);
    let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let ask = async |sent: String, more: &str| {
        let request = browser.http.post(format!("{}/token", server.base));
        let request = request.header("authorization", format!("Basic {}", STANDARD.encode(sent)));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        Answer::to(request.body(format!("grant_type=client_credentials{more}"))).await
    };
    for id in [ODD.to_owned(), encoded(ODD)] {
        for secret in [ODD_SECRET.to_owned(), encoded(ODD_SECRET), encoded(ODD_SECRET).replace('+', "%20")] {
            let answer = ask(format!("{id}:{secret}"), "").await;
            assert_eq!(answer.status, 200, "{id}:{secret} {answer:?}");
            let named = ask(format!("{id}:{secret}"), &format!("&client_id={}", encoded(ODD))).await;
            assert_eq!(named.status, 200, "{id}:{secret} {named:?}");
        }
        let wrong = ask(format!("{id}:{}", encoded(&encoded(ODD_SECRET))), "").await;
        assert_eq!((wrong.status, &wrong.json()["error"]), (401, &json!("invalid_client")), "{id}");
    }
}

/// git-credential-oauth 0.4, which is Debian's, draws 32 bytes and writes them in base64 as it is; it tries the header first.
#[tokio::test]
async fn c13_a_verifier_may_be_base64() {
    let server = start(|builder| builder.client(Client::public("git").redirect_uri("http://127.0.0.1")));
    let browser = Browser::new(&server);
    let verifier = "YyCOXhqCdywzw18TNCefeKjE4OXf+coS/eOFOECx9Kw=";
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
    let (client, redirect_uri) = ("git", "http://127.0.0.1:36669");
    let asked = [("client_id", client), ("redirect_uri", redirect_uri), ("code_challenge", &challenge)];
    let code = browser.sign_in(&asked.map(|(name, value)| (name, Some(value))), "admin", "admin123").await.redirect();
    let form = async |verifier: &str| {
        let code = ("code", &*code["code"]);
        let grant = ("grant_type", "authorization_code");
        browser
            .post_as("/token", client, "", &[code, ("code_verifier", verifier), grant, ("redirect_uri", redirect_uri)])
            .await
    };
    let too_short = form(&verifier[..42]).await;
    assert_eq!((too_short.status, &too_short.json()["error"]), (400, &json!("invalid_request")), "{too_short:?}");
    let another = form(&verifier.replace('+', "-")).await;
    assert_eq!((another.status, &another.json()["error"]), (400, &json!("invalid_grant")), "{another:?}");
    let answer = form(verifier).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// RFC 6749 §2.3.1: a secret may be left out where it is empty. oidc-agent and golang.org/x/oauth2 send it so.
#[tokio::test]
async fn c17_an_empty_secret_is_none_in_the_header_as_in_the_form() {
    let server = start(|builder| confidential(builder).reload_blocking(|_| Some(json!({ "role": "admin" }))));
    let browser = Browser::new(&server);
    let refresh = browser.issued(&[]).await["refresh_token"].as_str().unwrap().to_owned();
    let fields = [("grant_type", "refresh_token"), ("refresh_token", &*refresh)];
    let answer = browser.post_as("/token", "demo", "", &fields).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    for (client, secret) in [("demo", "x"), (ODD, "")] {
        let answer = browser.post_as("/token", client, secret, &fields).await;
        assert_eq!((answer.status, &answer.json()["error"]), (401, &json!("invalid_client")), "{client}: {answer:?}");
    }
}

#[tokio::test]
async fn c17_a_secret_that_is_read_in_two_ways_is_one_try() {
    let server = start(|builder| confidential(builder).clock(Clock::by_hand()));
    let browser = Browser::new(&server);
    let mut statuses = Vec::new();
    for _ in 0..12 {
        statuses
            .push(browser.post_as("/token", "job", "wr+ng%20", &[("grant_type", "client_credentials")]).await.status);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 11, "{statuses:?}");
}

#[tokio::test]
async fn c28_introspection_without_credentials_is_401() {
    let server = start(confidential);
    let browser = Browser::new(&server);
    for body in ["token=x", "token=x&client_id=job", "token=x&client_id=demo", "token=x&client_id=no-one"] {
        let answer = browser.post("/introspect", body).await;
        assert_eq!((answer.status, &answer.json()["error"]), (401, &json!("invalid_client")), "{body}");
        assert_eq!(answer.header("www-authenticate"), "Basic realm=\"token\"", "{body}");
    }
}

#[require_claim(role = "admin", scope = "notes:write notes:read")]
#[actix_web::get("/both")]
async fn both() -> &'static str {
    "both"
}

#[require_claim(any(scope = "notes:read", role = "admin"))]
#[actix_web::get("/either")]
async fn either() -> &'static str {
    "either"
}

fn guarded() -> Server {
    start_with(
        |builder| builder,
        |app| {
            app.service(both).service(either);
        },
    )
}

#[tokio::test]
async fn c28_a_challenge_without_a_token_names_the_scope_that_the_policy_needs() {
    let server = guarded();
    let browser = Browser::new(&server);
    let good = browser.token_for("user").await;
    let broken = &good[..good.len() - 4];
    for (path, scope) in [
        ("/notes", Some("notes:read")),
        ("/both", Some("notes:read notes:write")),
        ("/either", Some("notes:read")),
        ("/admin", None),
        ("/me", None),
    ] {
        let without = browser.call(path, None).await;
        let challenge = without.challenge();
        assert_eq!((without.status, challenge.get("scope").map(String::as_str)), (401, scope), "{path}");
        assert!(!challenge.contains_key("error"), "{path}: RFC 6750 §3.1");
        let invalid = browser.call(path, Some(broken)).await;
        let challenge = invalid.challenge();
        assert_eq!((invalid.status, challenge.get("scope").map(String::as_str)), (401, scope), "{path}");
    }
    // What cannot be read is not a token that is missing.
    let malformed = browser.http.get(format!("{}/notes", server.base)).header("authorization", "Bearer");
    let malformed = Answer::to(malformed).await;
    assert_eq!((malformed.status, malformed.challenge().get("scope")), (400, None));
}

#[tokio::test]
async fn c25_userinfo_takes_a_token_in_the_form_of_the_body() {
    let server = start(openid);
    let browser = Browser::new(&server);
    let issued = browser.issued(&[("scope", Some("openid"))]).await;
    let token = issued["access_token"].as_str().unwrap();
    let form = format!("access_token={token}");
    let answer = browser.post("/userinfo", form.clone()).await;
    assert_eq!((answer.status, &answer.json()["sub"]), (200, &json!("admin")), "{answer:?}");
    // By one way alone, once, and of a form alone.
    let url = format!("{}/userinfo", server.base);
    let form_type = "application/x-www-form-urlencoded";
    let post = || browser.http.post(&url);
    for (name, request, status) in [
        ("both", post().bearer_auth(token).header("content-type", form_type).body(form.clone()), 400),
        ("twice", post().header("content-type", form_type).body(format!("{form}&{form}")), 400),
        (
            "a bad header",
            post().header("authorization", "Bearer").header("content-type", form_type).body(form.clone()),
            400,
        ),
        ("in the query", browser.http.get(format!("{url}?{form}")), 401),
        ("posted, in the query", browser.http.post(format!("{url}?{form}")), 401),
        ("not a form", post().header("content-type", "text/plain").body(form.clone()), 401),
        ("none", post().header("content-type", form_type).body("a=b"), 401),
        ("a bad one", post().header("content-type", form_type).body(format!("{form}x")), 401),
        ("the header alone", post().bearer_auth(token), 200),
        ("the header, and a body that is none", post().bearer_auth(token).json(&json!({ "a": 1 })), 200),
    ] {
        let answer = Answer::to(request).await;
        assert_eq!(answer.status, status, "{name}: {answer:?}");
        if status == 400 {
            assert_eq!(answer.challenge()["error"], "invalid_request", "{name}");
        }
    }
    // At a guard the header is the only place.
    let guarded = browser.http.post(format!("{}/write", server.base)).header("content-type", form_type).body(form);
    assert_eq!(Answer::to(guarded).await.status, 401);
}

#[tokio::test]
async fn c23_the_grace_of_refresh_tokens_is_the_builders_choice() {
    let with = |grace| {
        let clock = Clock::by_hand();
        let server = start(|builder| {
            builder
                .clock(clock.clone())
                .reload_blocking(|_| Some(json!({ "role": "admin" })))
                .refresh_token_grace(Duration::from_secs(grace))
        });
        (server, clock)
    };
    let (server, clock) = with(60);
    let browser = Browser::new(&server);
    let first = browser.issued(&[]).await["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(browser.refresh(&first, &[]).await.status, 200);
    clock.advance(Duration::from_secs(59));
    assert_eq!(browser.refresh(&first, &[]).await.status, 200, "within the grace");
    clock.advance(Duration::from_secs(1));
    assert_eq!(browser.refresh(&first, &[]).await.json()["error"], "invalid_grant", "after it");

    let (server, _clock) = with(0);
    let browser = Browser::new(&server);
    let first = browser.issued(&[]).await["refresh_token"].as_str().unwrap().to_owned();
    let next = browser.refresh(&first, &[]).await;
    assert_eq!(next.status, 200);
    assert_eq!(browser.refresh(&first, &[]).await.json()["error"], "invalid_grant", "at once");
    let next = next.json()["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(browser.refresh(&next, &[]).await.json()["error"], "invalid_grant", "its family has ended");
}

#[tokio::test]
async fn c23_a_grace_that_is_changed_counts_for_what_was_issued_before() {
    let clock = Clock::by_hand();
    let store = watched(clock.clone());
    let at = |grace| {
        let (clock, store) = (clock.clone(), store.clone());
        let service = oauth_tests::builder("http://127.0.0.1:9")
            .clock(clock)
            .store(store)
            .reload_blocking(|_| Some(json!({ "role": "admin" })))
            .access_token_lifetime(Duration::from_secs(1))
            .refresh_token_idle(Duration::from_secs(1))
            .refresh_token_grace(Duration::from_secs(grace));
        let oauth = service.build().unwrap();
        serve(free_port().0, move |app| {
            app.configure(oauth.routes());
        })
    };
    let short = at(1);
    let browser = Browser::new(&short);
    let first = browser.issued(&[]).await["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(browser.refresh(&first, &[]).await.status, 200);
    assert_eq!(Browser::new(&at(60)).refresh(&first, &[]).await.status, 200);
}

#[tokio::test]
async fn c26_an_id_token_is_signed_as_its_client_asks() {
    let keys = Keys::new(SigningKey::generate().unwrap()).also(rsa()).unwrap();
    assert!(matches!(keys.clone().also(rsa()), Err(KeyError::SameAlgorithm { .. })));
    let [first, second] = <[String; 2]>::try_from(keys.ids()).unwrap();
    assert!(matches!(keys.retire(&second), Err(KeyError::Signs { .. })));
    let reads_rs256 = Client::public("old").redirect_uri("http://127.0.0.1/callback");
    let server = start(|builder| {
        builder
            .keys(keys.clone())
            .scope("openid", "Know who you are")
            .client(reads_rs256.id_token_algorithm(SignatureAlgorithm::Rs256))
            .reload_blocking(|_| Some(json!({ "role": "admin" })))
    });
    let browser = Browser::new(&server);
    let get = async |path: &str| Answer::to(browser.http.get(format!("{}{path}", server.base))).await.json();
    let listed =
        async || get("/.well-known/openid-configuration").await["id_token_signing_alg_values_supported"].clone();
    assert_eq!(listed().await, json!(["ES256", "RS256"]));
    let published: JwkSet = serde_json::from_value(get("/.well-known/jwks.json").await).unwrap();
    let signed = async |client: &str| {
        let redirect =
            browser.sign_in(&[("scope", Some("openid")), ("client_id", Some(client))], "admin", "admin123").await;
        let issued = browser.redeem(&redirect.redirect()["code"], &[("client_id", Some(client))]).await.json();
        let token = issued["id_token"].as_str().unwrap().to_owned();
        let header = jsonwebtoken::decode_header(&token).unwrap();
        (
            token,
            header,
            issued["refresh_token"].as_str().unwrap().to_owned(),
            issued["access_token"].as_str().unwrap().to_owned(),
        )
    };
    for (client, algorithm, kid) in [("demo", Algorithm::ES256, &first), ("old", Algorithm::RS256, &second)] {
        let (token, header, refresh, access) = signed(client).await;
        assert_eq!((header.alg, header.kid.as_ref()), (algorithm, Some(kid)), "{client}");
        let key = DecodingKey::from_jwk(published.find(kid).unwrap()).unwrap();
        let mut validation = Validation::new(algorithm);
        validation.set_audience(&[client]);
        let claims = jsonwebtoken::decode::<serde_json::Value>(&token, &key, &validation).unwrap().claims;
        let hash = URL_SAFE_NO_PAD.encode(&Sha256::digest(&access)[..16]);
        assert_eq!((&claims["sub"], &claims["at_hash"]), (&json!("admin"), &json!(hash)), "{client}");
        // The access token is for this service, which reads the first key's.
        assert_eq!(jsonwebtoken::decode_header(&access).unwrap().alg, Algorithm::ES256, "{client}");
        assert_eq!(browser.call("/admin", Some(&access)).await.status, 200);
        let refreshed = browser.refresh(&refresh, &[("client_id", Some(client))]).await.json();
        assert_eq!(
            jsonwebtoken::decode_header(refreshed["id_token"].as_str().unwrap()).unwrap().alg,
            algorithm,
            "{client}"
        );
        // It comes back as a hint.
        let hint = browser
            .authorize(&[
                ("id_token_hint", Some(&token)),
                ("prompt", Some("none")),
                ("client_id", Some(client)),
                ("scope", Some("openid")),
            ])
            .await;
        assert!(hint.redirect().contains_key("iss"), "{hint:?}");
    }
    // A key takes the place of the one of its algorithm.
    let next = keys.add(rsa()).unwrap();
    assert_eq!(signed("old").await.1.kid, Some(second.clone()));
    keys.promote(&next).unwrap();
    assert_eq!((signed("old").await.1.kid, signed("demo").await.1.kid), (Some(next), Some(first)));
    assert_eq!(listed().await, json!(["ES256", "RS256"]));
    keys.retire(&second).unwrap();
}

#[tokio::test]
async fn c17_the_algorithms_of_assertions_are_the_builders_choice() {
    let narrowed =
        |builder: Builder| builder.assertion_algorithms([SignatureAlgorithm::Es256, SignatureAlgorithm::EdDsa]);
    let with_key = |number: usize| {
        let key = KEYS[number].public.clone();
        move |builder: Builder| builder.client(Client::confidential("signer").jwks(key).scope("notes:read"))
    };
    for number in [0, 1] {
        let server = start(|builder| narrowed(with_key(number)(builder)));
        for endpoint in ["token", "revocation", "introspection"] {
            let listed = &metadata_of(&server).await[format!("{endpoint}_endpoint_auth_signing_alg_values_supported")];
            assert_eq!(*listed, json!(["ES256", "EdDSA"]), "{endpoint}");
        }
    }
    let refused = narrowed(with_key(2)(oauth_tests::builder("http://127.0.0.1:9"))).build().map(drop);
    assert!(matches!(refused, Err(BuildError::AssertionAlgorithm { client }) if client == "signer"));
}

async fn metadata_of(server: &Server) -> serde_json::Value {
    Answer::to(Browser::new(server).http.get(format!("{}/.well-known/oauth-authorization-server", server.base)))
        .await
        .json()
}
