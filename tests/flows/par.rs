//! Pushed authorization requests (RFC 9126): what a client pushes, how its browser comes with it, and that it leads to one code.

use std::time::Duration;

use oauth_runtime::store::MemoryStore;
use oauth_runtime::testing::{FaultyStore, Verb};
use oauth_runtime::{Builder, Client, Clock, Endpoint};
use oauth_tests::{
    Answer, Browser, Changes, REDIRECT, SECRET, Server, authorization_request, builder, changed, free_port, handlers,
    serve, start, start_here,
};
use serde_json::{Value, json};

const URN: &str = "urn:ietf:params:oauth:request_uri:";
const STATE: (&str, Option<&str>) = ("state", Some("a b&c=d"));

fn with_clients(builder: Builder) -> Builder {
    builder
        .client(Client::confidential("web").secret(SECRET).redirect_uri(REDIRECT))
        .client(Client::public("strict").redirect_uri(REDIRECT).require_pushed_requests())
        .client(
            Client::public("partner")
                .redirect_uri("https://partner.example/cb")
                .third_party()
                .allow_scopes("notes:read"),
        )
}

/// A service, its clock, and a browser in it.
fn server() -> (Server, Clock, Browser) {
    let clock = Clock::by_hand();
    let server = start(|builder| with_clients(builder).clock(clock.clone()));
    let browser = Browser::new(&server);
    (server, clock, browser)
}

async fn push(browser: &Browser, changes: Changes<'_>) -> Answer {
    browser.post("/par", authorization_request(changes)).await
}

/// The `request_uri` of a request that is good.
async fn pushed(browser: &Browser, changes: Changes<'_>) -> String {
    let answer = push(browser, changes).await;
    assert_eq!((answer.status, answer.header("cache-control")), (201, "no-store"), "{answer:?}");
    let answer = answer.json();
    assert_eq!(answer["expires_in"], 60);
    let uri = answer["request_uri"].as_str().unwrap();
    assert!(uri.starts_with(URN) && uri.len() <= 2048, "{uri}");
    uri.to_owned()
}

async fn come(browser: &Browser, client: &str, uri: &str, more: Changes<'_>) -> Answer {
    let query = changed(&[("client_id", client), ("request_uri", uri)], more);
    Answer::to(browser.http.get(format!("{}/authorize?{query}", browser.base))).await
}

fn refused(answer: &Answer, status: u16, error: &str) {
    assert_eq!((answer.status, &answer.json()["error"]), (status, &json!(error)), "{answer:?}");
    assert_eq!(answer.header("cache-control"), "no-store");
}

/// A page, which leads nowhere by itself.
fn page(answer: &Answer, told: &str) {
    assert!(answer.status == 400 && answer.is_page() && answer.body.contains(told), "{told}: {answer:?}");
}

async fn redeemed(browser: &Browser, answer: &Answer) -> Value {
    let tokens = browser.redeem(&answer.redirect()["code"], &[]).await;
    assert_eq!(tokens.status, 200, "{tokens:?}");
    tokens.json()
}

#[tokio::test]
async fn a_pushed_request_is_the_one_that_is_answered() {
    let (server, clock, browser) = server();
    let metadata = browser.call("/.well-known/oauth-authorization-server", None).await.json();
    assert_eq!(metadata["pushed_authorization_request_endpoint"], format!("{}/par", server.base));
    assert!(metadata.get("require_pushed_authorization_requests").is_none());
    let uri = pushed(&browser, &[("scope", Some("notes:read")), STATE]).await;
    let shown = come(&browser, "demo", &uri, &[]).await;
    // A user may be slow.
    clock.advance(Duration::from_secs(1800));
    let answer = browser.login(&shown.form(), "admin", "admin123").await;
    assert!(answer.header("location").starts_with(REDIRECT), "{answer:?}");
    assert_eq!(answer.redirect()["state"], "a b&c=d");
    assert_eq!(redeemed(&browser, &answer).await["scope"], "notes:read");
    // What another site posts comes back by GET, as any request.
    let uri = pushed(&browser, &[STATE]).await;
    let posted =
        browser.post_from_elsewhere("/authorize", changed(&[("client_id", "demo"), ("request_uri", &uri)], &[]));
    let shown = browser.follow(&posted.await).await;
    let answer = browser.login(&shown.form(), "admin", "admin123").await;
    assert_eq!(answer.redirect()["state"], "a b&c=d");
}

