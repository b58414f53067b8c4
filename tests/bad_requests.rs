//! Bad requests, one a row: what is answered, where the answer goes, and that nothing has changed.
#![allow(clippy::unwrap_used)]

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU32, Ordering};

use oauth_runtime::testing::{FaultyStore, Verb};
use oauth_runtime::{Client, Clock};
use oauth_tests::{Answer, Browser, CHALLENGE, Changes, REDIRECT, SECRET, VERIFIER, changed, start, watched};
use reqwest::Method;
use serde_json::{Value, json};

/// Where an answer goes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Went {
    /// To the person, and to no client.
    Page,
    /// To the client, by way of the browser.
    Redirect,
    /// To the caller, as JSON.
    Json,
    /// To the caller, as a challenge and JSON.
    Challenge,
    /// To the caller, as a status alone.
    Status,
}
use Went::{Challenge, Json, Page, Redirect, Status};

struct Row {
    name: String,
    answer: Answer,
    status: u16,
    code: Option<&'static str>,
    went: Went,
}

impl Row {
    fn check(&self) {
        let Row { name, answer, status, code, went } = self;
        assert_eq!(answer.status, *status, "{name}: {answer:?}");
        match went {
            Page => assert!(answer.is_page(), "{name}: {answer:?}"),
            Redirect => {
                let redirect = answer.redirect();
                assert!(answer.header("location").starts_with(REDIRECT), "{name}: {answer:?}");
                assert_eq!(redirect.get("error").map(String::as_str), *code, "{name}: {answer:?}");
                assert!(redirect.contains_key("error_description") && !redirect.contains_key("code"), "{name}");
            }
            Json => {
                assert_eq!(answer.json()["error"].as_str(), *code, "{name}: {answer:?}");
                assert!(answer.json()["error_description"].is_string(), "{name}");
                assert_eq!(answer.header("cache-control"), "no-store", "{name}");
                assert_eq!(answer.headers.contains_key("www-authenticate"), *status == 401, "{name}");
            }
            Challenge => {
                assert_eq!(answer.challenge().get("error").map(String::as_str), *code, "{name}: {answer:?}");
                assert_eq!(answer.json().get("error").and_then(Value::as_str), *code, "{name}");
            }
            Status => assert!(!answer.headers.contains_key("location"), "{name}: {answer:?}"),
        }
    }
}

/// What is good before the rows, and must still be after each.
struct Held {
    browser: Browser,
    spy: FaultyStore,
    code: String,
    token: String,
    form: String,
    refresh: String,
    changes: u64,
    rows: usize,
}

impl Held {
    async fn row(
        &mut self,
        name: &str,
        answer: impl Future<Output = Answer>,
        status: u16,
        code: Option<&'static str>,
        went: Went,
    ) {
        Row { name: name.to_owned(), answer: answer.await, status, code, went }.check();
        assert_eq!(self.spy.calls(&[Verb::Swap]), self.changes, "{name}: the store was changed");
        let me = self.browser.call("/me", Some(&self.token)).await;
        assert_eq!(me.status, 200, "{name}: the token was good before");
        self.rows += 1;
    }
}

#[tokio::test]
async fn c01_c04_c10_c12_c13_c16_c19_c20_c21_c25_c28_bad_requests() {
    let spy = watched(Clock::system());
    let store = spy.clone();
    let addresses = AtomicU32::new(1);
    let server = start(move |builder| {
        builder
            .store(store)
            // Each request from an address of its own, so that what is refused is refused for what it is.
            .client_address(move |_| Some(Ipv4Addr::from(addresses.fetch_add(1, Ordering::SeqCst)).into()))
            .reload_blocking(|_| Some(json!({ "role": "admin" })))
            .resource("https://api.example")
            .client(Client::confidential("job").secret(SECRET).scope("notes:read"))
    });
    let browser = Browser::new(&server);
    let issued = browser.issued(&[]).await;
    let held_of = |name: &str| issued[name].as_str().unwrap().to_owned();
    let (token, refresh_token) = (held_of("access_token"), held_of("refresh_token"));
    let code = browser.code().await;
    let form = browser.authorize(&[("prompt", Some("login"))]).await.form();
    let mut held =
        Held { changes: spy.calls(&[Verb::Swap]), browser, spy, code, token, form, refresh: refresh_token, rows: 0 };
    authorize(&mut held).await;
    login(&mut held).await;
    exchange(&mut held).await;
    refresh(&mut held).await;
    clients(&mut held).await;
    given_back(&mut held).await;
    bearer(&mut held).await;
    assert!(held.rows >= 160, "{} rows", held.rows);

    let signed_in = held.browser.login(&held.form, "admin", "admin123").await;
    assert_eq!(signed_in.status, 303, "the form was good all the while");
    let issued = held.browser.redeem(&held.code, &[]).await;
    assert_eq!(issued.status, 200, "and so was the code: {issued:?}");
    assert_eq!(
        held.changes + 2,
        held.spy.calls(&[Verb::Swap]),
        "a session began; a code was spent and its family began"
    );
    let token = issued.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(held.browser.call("/admin", Some(&token)).await.status, 200);
    assert_eq!(held.browser.call("/admin", Some(&held.token)).await.status, 200);
    let refreshed = held.browser.refresh(&held.refresh, &[]).await;
    assert_eq!(refreshed.status, 200, "and so was the refresh token: {refreshed:?}");
}

