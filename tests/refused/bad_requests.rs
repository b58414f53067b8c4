//! Bad requests, one a row: what is answered, where the answer goes, and that nothing has changed.
#![allow(clippy::unwrap_used)]

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU32, Ordering};

use oauth_runtime::testing::{FaultyStore, Verb};
use oauth_runtime::{Client, Clock};
use oauth_tests::{Answer, Browser, CHALLENGE, Changes, REDIRECT, SECRET, Server, VERIFIER, changed, start, watched};
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
}
use Went::{Challenge, Json, Page, Redirect};

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
        }
    }
}

/// A server, and what is good at it: before the rows, and after each.
struct Held {
    _server: Server,
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
    async fn new() -> Held {
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
        let issued = |name: &str| issued[name].as_str().unwrap().to_owned();
        let code = browser.code().await;
        let form = browser.authorize(&[("prompt", Some("login"))]).await.form();
        Held {
            _server: server,
            token: issued("access_token"),
            refresh: issued("refresh_token"),
            changes: spy.calls(&[Verb::Swap]),
            browser,
            spy,
            code,
            form,
            rows: 0,
        }
    }

    /// One request: its answer, that nothing was changed, and that what was good before still is.
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

    /// Authorization requests that end with a page.
    async fn pages(&mut self, rows: &[(&str, Changes<'_>)]) {
        let browser = self.browser.clone();
        for (name, changes) in rows {
            self.row(name, browser.authorize(changes), 400, Some("invalid_request"), Page).await;
        }
    }

    /// Authorization requests that are refused at the client.
    async fn redirects(&mut self, rows: &[(&str, &'static str, Changes<'_>)]) {
        let browser = self.browser.clone();
        for (name, code, changes) in rows {
            self.row(name, browser.authorize(changes), 303, Some(code), Redirect).await;
        }
    }

    /// Token requests with the code.
    async fn redeems(&mut self, rows: &[(&str, &'static str, Changes<'_>)]) {
        let (browser, good) = (self.browser.clone(), self.code.clone());
        for (name, code, changes) in rows {
            self.row(name, browser.redeem(&good, changes), 400, Some(code), Json).await;
        }
    }

    /// Token requests of a client in its own name.
    async fn jobs(&mut self, rows: &[(&str, &'static str, Changes<'_>)]) {
        let browser = self.browser.clone();
        for (name, code, changes) in rows {
            self.row(name, browser.post("/token", changed(&JOB, changes)), 400, Some(code), Json).await;
        }
    }

    /// A call with a header.
    async fn called(&mut self, name: &str, authorization: &str, status: u16, code: Option<&'static str>) {
        let request = self.browser.http.get(format!("{}/me", self.browser.base)).header("authorization", authorization);
        self.row(name, Answer::to(request), status, code, Challenge).await;
    }

    /// After all rows, of which there are so many: what was good all the while works.
    async fn end(self, rows: usize) {
        assert_eq!(self.rows, rows, "a row was lost, or is new and not counted");
        let signed_in = self.browser.login(&self.form, "admin", "admin123").await;
        assert_eq!(signed_in.status, 303, "the form was good all the while");
        let issued = self.browser.redeem(&self.code, &[]).await;
        assert_eq!(issued.status, 200, "and so was the code: {issued:?}");
        assert_eq!(
            self.changes + 2,
            self.spy.calls(&[Verb::Swap]),
            "a session began; a code was spent and its family began"
        );
        let token = issued.json()["access_token"].as_str().unwrap().to_owned();
        assert_eq!(self.browser.call("/admin", Some(&token)).await.status, 200);
        assert_eq!(self.browser.call("/admin", Some(&self.token)).await.status, 200);
        let refreshed = self.browser.refresh(&self.refresh, &[]).await;
        assert_eq!(refreshed.status, 200, "and so was the refresh token: {refreshed:?}");
    }
}

/// A token request of the client `job`.
const JOB: [(&str, &str); 3] = [("grant_type", "client_credentials"), ("client_id", "job"), ("client_secret", SECRET)];

/// What is sealed or signed, with another character in its middle.
fn flipped(good: &str) -> String {
    format!("{}{}{}", &good[..60], if &good[60..61] == "A" { "B" } else { "A" }, &good[61..])
}

/// A form, as it is posted.
fn encoded(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

#[tokio::test]
async fn c04_a_client_or_a_redirect_that_is_not_known_gets_a_page() {
    let mut held = Held::new().await;
    let long = "x".repeat(3000);
    let longest = "x".repeat(9000);
    held.pages(&[
        ("no client_id", &[("client_id", None)]),
        ("an empty client_id", &[("client_id", Some(""))]),
        ("an unknown client", &[("client_id", Some("stranger"))]),
        ("a client in other case", &[("client_id", Some("Demo"))]),
        ("a long client_id", &[("client_id", Some(&long))]),
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
        ("two registered and none named", &[("client_id", Some("other")), ("redirect_uri", None)]),
        ("a long query", &[("unknown", Some(&longest))]),
    ])
    .await;
    held.end(18).await;
}

#[tokio::test]
async fn c01_an_authorization_request_says_everything_once_and_in_one_place() {
    let mut held = Held::new().await;
    held.pages(&[
        ("client_id twice", &[("client_id", Some("demo")), ("client_id", Some("demo"))]),
        ("redirect_uri twice", &[("redirect_uri", Some(REDIRECT)), ("redirect_uri", Some(REDIRECT))]),
        // A redirect would have to bring it back.
        ("state twice", &[("state", Some("a")), ("state", Some("b"))]),
    ])
    .await;
    held.redirects(&[
        ("response_type twice", "invalid_request", &[("response_type", Some("code")), ("response_type", Some("code"))]),
        (
            "a challenge twice",
            "invalid_request",
            &[("code_challenge", Some(CHALLENGE)), ("code_challenge", Some(CHALLENGE))],
        ),
        ("scope twice", "invalid_request", &[("scope", Some("notes:read")), ("scope", Some("notes:read"))]),
    ])
    .await;
    let browser = held.browser.clone();
    let request = browser.http.post(browser.authorize_url(&[]));
    held.row("a request by POST with its parameters elsewhere", Answer::to(request), 400, None, Page).await;
    held.end(7).await;
}

/// Each that is read, not only those that every request has.
#[tokio::test]
async fn c01_no_parameter_of_an_authorization_request_comes_twice_and_an_empty_one_is_none() {
    let server = start(|builder| {
        builder.dpop().scope("openid", "Know who you are").reload_blocking(|_| Some(json!({ "role": "admin" })))
    });
    let browser = Browser::new(&server);
    let key = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    let values = [
        ("response_type", "code"),
        ("response_mode", "query"),
        ("scope", "notes:read"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("nonce", "n"),
        ("prompt", "login"),
        ("max_age", "60"),
        ("ui_locales", "en"),
        ("login_hint", "admin"),
        ("acr_values", "one"),
        ("claims", "{}"),
        ("id_token_hint", "a.b.c"),
        ("request", "a.b.c"),
        ("request_uri", "https://a.example/"),
        ("registration", "{}"),
        ("dpop_jkt", key),
    ];
    for (name, value) in values {
        let twice =
            browser.authorize(&[(name, Some(value)), (name, Some(value)), ("state", Some("s"))]).await.redirect();
        assert_eq!((twice["error"].as_str(), twice["state"].as_str()), ("invalid_request", "s"), "{name}: {twice:?}");
        assert_eq!(twice["error_description"], format!("{name} is there more than once: send it once"));
    }
    let empty =
        values.iter().filter(|(name, _)| !["response_type", "code_challenge", "code_challenge_method"].contains(name));
    let empty: Vec<_> =
        empty.map(|(name, _)| (*name, Some(""))).chain([("resource", Some("")), ("resource", Some(""))]).collect();
    let (page, none) = (browser.authorize(&empty).await, browser.authorize(&[]).await);
    assert!(page.status == 200 && page.is_page(), "{page:?}");
    let without_form = |page: &Answer| page.body.replace(&page.form(), "");
    assert_eq!(without_form(&page), without_form(&none), "the page of a request without them");
}

#[tokio::test]
async fn c05_a_state_that_could_not_come_back_as_it_was() {
    let mut held = Held::new().await;
    let long = "x".repeat(3000);
    held.pages(&[("a long state", &[("state", Some(&long))])]).await;
    held.redirects(&[("a state with a line break", "invalid_request", &[("state", Some("a\r\nlocation: b"))])]).await;
    let browser = held.browser.clone();
    let url = format!("{}&state=%ff", browser.authorize_url(&[]));
    held.row("a state that is not UTF-8", Answer::to(browser.http.get(url)), 400, Some("invalid_request"), Page).await;
    held.end(3).await;
}

#[tokio::test]
async fn c21_a_code_is_the_only_response_and_comes_in_the_query() {
    let mut held = Held::new().await;
    held.redirects(&[
        ("no response_type", "invalid_request", &[("response_type", None)]),
        ("the implicit grant", "unsupported_response_type", &[("response_type", Some("token"))]),
        ("a hybrid", "unsupported_response_type", &[("response_type", Some("code id_token"))]),
        ("response_mode fragment", "invalid_request", &[("response_mode", Some("fragment"))]),
    ])
    .await;
    held.end(4).await;
}

#[tokio::test]
async fn c12_a_challenge_is_there_and_whole_and_its_method_is_s256() {
    let mut held = Held::new().await;
    held.redirects(&[
        ("no challenge", "invalid_request", &[("code_challenge", None)]),
        ("an empty challenge", "invalid_request", &[("code_challenge", Some(""))]),
        ("a short challenge", "invalid_request", &[("code_challenge", Some(&CHALLENGE[1..]))]),
        (
            "a challenge that is no base64url",
            "invalid_request",
            &[("code_challenge", Some(&CHALLENGE.replace('-', "+")))],
        ),
        ("no method, which means plain", "invalid_request", &[("code_challenge_method", None)]),
        ("the method plain", "invalid_request", &[("code_challenge_method", Some("plain"))]),
        ("an unknown method", "invalid_request", &[("code_challenge_method", Some("S512"))]),
        ("the method in other case", "invalid_request", &[("code_challenge_method", Some("s256"))]),
    ])
    .await;
    held.end(8).await;
}

#[tokio::test]
async fn c43_a_scope_or_a_resource_that_is_not_offered_or_was_not_granted() {
    let mut held = Held::new().await;
    let long = "x".repeat(3000);
    held.redirects(&[
        ("an unknown scope", "invalid_scope", &[("scope", Some("none"))]),
        ("a scope with a quote", "invalid_scope", &[("scope", Some("notes:\"read\""))]),
        ("a long scope", "invalid_request", &[("scope", Some(&long))]),
        ("an unknown resource", "invalid_target", &[("resource", Some("https://x.example"))]),
        ("a long resource", "invalid_request", &[("resource", Some(&long))]),
    ])
    .await;
    held.redeems(&[
        ("an unknown resource", "invalid_target", &[("resource", Some("https://x.example"))]),
        ("a resource that was not granted", "invalid_target", &[("resource", Some("https://api.example"))]),
    ])
    .await;
    held.jobs(&[
        ("a scope of another client", "invalid_scope", &[("scope", Some("notes:write"))]),
        ("an unknown resource", "invalid_target", &[("resource", Some("https://x.example"))]),
    ])
    .await;
    held.end(9).await;
}

#[tokio::test]
async fn c41_a_sign_in_has_the_form_that_its_browser_was_given() {
    let mut held = Held::new().await;
    let (browser, form) = (held.browser.clone(), held.form.clone());
    let with = |request: &str| encoded(&[("request", request), ("username", "admin"), ("password", "admin123")]);
    let stranger = Browser { http: reqwest::Client::new(), ..browser.clone() };
    let rows = [
        ("no form", encoded(&[("username", "admin"), ("password", "admin123")])),
        ("an empty form", with("")),
        ("a made-up form", with("AAAA")),
        ("a form that is no base64", with("%%%")),
        ("a form with a changed bit", with(&flipped(&form))),
        ("a form that was cut", with(&form[..form.len() - 4])),
        ("a code instead of the form", with(&held.code)),
        ("a token instead of the form", with(&held.token)),
    ];
    for (name, body) in rows {
        held.row(name, browser.post("/login", body), 400, None, Page).await;
    }
    held.row("a browser without the cookie", stranger.post("/login", with(&form)), 403, None, Page).await;
    held.end(9).await;
}

#[tokio::test]
async fn a_sign_in_says_everything_once_and_in_its_body() {
    let mut held = Held::new().await;
    let (browser, form) = (held.browser.clone(), held.form.clone());
    let with = |request: &str| encoded(&[("request", request), ("username", "admin"), ("password", "admin123")]);
    let long = "x".repeat(300);
    let longest = "x".repeat(1100);
    let rows = [
        ("the form twice", with(&form) + "&request=" + &form, 400),
        ("no username", encoded(&[("request", &form), ("password", "admin123")]), 400),
        ("no password", encoded(&[("request", &form), ("username", "admin")]), 400),
        ("an empty password", encoded(&[("request", &form), ("username", "admin"), ("password", "")]), 400),
        ("username twice", with(&form) + "&username=user", 400),
        ("password twice", with(&form) + "&password=admin123", 400),
        ("a long username", encoded(&[("request", &form), ("username", &long), ("password", "x")]), 400),
        ("a long password", encoded(&[("request", &form), ("username", "admin"), ("password", &longest)]), 400),
        ("a username that is not UTF-8", encoded(&[("request", &form), ("password", "x")]) + "&username=%ff", 400),
        ("a wrong password", encoded(&[("request", &form), ("username", "admin"), ("password", "user123")]), 401),
        ("an unknown user", encoded(&[("request", &form), ("username", "stranger"), ("password", "admin123")]), 401),
        ("a long body", with(&form) + "&x=" + &"x".repeat(17_000), 413),
    ];
    for (name, body, status) in rows {
        held.row(name, browser.post("/login", body), status, None, Page).await;
    }
    let request = browser.http.post(format!("{}/login?{}", browser.base, with(&form)));
    held.row("the form in the query", Answer::to(request), 400, None, Page).await;
    let request = browser.http.post(format!("{}/login", browser.base)).body(with(&form));
    held.row("no content type", Answer::to(request), 400, None, Page).await;
    let request = browser.http.get(format!("{}/login?{}", browser.base, with(&form)));
    held.row("a sign-in by GET", Answer::to(request), 400, None, Page).await;
    held.end(15).await;
}

#[tokio::test]
async fn c16_a_token_request_is_a_form_that_says_everything_once() {
    let mut held = Held::new().await;
    let (browser, good) = (held.browser.clone(), held.code.clone());
    held.redeems(&[
        (
            "grant_type twice",
            "invalid_request",
            &[("grant_type", Some("authorization_code")), ("grant_type", Some("authorization_code"))],
        ),
        ("client_id twice", "invalid_request", &[("client_id", Some("demo")), ("client_id", Some("demo"))]),
        ("code twice", "invalid_request", &[("code", Some(&good)), ("code", Some(&good))]),
        (
            "redirect_uri twice",
            "invalid_request",
            &[("redirect_uri", Some(REDIRECT)), ("redirect_uri", Some(REDIRECT))],
        ),
        ("verifier twice", "invalid_request", &[("code_verifier", Some(VERIFIER)), ("code_verifier", Some(VERIFIER))]),
    ])
    .await;
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
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let request = browser.http.request(method.clone(), format!("{at}?{body}"));
        held.row(&format!("{method} /token"), Answer::to(request), 405, Some("invalid_request"), Json).await;
    }
    held.end(15).await;
}

#[tokio::test]
async fn c21_no_grant_but_those_that_the_client_may_use() {
    let mut held = Held::new().await;
    held.redeems(&[
        ("no grant_type", "invalid_request", &[("grant_type", None)]),
        ("an empty grant_type", "invalid_request", &[("grant_type", Some(""))]),
        ("the password grant", "unsupported_grant_type", &[("grant_type", Some("password"))]),
        ("the implicit grant", "unsupported_grant_type", &[("grant_type", Some("implicit"))]),
        ("client credentials", "unauthorized_client", &[("grant_type", Some("client_credentials"))]),
    ])
    .await;
    held.jobs(&[
        ("a job that redeems a code", "unauthorized_client", &[("grant_type", Some("authorization_code"))]),
        ("a job that refreshes", "unauthorized_client", &[("grant_type", Some("refresh_token"))]),
    ])
    .await;
    held.end(7).await;
}

#[tokio::test]
async fn c10_c20_a_code_is_bound_to_its_client_and_its_redirect() {
    let mut held = Held::new().await;
    let (good, form, token, refresh) = (held.code.clone(), held.form.clone(), held.token.clone(), held.refresh.clone());
    let long = "x".repeat(3000);
    held.redeems(&[
        ("no code", "invalid_request", &[("code", None)]),
        ("an empty code", "invalid_request", &[("code", Some(""))]),
        ("a made-up code", "invalid_grant", &[("code", Some("AAAA"))]),
        ("a code that is no base64", "invalid_grant", &[("code", Some("!"))]),
        ("a code with a changed bit", "invalid_grant", &[("code", Some(&flipped(&good)))]),
        ("a code that was cut", "invalid_grant", &[("code", Some(&good[..good.len() - 4]))]),
        ("a code that goes on", "invalid_grant", &[("code", Some(&format!("{good}AAAA")))]),
        ("a form instead of the code", "invalid_grant", &[("code", Some(&form))]),
        ("a token instead of the code", "invalid_grant", &[("code", Some(&token))]),
        ("the refresh token instead of the code", "invalid_grant", &[("code", Some(&refresh))]),
        ("a long code", "invalid_grant", &[("code", Some(&long))]),
        ("another client", "invalid_grant", &[("client_id", Some("other"))]),
        ("another redirect_uri", "invalid_grant", &[("redirect_uri", Some("http://127.0.0.1:7778/callback"))]),
        ("the registered redirect_uri", "invalid_grant", &[("redirect_uri", Some("http://127.0.0.1/callback"))]),
    ])
    .await;
    held.end(14).await;
}

#[tokio::test]
async fn c13_a_code_needs_the_verifier_of_its_challenge() {
    let mut held = Held::new().await;
    let another = "A".repeat(43);
    let too_long = "x".repeat(129);
    held.redeems(&[
        ("no verifier", "invalid_grant", &[("code_verifier", None)]),
        ("an empty verifier", "invalid_grant", &[("code_verifier", Some(""))]),
        ("a short verifier", "invalid_request", &[("code_verifier", Some(&VERIFIER[1..]))]),
        ("a long verifier", "invalid_request", &[("code_verifier", Some(&too_long))]),
        ("a verifier with a space", "invalid_request", &[("code_verifier", Some(&VERIFIER.replace('-', " ")))]),
        ("another verifier", "invalid_grant", &[("code_verifier", Some(&another))]),
        ("the challenge as the verifier", "invalid_grant", &[("code_verifier", Some(CHALLENGE))]),
    ])
    .await;
    held.end(7).await;
}

#[tokio::test]
async fn c19_a_public_client_says_who_it_is_and_has_no_secret() {
    let mut held = Held::new().await;
    held.redeems(&[
        ("no client_id", "invalid_client", &[("client_id", None)]),
        ("an unknown client", "invalid_client", &[("client_id", Some("nobody"))]),
        ("a secret of a client that has none", "invalid_client", &[("client_secret", Some("secret"))]),
    ])
    .await;
    let browser = held.browser.clone();
    let request = browser.http.post(format!("{}/token", browser.base)).basic_auth("demo", Some("secret"));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let body = browser.token_form(&held.code, &[]);
    held.row("a secret in the header", Answer::to(request.body(body)), 401, Some("invalid_client"), Json).await;
    held.end(4).await;
}

#[tokio::test]
async fn c16_c24_a_refresh_is_for_its_client_and_for_what_was_granted() {
    let mut held = Held::new().await;
    let browser = held.browser.clone();
    let good = held.refresh.clone();
    let (code, form, token) = (held.code.clone(), held.form.clone(), held.token.clone());
    let long = "x".repeat(5000);
    let longer = "x".repeat(1100);
    let rows: &[(&str, &'static str, Changes<'_>)] = &[
        ("no refresh token", "invalid_request", &[("refresh_token", None)]),
        ("an empty refresh token", "invalid_request", &[("refresh_token", Some(""))]),
        ("a made-up refresh token", "invalid_grant", &[("refresh_token", Some("AAAA"))]),
        ("a refresh token that is no base64", "invalid_grant", &[("refresh_token", Some("!"))]),
        ("a refresh token with a changed bit", "invalid_grant", &[("refresh_token", Some(&flipped(&good)))]),
        ("a refresh token that was cut", "invalid_grant", &[("refresh_token", Some(&good[..good.len() - 4]))]),
        ("a code instead of the refresh token", "invalid_grant", &[("refresh_token", Some(&code))]),
        ("a form instead of the refresh token", "invalid_grant", &[("refresh_token", Some(&form))]),
        ("a token instead of the refresh token", "invalid_grant", &[("refresh_token", Some(&token))]),
        ("a long refresh token", "invalid_grant", &[("refresh_token", Some(&long))]),
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
    held.end(21).await;
}

#[tokio::test]
async fn c17_c19_a_client_shows_once_who_it_is() {
    let mut held = Held::new().await;
    let jwt = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    held.jobs(&[
        ("no secret", "invalid_client", &[("client_secret", None)]),
        ("an empty secret", "invalid_client", &[("client_secret", Some(""))]),
        ("a wrong secret", "invalid_client", &[("client_secret", Some("wrong"))]),
        ("the secret twice", "invalid_request", &[("client_secret", Some(SECRET)), ("client_secret", Some(SECRET))]),
        ("a secret and no client", "invalid_client", &[("client_id", None)]),
        ("a secret of an unknown client", "invalid_client", &[("client_id", Some("nobody"))]),
        ("a secret of a public client", "invalid_client", &[("client_id", Some("demo"))]),
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
    ])
    .await;
    let browser = held.browser.clone();
    let grant = [JOB[0]];
    for (name, client, secret) in
        [("a wrong secret in the header", "job", "wrong"), ("an unknown client in the header", "nobody", SECRET)]
    {
        held.row(name, browser.post_as("/token", client, secret, &grant), 401, Some("invalid_client"), Json).await;
    }
    let both = browser.post_as("/token", "job", SECRET, &JOB);
    held.row("the secret in header and body", both, 400, Some("invalid_request"), Json).await;
    let other_client = [JOB[0], ("client_id", "demo")];
    let other = browser.post_as("/token", "job", SECRET, &other_client);
    held.row("another client in the body", other, 401, Some("invalid_client"), Json).await;
    let query = browser.http.post(format!("{}/token?{}", browser.base, changed(&JOB[1..], &[])));
    held.row("the secret in the query", Answer::to(query.form(&grant)), 400, Some("invalid_client"), Json).await;
    held.end(17).await;
}

#[tokio::test]
async fn c17_a_token_is_given_back_or_shown_to_a_client_that_shows_who_it_is() {
    let mut held = Held::new().await;
    let browser = held.browser.clone();
    let (token, refresh) = (held.token.clone(), held.refresh.clone());
    for path in ["/revoke", "/introspect"] {
        let usual = [("client_id", "job"), ("client_secret", SECRET), ("token", token.as_str())];
        // RFC 7662 §2.3 answers 401 whichever way the client tried.
        let unproven = if path == "/revoke" { 400 } else { 401 };
        let rows: &[(&str, u16, &'static str, Changes<'_>)] = &[
            ("no token", 400, "invalid_request", &[("token", None)]),
            ("an empty token", 400, "invalid_request", &[("token", Some(""))]),
            ("the token twice", 400, "invalid_request", &[("token", Some(&token)), ("token", Some(&token))]),
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
        held.row(&name, Answer::to(get), 405, Some("invalid_request"), Json).await;
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
    held.end(27).await;
}

#[tokio::test]
async fn c25_c28_a_call_has_one_token_and_in_its_header() {
    let mut held = Held::new().await;
    let (browser, token) = (held.browser.clone(), held.token.clone());
    let rows = [
        ("another scheme", "Basic YTpi".into(), 401, None),
        ("the token without a scheme", token.clone(), 401, None),
        ("a scheme without a token", "Bearer".into(), 400, Some("invalid_request")),
        ("a scheme and a space", "Bearer ".into(), 400, Some("invalid_request")),
        ("two tokens", format!("Bearer {token} {token}"), 400, Some("invalid_request")),
        ("a list of tokens", format!("Bearer {token},{token}"), 400, Some("invalid_request")),
        ("a token in quotes", format!("Bearer \"{token}\""), 400, Some("invalid_request")),
    ];
    for (name, value, status, code) in rows {
        held.called(name, &value, status, code).await;
    }
    held.row("no header", browser.call("/me", None), 401, None, Challenge).await;
    let query = format!("/me?access_token={token}");
    held.row("the token in the query", browser.call(&query, None), 401, None, Challenge).await;
    let twice = browser.http.get(format!("{}/me", browser.base)).bearer_auth(&token);
    let twice = twice.header("authorization", format!("Bearer {token}"));
    held.row("the header twice", Answer::to(twice), 400, Some("invalid_request"), Challenge).await;
    held.end(10).await;
}

#[tokio::test]
async fn c26_c28_a_call_has_an_access_token_that_suffices() {
    let mut held = Held::new().await;
    let (browser, token) = (held.browser.clone(), held.token.clone());
    let cut = &token[..token.len() - 2];
    let parts: Vec<&str> = token.split('.').collect();
    let rows = [
        ("a token that was cut", format!("Bearer {cut}")),
        ("two parts of three", format!("Bearer {}.{}", parts[0], parts[1])),
        ("four parts", format!("Bearer {token}.{}", parts[2])),
        ("no signature", format!("Bearer {}.{}.", parts[0], parts[1])),
        ("dots alone", "Bearer ..".into()),
        ("a word", "Bearer token".into()),
        ("the code", format!("Bearer {}", held.code)),
        ("the refresh token", format!("Bearer {}", held.refresh)),
        ("the form", format!("Bearer {}", held.form)),
        ("a long token", format!("Bearer {}", "x".repeat(9000))),
    ];
    for (name, value) in rows {
        held.called(name, &value, 401, Some("invalid_token")).await;
    }
    held.row(
        "a scope that was not granted",
        browser.call("/notes", Some(&token)),
        403,
        Some("insufficient_scope"),
        Challenge,
    )
    .await;
    held.end(11).await;
}