#[tokio::test]
async fn c04_what_stands_beside_a_pushed_request_counts_for_nothing() {
    let (_server, _clock, browser) = server();
    let uri = pushed(&browser, &[("scope", Some("notes:read")), STATE]).await;
    // RFC 9126 §4 and RFC 9101 §5
    let beside = [
        ("scope", Some("notes:read notes:write")),
        ("redirect_uri", Some("https://evil.example/")),
        ("state", Some("other")),
        ("code_challenge", Some("plain")),
        ("code_challenge_method", Some("plain")),
        ("response_type", Some("token")),
        ("prompt", Some("none")),
        ("login_hint", Some("mallory")),
        ("resource", Some("https://unknown.example")),
        ("request", Some("x.y.z")),
    ];
    let shown = come(&browser, "demo", &uri, &beside).await;
    assert!(!shown.body.contains("mallory"), "{shown:?}");
    let answer = browser.login(&shown.form(), "admin", "admin123").await;
    assert!(answer.header("location").starts_with(REDIRECT), "{answer:?}");
    assert_eq!(answer.redirect()["state"], "a b&c=d");
    assert_eq!(redeemed(&browser, &answer).await["scope"], "notes:read");
}

#[tokio::test]
async fn c04_a_request_uri_is_of_no_use_to_another_client_nor_changed() {
    let (_server, _clock, browser) = server();
    let uri = pushed(&browser, &[STATE]).await;
    for other in ["web", "strict", "partner", "unknown"] {
        page(&come(&browser, other, &uri, &[]).await, "was not given to this client");
    }
    page(&come(&browser, "demo", &uri, &[("client_id", None)]).await, "client_id is missing");
    let twice = format!("{}/authorize?client_id=demo&client_id=web&request_uri={uri}", browser.base);
    page(&Answer::to(browser.http.get(twice)).await, "more than once");
    let sealed = uri.strip_prefix(URN).unwrap();
    let other = if sealed.ends_with('A') { "B" } else { "A" };
    let form = browser.authorize(&[]).await.form();
    for changed in [
        String::new(),
        "x".to_owned(),
        sealed[..sealed.len() - 1].to_owned(),
        format!("{}{other}", &sealed[..sealed.len() - 1]),
        format!("{sealed}{sealed}").chars().take(1900).collect(),
        // Sealed here, for another purpose.
        form.chars().take(1900).collect(),
        browser.code().await,
    ] {
        page(&come(&browser, "demo", &format!("{URN}{changed}"), &[]).await, "was not given to this client");
    }
    // Any other is one that no one fetches.
    for other in ["https://evil.example/request.jwt", "urn:example:x", "x"] {
        let answer = browser.authorize(&[("request_uri", Some(other)), STATE]).await;
        assert_eq!(answer.redirect()["error"], "request_uri_not_supported", "{other}");
    }
    // None of it has spent anything.
    let shown = come(&browser, "demo", &uri, &[]).await;
    assert_eq!(browser.login(&shown.form(), "admin", "admin123").await.redirect()["state"], "a b&c=d");
}

#[tokio::test]
async fn a_request_uri_lasts_for_a_minute() {
    let (_server, clock, browser) = server();
    let uri = pushed(&browser, &[STATE]).await;
    clock.advance(Duration::from_secs(59));
    assert_eq!(come(&browser, "demo", &uri, &[]).await.status, 200);
    clock.advance(Duration::from_secs(1));
    let late = come(&browser, "demo", &uri, &[]).await;
    page(&late, "too old");
    // The way to the client is as it registered it, and tells it nothing of a state that another may have sent.
    assert!(late.body.contains(&format!("href=\"{REDIRECT}?")) && !late.body.contains("state="), "{late:?}");
    page(&come(&browser, "web", &uri, &[]).await, "too old");
    assert!(!come(&browser, "web", &uri, &[]).await.body.contains(REDIRECT), "of another client it tells no way");
}