async fn authorize(held: &mut Held) {
    let long = "x".repeat(3000);
    let longest = "x".repeat(9000);
    let pages: &[(&str, Changes<'_>)] = &[
        ("no client_id", &[("client_id", None)]),
        ("an empty client_id", &[("client_id", Some(""))]),
        ("an unknown client", &[("client_id", Some("nobody"))]),
        ("a client in other case", &[("client_id", Some("Demo"))]),
        ("a long client_id", &[("client_id", Some(&long))]),
        ("client_id twice", &[("client_id", Some("demo")), ("client_id", Some("demo"))]),
        ("an unregistered redirect", &[("redirect_uri", Some("https://evil.example/"))]),
        ("a redirect with more path", &[("redirect_uri", Some("http://127.0.0.1:7777/callback/x"))]),
        ("a redirect with a query", &[("redirect_uri", Some("http://127.0.0.1:7777/callback?x"))]),
        ("a redirect with a fragment", &[("redirect_uri", Some("http://127.0.0.1:7777/callback#x"))]),
        ("a redirect with user info", &[("redirect_uri", Some("http://127.0.0.1:7777@evil.example/callback"))]),
        ("a redirect to localhost", &[("redirect_uri", Some("http://localhost:7777/callback"))]),
        ("a redirect by https", &[("redirect_uri", Some("https://127.0.0.1:7777/callback"))]),
        ("a redirect to no port", &[("redirect_uri", Some("http://127.0.0.1:99999/callback"))]),
        ("a redirect of another client", &[("redirect_uri", Some("https://other.example/cb"))]),
        ("a redirect that runs", &[("redirect_uri", Some("javascript:alert(1)"))]),
        ("a long redirect", &[("redirect_uri", Some(&long))]),
        ("redirect_uri twice", &[("redirect_uri", Some(REDIRECT)), ("redirect_uri", Some(REDIRECT))]),
        ("two registered and none named", &[("client_id", Some("other")), ("redirect_uri", None)]),
        ("a long query", &[("unknown", Some(&longest))]),
        // A redirect would have to bring it back.
        ("state twice", &[("state", Some("a")), ("state", Some("b"))]),
        ("a long state", &[("state", Some(&long))]),
    ];
    for (name, changes) in pages {
        let browser = held.browser.clone();
        held.row(name, browser.authorize(changes), 400, Some("invalid_request"), Page).await;
    }
    let redirects: &[(&str, &'static str, Changes<'_>)] = &[
        ("no response_type", "invalid_request", &[("response_type", None)]),
        ("the implicit grant", "unsupported_response_type", &[("response_type", Some("token"))]),
        ("a hybrid", "unsupported_response_type", &[("response_type", Some("code id_token"))]),
        ("response_type twice", "invalid_request", &[("response_type", Some("code")), ("response_type", Some("code"))]),
        ("response_mode fragment", "invalid_request", &[("response_mode", Some("fragment"))]),
        ("no challenge", "invalid_request", &[("code_challenge", None)]),
        ("an empty challenge", "invalid_request", &[("code_challenge", Some(""))]),
        ("a short challenge", "invalid_request", &[("code_challenge", Some(&CHALLENGE[1..]))]),
        (
            "a challenge that is no base64url",
            "invalid_request",
            &[("code_challenge", Some(&CHALLENGE.replace('-', "+")))],
        ),
        (
            "a challenge twice",
            "invalid_request",
            &[("code_challenge", Some(CHALLENGE)), ("code_challenge", Some(CHALLENGE))],
        ),
        ("no method, which means plain", "invalid_request", &[("code_challenge_method", None)]),
        ("the method plain", "invalid_request", &[("code_challenge_method", Some("plain"))]),
        ("an unknown method", "invalid_request", &[("code_challenge_method", Some("S512"))]),
        ("the method in other case", "invalid_request", &[("code_challenge_method", Some("s256"))]),
        ("an unknown scope", "invalid_scope", &[("scope", Some("none"))]),
        ("a scope with a quote", "invalid_scope", &[("scope", Some("notes:\"read\""))]),
        ("a long scope", "invalid_request", &[("scope", Some(&long))]),
        ("scope twice", "invalid_request", &[("scope", Some("notes:read")), ("scope", Some("notes:read"))]),
        ("an unknown resource", "invalid_target", &[("resource", Some("https://x.example"))]),
        ("a long resource", "invalid_request", &[("resource", Some(&long))]),
        ("a state with a line break", "invalid_request", &[("state", Some("a\r\nlocation: b"))]),
    ];
    for (name, code, changes) in redirects {
        let browser = held.browser.clone();
        held.row(name, browser.authorize(changes), 303, Some(code), Redirect).await;
    }
    let browser = held.browser.clone();
    let url = format!("{}&state=%ff", browser.authorize_url(&[]));
    held.row("a state that is not UTF-8", Answer::to(browser.http.get(url)), 400, Some("invalid_request"), Page).await;
    let request = browser.http.post(browser.authorize_url(&[]));
    held.row("a request by POST with its parameters elsewhere", Answer::to(request), 400, None, Page).await;
}

async fn login(held: &mut Held) {
    let browser = held.browser.clone();
    let stranger = Browser { http: reqwest::Client::new(), ..browser.clone() };
    let form = held.form.clone();
    let flipped = format!("{}{}", &form[..60], if &form[60..61] == "A" { "B" } else { "A" }) + &form[61..];
    let long = "x".repeat(300);
    let longest = "x".repeat(1100);
    let encode =
        |fields: &[(&str, &str)]| url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let with = |request: &str| encode(&[("request", request), ("username", "admin"), ("password", "admin123")]);
    let rows: Vec<(&str, String, u16)> = vec![
        ("no form", encode(&[("username", "admin"), ("password", "admin123")]), 400),
        ("an empty form", with(""), 400),
        ("a made-up form", with("AAAA"), 400),
        ("a form that is no base64", with("%%%"), 400),
        ("a form with a changed bit", with(&flipped), 400),
        ("a form that was cut", with(&form[..form.len() - 4]), 400),
        ("a code in the place of the form", with(&held.code), 400),
        ("a token in the place of the form", with(&held.token), 400),
        ("the form twice", with(&form) + "&request=" + &form, 400),
        ("no username", encode(&[("request", &form), ("password", "admin123")]), 400),
        ("no password", encode(&[("request", &form), ("username", "admin")]), 400),
        ("an empty password", encode(&[("request", &form), ("username", "admin"), ("password", "")]), 400),
        ("username twice", with(&form) + "&username=user", 400),
        ("password twice", with(&form) + "&password=admin123", 400),
        ("a long username", encode(&[("request", &form), ("username", &long), ("password", "x")]), 400),
        ("a long password", encode(&[("request", &form), ("username", "admin"), ("password", &longest)]), 400),
        ("a username that is not UTF-8", encode(&[("request", &form), ("password", "x")]) + "&username=%ff", 400),
        ("a wrong password", encode(&[("request", &form), ("username", "admin"), ("password", "user123")]), 401),
        ("an unknown user", encode(&[("request", &form), ("username", "nobody"), ("password", "admin123")]), 401),
        ("a long body", with(&form) + "&x=" + &"x".repeat(17_000), 413),
    ];
    for (name, body, status) in rows {
        held.row(name, browser.post("/login", body), status, None, Page).await;
    }
    held.row("a browser without the cookie", stranger.post("/login", with(&form)), 403, None, Page).await;
    let request = browser.http.post(format!("{}/login?{}", browser.base, with(&form)));
    held.row("the form in the query", Answer::to(request), 400, None, Page).await;
    let request = browser.http.post(format!("{}/login", browser.base)).body(with(&form));
    held.row("no content type", Answer::to(request), 400, None, Page).await;
    let request = browser.http.get(format!("{}/login?{}", browser.base, with(&form)));
    held.row("a sign-in by GET", Answer::to(request), 400, None, Page).await;
}

async fn exchange(held: &mut Held) {
    let browser = held.browser.clone();
    let good = held.code.clone();
    let flipped = format!("{}{}", &good[..60], if &good[60..61] == "A" { "B" } else { "A" }) + &good[61..];
    let form = held.form.clone();
    let token = held.token.clone();
    let refresh = held.refresh.clone();
    let another = "A".repeat(43);
    let long = "x".repeat(3000);
    let too_long = "x".repeat(129);
    let rows: &[(&str, &'static str, Changes<'_>)] = &[
        ("no grant_type", "invalid_request", &[("grant_type", None)]),
        ("an empty grant_type", "invalid_request", &[("grant_type", Some(""))]),
        ("the password grant", "unsupported_grant_type", &[("grant_type", Some("password"))]),
        ("the implicit grant", "unsupported_grant_type", &[("grant_type", Some("implicit"))]),
        ("client credentials", "unauthorized_client", &[("grant_type", Some("client_credentials"))]),
        ("an unknown resource", "invalid_target", &[("resource", Some("https://x.example"))]),
        ("a resource that was not granted", "invalid_target", &[("resource", Some("https://api.example"))]),
        ("the refresh token in the place of the code", "invalid_grant", &[("code", Some(&refresh))]),
        (
            "grant_type twice",
            "invalid_request",
            &[("grant_type", Some("authorization_code")), ("grant_type", Some("authorization_code"))],
        ),
        ("no client_id", "invalid_client", &[("client_id", None)]),
        ("an unknown client", "invalid_client", &[("client_id", Some("nobody"))]),
        ("another client", "invalid_grant", &[("client_id", Some("other"))]),
        ("client_id twice", "invalid_request", &[("client_id", Some("demo")), ("client_id", Some("demo"))]),
        ("a secret of a client that has none", "invalid_client", &[("client_secret", Some("secret"))]),
        ("no code", "invalid_request", &[("code", None)]),
        ("an empty code", "invalid_request", &[("code", Some(""))]),
        ("a made-up code", "invalid_grant", &[("code", Some("AAAA"))]),
        ("a code that is no base64", "invalid_grant", &[("code", Some("!"))]),
        ("a code with a changed bit", "invalid_grant", &[("code", Some(&flipped))]),
        ("a code that was cut", "invalid_grant", &[("code", Some(&good[..good.len() - 4]))]),
        ("a code that goes on", "invalid_grant", &[("code", Some(&format!("{good}AAAA")))]),
        ("a form in the place of the code", "invalid_grant", &[("code", Some(&form))]),
        ("a token in the place of the code", "invalid_grant", &[("code", Some(&token))]),
        ("a long code", "invalid_request", &[("code", Some(&long))]),
        ("code twice", "invalid_request", &[("code", Some(&good)), ("code", Some(&good))]),
        ("another redirect_uri", "invalid_grant", &[("redirect_uri", Some("http://127.0.0.1:7778/callback"))]),
        ("the registered redirect_uri", "invalid_grant", &[("redirect_uri", Some("http://127.0.0.1/callback"))]),
        (
            "redirect_uri twice",
            "invalid_request",
            &[("redirect_uri", Some(REDIRECT)), ("redirect_uri", Some(REDIRECT))],
        ),
        ("no verifier", "invalid_grant", &[("code_verifier", None)]),
        ("an empty verifier", "invalid_grant", &[("code_verifier", Some(""))]),
        ("a short verifier", "invalid_request", &[("code_verifier", Some(&VERIFIER[1..]))]),
        ("a long verifier", "invalid_request", &[("code_verifier", Some(&too_long))]),
        ("a verifier with a space", "invalid_request", &[("code_verifier", Some(&VERIFIER.replace('-', " ")))]),
        ("another verifier", "invalid_grant", &[("code_verifier", Some(&another))]),
        ("the challenge as the verifier", "invalid_grant", &[("code_verifier", Some(CHALLENGE))]),
        ("verifier twice", "invalid_request", &[("code_verifier", Some(VERIFIER)), ("code_verifier", Some(VERIFIER))]),
    ];
    for (name, code, changes) in rows {
        held.row(name, browser.redeem(&good, changes), 400, Some(code), Json).await;
    }
    let body = browser.token_form(&good, &[]);
    let at = format!("{}/token", browser.base);
    let post = |content_type: &str, body: String| {
        Answer::to(browser.http.post(&at).header("content-type", content_type.to_owned()).body(body))
    };
    let form_type = "application/x-www-form-urlencoded";
    let request = browser.http.post(format!("{at}?{body}")).header("content-type", form_type);
    held.row("everything in the query", Answer::to(request), 400, Some("invalid_request"), Json).await;
    held.row(
        "no content type",
        Answer::to(browser.http.post(&at).body(body.clone())),
        400,
        Some("invalid_request"),
        Json,
    )
    .await;
    held.row("a body of JSON", post("application/json", "{}".into()), 400, Some("invalid_request"), Json).await;
    held.row("a body of text", post("text/plain", body.clone()), 400, Some("invalid_request"), Json).await;
    held.row("no body", post(form_type, String::new()), 400, Some("invalid_request"), Json).await;
    let long = format!("{body}&x={}", "x".repeat(17_000));
    held.row("a long body", post(form_type, long), 413, Some("invalid_request"), Json).await;
    let zipped = browser.http.post(&at).header("content-type", form_type).header("content-encoding", "gzip");
    held.row("a compressed body", Answer::to(zipped.body(body.clone())), 400, Some("invalid_request"), Json).await;
    let basic = browser.http.post(&at).header("content-type", form_type).basic_auth("demo", Some("secret"));
    held.row("a secret in the header", Answer::to(basic.body(body.clone())), 401, Some("invalid_client"), Json).await;
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let request = browser.http.request(method.clone(), format!("{at}?{body}"));
        held.row(&format!("{method} /token"), Answer::to(request), 405, None, Status).await;
    }
}

