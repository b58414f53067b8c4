//! What unmodified clients send, and expect of the token endpoint and its neighbours.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oauth_runtime::{Builder, Client, GrantType, Keys, require_claim};
use oauth_tests::{Answer, Browser, SECRET, Server, aged, start, start_with};
use reqwest::Method;
use serde_json::json;

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
    // What there is to read beyond the body, where it is there.
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

#[tokio::test]
async fn c17_a_secret_that_is_read_in_two_ways_is_one_try() {
    let server = start(|builder| confidential(builder).clock(oauth_runtime::Clock::by_hand()));
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