#[tokio::test]
async fn a_request_uri_is_spent_by_a_code_and_by_no_reload() {
    let (_server, clock, browser) = server();
    let uri = pushed(&browser, &[STATE]).await;
    // RFC 9126 §4: reloaded, in two windows, and left once
    let (first, second) =
        (come(&browser, "demo", &uri, &[]).await.form(), come(&browser, "demo", &uri, &[]).await.form());
    assert_eq!(browser.login(&first, "admin", "wrong").await.status, 401);
    let answer = browser.login(&first, "admin", "admin123").await;
    assert!(answer.redirect().contains_key("code"), "{answer:?}");
    // The form of a double click is answered again, with the same grant: it is the same code.
    let again = browser.login(&first, "admin", "admin123").await;
    assert!(again.redirect().contains_key("code"), "{again:?}");
    page(&come(&browser, "demo", &uri, &[]).await, "used before");
    // The other window's user is signed in, and the client gets an error.
    let late = browser.login(&second, "admin", "admin123").await;
    assert_eq!(late.redirect()["error"], "invalid_request_uri", "{late:?}");
    assert_eq!(late.redirect()["state"], "a b&c=d");
    // Of another person as well, and for as long as a page of it may live.
    let uri = pushed(&browser, &[STATE]).await;
    let elsewhere = Browser::at(&browser.base);
    let (mine, theirs) =
        (come(&browser, "demo", &uri, &[]).await.form(), come(&elsewhere, "demo", &uri, &[]).await.form());
    assert!(browser.login(&mine, "admin", "admin123").await.redirect().contains_key("code"));
    clock.advance(Duration::from_secs(3500));
    let late = elsewhere.login(&theirs, "user", "user123").await;
    assert_eq!(late.redirect()["error"], "invalid_request_uri", "{late:?}");
}

#[tokio::test]
async fn a_session_answers_a_pushed_request_once() {
    let server = start(|builder| with_clients(builder).reload_blocking(|_| Some(json!({}))));
    let browser = Browser::new(&server);
    let web = async |changes: Changes<'_>| {
        pushed(&browser, &[&[("client_id", Some("web")), ("client_secret", Some(SECRET)), STATE], changes].concat())
            .await
    };
    browser.sign_in(&[], "admin", "admin123").await;
    let uri = web(&[]).await;
    let answer = come(&browser, "web", &uri, &[]).await;
    assert_eq!(answer.redirect()["state"], "a b&c=d");
    page(&come(&browser, "web", &uri, &[]).await, "used before");
    let code = answer.redirect()["code"].clone();
    let form = [("client_id", Some("web")), ("client_secret", Some(SECRET))];
    assert_eq!(browser.redeem(&code, &form).await.status, 200, "what came first is good");
    // An error is no code.
    let silent = web(&[("prompt", Some("none"))]).await;
    for _ in 0..2 {
        let stranger = come(&Browser::at(&server.base), "web", &silent, &[]).await;
        assert_eq!(stranger.redirect()["error"], "login_required");
    }
    assert!(come(&browser, "web", &silent, &[]).await.redirect().contains_key("code"));
}

#[tokio::test]
async fn consent_comes_before_the_code_that_spends() {
    let (_server, _clock, browser) = server();
    let partner = [("client_id", Some("partner")), ("redirect_uri", Some("https://partner.example/cb")), STATE];
    let uri = pushed(&browser, &partner).await;
    let asks = async || {
        let form = come(&browser, "partner", &uri, &[]).await.form();
        browser.login(&form, "admin", "admin123").await.form()
    };
    let (denied, first, second) = (asks().await, asks().await, asks().await);
    assert_eq!(browser.consent(&denied, "deny").await.redirect()["error"], "access_denied");
    assert!(browser.consent(&first, "allow").await.redirect().contains_key("code"), "what was denied spent nothing");
    assert!(browser.consent(&first, "allow").await.redirect().contains_key("code"), "a double click");
    assert_eq!(browser.consent(&second, "allow").await.redirect()["error"], "invalid_request_uri");
}