async fn refresh(held: &mut Held) {
    let browser = held.browser.clone();
    let good = held.refresh.clone();
    let flipped = format!("{}{}", &good[..60], if &good[60..61] == "A" { "B" } else { "A" }) + &good[61..];
    let (code, form, token) = (held.code.clone(), held.form.clone(), held.token.clone());
    let long = "x".repeat(5000);
    let longer = "x".repeat(1100);
    let rows: &[(&str, &'static str, Changes<'_>)] = &[
        ("no refresh token", "invalid_request", &[("refresh_token", None)]),
        ("an empty refresh token", "invalid_request", &[("refresh_token", Some(""))]),
        ("a made-up refresh token", "invalid_grant", &[("refresh_token", Some("AAAA"))]),
        ("a refresh token that is no base64", "invalid_grant", &[("refresh_token", Some("!"))]),
        ("a refresh token with a changed bit", "invalid_grant", &[("refresh_token", Some(&flipped))]),
        ("a refresh token that was cut", "invalid_grant", &[("refresh_token", Some(&good[..good.len() - 4]))]),
        ("a code in the place of the refresh token", "invalid_grant", &[("refresh_token", Some(&code))]),
        ("a form in the place of the refresh token", "invalid_grant", &[("refresh_token", Some(&form))]),
        ("a token in the place of the refresh token", "invalid_grant", &[("refresh_token", Some(&token))]),
        ("a long refresh token", "invalid_request", &[("refresh_token", Some(&long))]),
        (
            "the refresh token twice",
            "invalid_request",
            &[("refresh_token", Some(&good)), ("refresh_token", Some(&good))],
        ),
        ("a refresh token of another client", "invalid_grant", &[("client_id", Some("other"))]),
        ("a refresh token and no client", "invalid_client", &[("client_id", None)]),
        ("a refresh for a scope that was not granted", "invalid_scope", &[("scope", Some("notes:read"))]),
        ("a refresh for a scope with a quote", "invalid_scope", &[("scope", Some("\""))]),
        ("a refresh for a long scope", "invalid_request", &[("scope", Some(&longer))]),
        ("a refresh with scope twice", "invalid_request", &[("scope", Some("a")), ("scope", Some("b"))]),
        ("a refresh for an unknown resource", "invalid_target", &[("resource", Some("https://x.example"))]),
        ("a refresh for a resource not granted", "invalid_target", &[("resource", Some("https://api.example"))]),
        ("a refresh with a long resource", "invalid_request", &[("resource", Some(&long))]),
        ("a refresh with a secret", "invalid_client", &[("client_secret", Some(SECRET))]),
    ];
    for (name, code, changes) in rows {
        held.row(name, browser.refresh(&good, changes), 400, Some(code), Json).await;
    }
}