#[tokio::test]
async fn a_client_shows_who_it_is_when_it_pushes() {
    let (_server, _clock, browser) = server();
    let web = ("client_id", Some("web"));
    // RFC 9126 §2: as at the token endpoint
    refused(&push(&browser, &[web]).await, 400, "invalid_client");
    refused(&push(&browser, &[web, ("client_secret", Some("wrong"))]).await, 400, "invalid_client");
    refused(&push(&browser, &[("client_id", Some("unknown"))]).await, 400, "invalid_client");
    refused(&push(&browser, &[("client_id", None)]).await, 400, "invalid_client");
    refused(&push(&browser, &[("client_secret", Some(SECRET))]).await, 400, "invalid_client");
    let as_web = |client: &str, secret: &str| {
        let request = browser.http.post(format!("{}/par", browser.base)).basic_auth("web", Some(secret));
        let form = authorization_request(&[("client_id", Some(client))]);
        Answer::to(request.header("content-type", "application/x-www-form-urlencoded").body(form))
    };
    refused(&as_web("web", "wrong").await, 401, "invalid_client");
    refused(&as_web("demo", SECRET).await, 401, "invalid_client");
    let answer = as_web("web", SECRET).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    // Its secret is not in what the browser sees, or would see if it could open it: it makes no difference of length.
    let by_body = pushed(&browser, &[web, ("client_secret", Some(SECRET))]).await;
    assert_eq!(by_body.len(), answer.json()["request_uri"].as_str().unwrap().len());
    let shown = come(&browser, "web", &by_body, &[]).await;
    let code = browser.login(&shown.form(), "admin", "admin123").await.redirect()["code"].clone();
    assert_eq!(browser.redeem(&code, &[web, ("client_secret", Some(SECRET))]).await.status, 200);
}

#[tokio::test]
async fn a_client_that_registered_itself_may_push() {
    let server = start_here(|builder, base| builder.mcp(format!("{base}/mcp")).open_scopes("notes:read"));
    let browser = Browser::new(&server);
    let metadata = json!({ "redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none" });
    let register = browser.http.post(format!("{}/register", server.base)).header("content-type", "application/json");
    let registered = Answer::to(register.body(metadata.to_string())).await.json();
    let client = registered["client_id"].as_str().unwrap();
    let uri = pushed(&browser, &[("client_id", Some(client)), STATE]).await;
    let form = come(&browser, client, &uri, &[]).await.form();
    let asked = browser.login(&form, "admin", "admin123").await;
    let answer = browser.consent(&asked.form(), "allow").await.redirect();
    assert!(answer.contains_key("code") && answer["state"] == "a b&c=d", "{answer:?}");
    page(&come(&browser, "demo", &uri, &[]).await, "was not given to this client");
}