async fn clients(held: &mut Held) {
    let browser = held.browser.clone();
    let usual: [(&str, &str); 3] =
        [("grant_type", "client_credentials"), ("client_id", "job"), ("client_secret", SECRET)];
    let jwt = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let rows: &[(&str, &'static str, Changes<'_>)] = &[
        ("no secret", "invalid_client", &[("client_secret", None)]),
        ("an empty secret", "invalid_client", &[("client_secret", Some(""))]),
        ("a wrong secret", "invalid_client", &[("client_secret", Some("wrong"))]),
        ("the secret twice", "invalid_request", &[("client_secret", Some(SECRET)), ("client_secret", Some(SECRET))]),
        ("a secret and no client", "invalid_client", &[("client_id", None)]),
        ("a secret of an unknown client", "invalid_client", &[("client_id", Some("nobody"))]),
        ("a secret of a public client", "invalid_client", &[("client_id", Some("demo"))]),
        ("a scope of another client", "invalid_scope", &[("scope", Some("notes:write"))]),
        ("a resource that nobody knows", "invalid_target", &[("resource", Some("https://x.example"))]),
        (
            "a secret and an assertion",
            "invalid_request",
            &[("client_assertion", Some("a.b.c")), ("client_assertion_type", Some(jwt))],
        ),
        (
            "an assertion that is none",
            "invalid_client",
            &[("client_secret", None), ("client_assertion", Some("a.b.c")), ("client_assertion_type", Some(jwt))],
        ),
        (
            "an assertion of another type",
            "invalid_client",
            &[("client_secret", None), ("client_assertion", Some("a.b.c")), ("client_assertion_type", Some("saml"))],
        ),
        (
            "an assertion without its type",
            "invalid_request",
            &[("client_secret", None), ("client_assertion", Some("a.b.c"))],
        ),
        ("a type without its assertion", "invalid_request", &[("client_assertion_type", Some(jwt))]),
        ("a job that redeems a code", "unauthorized_client", &[("grant_type", Some("authorization_code"))]),
        ("a job that refreshes", "unauthorized_client", &[("grant_type", Some("refresh_token"))]),
    ];
    for (name, code, changes) in rows {
        held.row(name, browser.post("/token", changed(&usual, changes)), 400, Some(code), Json).await;
    }
    let grant = [usual[0]];
    for (name, client, secret) in
        [("a wrong secret in the header", "job", "wrong"), ("an unknown client in the header", "nobody", SECRET)]
    {
        held.row(name, browser.post_as("/token", client, secret, &grant), 401, Some("invalid_client"), Json).await;
    }
    let both = browser.post_as("/token", "job", SECRET, &usual);
    held.row("the secret in header and body", both, 400, Some("invalid_request"), Json).await;
    let other_client = [usual[0], ("client_id", "demo")];
    let other = browser.post_as("/token", "job", SECRET, &other_client);
    held.row("another client in the body", other, 401, Some("invalid_client"), Json).await;
    let query = browser.http.post(format!("{}/token?{}", browser.base, changed(&usual[1..], &[])));
    held.row("the secret in the query", Answer::to(query.form(&grant)), 400, Some("invalid_client"), Json).await;
}

async fn given_back(held: &mut Held) {
    let browser = held.browser.clone();
    let (token, refresh) = (held.token.clone(), held.refresh.clone());
    let long = "x".repeat(9000);
    for path in ["/revoke", "/introspect"] {
        let usual = [("client_id", "job"), ("client_secret", SECRET), ("token", token.as_str())];
        // RFC 7662 §2.3 answers 401 whichever way the client tried.
        let unproven = if path == "/revoke" { 400 } else { 401 };
        let rows: &[(&str, u16, &'static str, Changes<'_>)] = &[
            ("no token", 400, "invalid_request", &[("token", None)]),
            ("an empty token", 400, "invalid_request", &[("token", Some(""))]),
            ("the token twice", 400, "invalid_request", &[("token", Some(&token)), ("token", Some(&token))]),
            ("a long token", 400, "invalid_request", &[("token", Some(&long))]),
            ("two hints", 400, "invalid_request", &[("token_type_hint", Some("a")), ("token_type_hint", Some("b"))]),
            ("no client", unproven, "invalid_client", &[("client_id", None), ("client_secret", None)]),
            ("no secret", unproven, "invalid_client", &[("client_secret", None)]),
            ("a wrong secret", unproven, "invalid_client", &[("client_secret", Some("wrong"))]),
            ("an unknown client", unproven, "invalid_client", &[("client_id", Some("nobody"))]),
            ("a public client with a secret", unproven, "invalid_client", &[("client_id", Some("demo"))]),
        ];
        for (name, status, code, changes) in rows {
            let name = format!("{path}: {name}");
            held.row(&name, browser.post(path, changed(&usual, changes)), *status, Some(code), Json).await;
        }
        let name = format!("{path}: a wrong secret in the header");
        let fields = [("token", token.as_str())];
        let wrong = browser.post_as(path, "job", "wrong", &fields);
        held.row(&name, wrong, 401, Some("invalid_client"), Json).await;
        let name = format!("{path}: everything in the query");
        let query = browser.http.post(format!("{}{path}?{}", browser.base, changed(&usual, &[])));
        held.row(&name, Answer::to(query.form(&[("x", "y")])), unproven, Some("invalid_client"), Json).await;
        let name = format!("{path}: by GET");
        let get = browser.http.get(format!("{}{path}?{}", browser.base, changed(&usual, &[])));
        held.row(&name, Answer::to(get), 405, None, Status).await;
    }
    let public = changed(&[("client_id", "demo"), ("token", &token)], &[]);
    held.row(
        "a public client that introspects",
        browser.post("/introspect", public),
        401,
        Some("invalid_client"),
        Json,
    )
    .await;
    for token in [&token, &refresh] {
        let other = changed(&[("client_id", "other"), ("token", token)], &[]);
        held.row("a token of another client", browser.post("/revoke", other), 400, Some("invalid_grant"), Json).await;
    }
}