#[tokio::test]
async fn what_could_not_be_authorized_cannot_be_pushed() {
    let (_server, _clock, browser) = server();
    let long = "s".repeat(1024);
    let hint = "h".repeat(2000);
    let (redirect_uri, request_uri) = (("redirect_uri", Some("https://evil.example/")), ("request_uri", Some("urn:x")));
    let cases: [(Changes<'_>, u16, &str); 11] = [
        (&[redirect_uri], 400, "invalid_request"),
        // RFC 9126 §2.1
        (&[request_uri], 400, "invalid_request"),
        (&[("request", Some("x.y.z"))], 400, "request_not_supported"),
        (&[("response_type", Some("token"))], 400, "unsupported_response_type"),
        (&[("code_challenge", None)], 400, "invalid_request"),
        (&[("code_challenge_method", Some("plain"))], 400, "invalid_request"),
        (&[("scope", Some("unknown"))], 400, "invalid_scope"),
        (&[("resource", Some("https://unknown.example"))], 400, "invalid_target"),
        (&[("prompt", Some("x"))], 400, "invalid_request"),
        (&[("id_token_hint", Some(&hint))], 400, "invalid_request"),
        // RFC 9126 §2.3
        (&[("state", Some(&long)), ("nonce", Some(&long[..512]))], 413, "invalid_request"),
    ];
    for (changes, status, error) in cases {
        refused(&push(&browser, changes).await, status, error);
    }
    let twice = format!("{}&request_uri=a&request_uri=b", authorization_request(&[]));
    refused(&browser.post("/par", twice).await, 400, "invalid_request");
    let twice = format!("{}&redirect_uri=https://evil.example", authorization_request(&[]));
    refused(&browser.post("/par", twice).await, 400, "invalid_request");
    let by_get = Answer::to(browser.http.get(format!("{}/par?{}", browser.base, authorization_request(&[])))).await;
    assert_eq!((by_get.status, by_get.header("allow")), (405, "POST"), "RFC 9126 §2.3");
}

#[tokio::test]
async fn where_requests_have_to_be_pushed_no_other_is_answered() {
    let (_server, _clock, browser) = server();
    let strict = ("client_id", Some("strict"));
    let answer = browser.authorize(&[strict, STATE]).await;
    assert_eq!(answer.redirect()["error"], "invalid_request", "{answer:?}");
    assert!(answer.redirect()["error_description"].contains("RFC 9126") && answer.redirect()["state"] == "a b&c=d");
    let uri = pushed(&browser, &[strict, STATE]).await;
    let shown = come(&browser, "strict", &uri, &[]).await;
    assert!(browser.login(&shown.form(), "admin", "admin123").await.redirect().contains_key("code"));
    // RFC 9126 §5: of the server it is said, of one client it is its own
    let all =
        start(|builder| with_clients(builder).require_pushed_requests().path(Endpoint::PushedAuthorization, "/push"));
    let browser = Browser::new(&all);
    let metadata = browser.call("/.well-known/oauth-authorization-server", None).await.json();
    assert_eq!(metadata["require_pushed_authorization_requests"], true);
    assert_eq!(metadata["pushed_authorization_request_endpoint"], format!("{}/push", all.base));
    assert_eq!(browser.authorize(&[STATE]).await.redirect()["error"], "invalid_request");
    let uri =
        browser.post("/push", authorization_request(&[])).await.json()["request_uri"].as_str().unwrap().to_owned();
    assert_eq!(come(&browser, "demo", &uri, &[]).await.status, 200);
}

#[tokio::test]
async fn c41_nothing_is_stored_for_a_push_and_what_was_spent_is_so_for_all_processes() {
    let store = FaultyStore::new(MemoryStore::new());
    let run = |base: &str| {
        let oauth = with_clients(builder(base)).secret(SECRET).store(store.clone()).build().unwrap();
        move |app: &mut actix_web::web::ServiceConfig| {
            app.configure(oauth.routes()).configure(handlers);
        }
    };
    let (listener, base) = free_port();
    let (one, two) = (run(&base), run(&base));
    let _first = serve(listener, one);
    let (listener, elsewhere) = free_port();
    let _second = serve(listener, two);
    let browser = Browser::at(&base);
    let before = store.calls(&[Verb::Swap, Verb::Count]);
    let uri = pushed(&browser, &[STATE]).await;
    assert_eq!(store.calls(&[Verb::Swap, Verb::Count]), before, "a push writes nothing");
    let other = Browser::at(&elsewhere);
    let shown = come(&browser, "demo", &uri, &[]).await;
    assert_eq!(come(&other, "demo", &uri, &[]).await.status, 200);
    assert!(browser.login(&shown.form(), "admin", "admin123").await.redirect().contains_key("code"));
    page(&come(&other, "demo", &uri, &[]).await, "used before");
}

#[tokio::test]
async fn a_push_is_not_taken_where_it_may_have_been_forgotten_that_it_was_spent() {
    let (listener, base) = free_port();
    let oauth = with_clients(builder(&base)).secret(SECRET).build().unwrap();
    let again = with_clients(builder(&base)).secret(SECRET).build().unwrap();
    let _server = serve(listener, move |app| {
        app.configure(oauth.routes());
    });
    let (listener, elsewhere) = free_port();
    let _restarted = serve(listener, move |app| {
        app.configure(again.routes());
    });
    let uri = pushed(&Browser::at(&base), &[]).await;
    page(&come(&Browser::at(&elsewhere), "demo", &uri, &[]).await, "too old");
}