async fn bearer(held: &mut Held) {
    let browser = held.browser.clone();
    let token = held.token.clone();
    let cut = &token[..token.len() - 2];
    let parts: Vec<&str> = token.split('.').collect();
    let rows: &[(&str, String, u16, Option<&'static str>)] = &[
        ("another scheme", "Basic YTpi".into(), 401, None),
        ("the token without a scheme", token.clone(), 401, None),
        ("a scheme without a token", "Bearer".into(), 400, Some("invalid_request")),
        ("a scheme and a space", "Bearer ".into(), 400, Some("invalid_request")),
        ("two tokens", format!("Bearer {token} {token}"), 400, Some("invalid_request")),
        ("a list of tokens", format!("Bearer {token},{token}"), 400, Some("invalid_request")),
        ("a token in quotes", format!("Bearer \"{token}\""), 400, Some("invalid_request")),
        ("a token that was cut", format!("Bearer {cut}"), 401, Some("invalid_token")),
        ("two parts of three", format!("Bearer {}.{}", parts[0], parts[1]), 401, Some("invalid_token")),
        ("four parts", format!("Bearer {token}.{}", parts[2]), 401, Some("invalid_token")),
        ("no signature", format!("Bearer {}.{}.", parts[0], parts[1]), 401, Some("invalid_token")),
        ("dots alone", "Bearer ..".into(), 401, Some("invalid_token")),
        ("a word", "Bearer token".into(), 401, Some("invalid_token")),
        ("the code", format!("Bearer {}", held.code), 401, Some("invalid_token")),
        ("the refresh token", format!("Bearer {}", held.refresh), 401, Some("invalid_token")),
        ("the form", format!("Bearer {}", held.form), 401, Some("invalid_token")),
        ("a long token", format!("Bearer {}", "x".repeat(9000)), 401, Some("invalid_token")),
    ];
    for (name, value, status, code) in rows {
        let request = browser.http.get(format!("{}/me", browser.base)).header("authorization", value);
        held.row(name, Answer::to(request), *status, *code, Challenge).await;
    }
    held.row("no header", browser.call("/me", None), 401, None, Challenge).await;
    let query = format!("/me?access_token={token}");
    held.row("the token in the query", browser.call(&query, None), 401, None, Challenge).await;
    let twice = browser.http.get(format!("{}/me", browser.base)).bearer_auth(&token);
    let twice = twice.header("authorization", format!("Bearer {token}"));
    held.row("the header twice", Answer::to(twice), 400, Some("invalid_request"), Challenge).await;
    held.row(
        "a scope that was not granted",
        browser.call("/notes", Some(&token)),
        403,
        Some("insufficient_scope"),
        Challenge,
    )
    .await;
}
