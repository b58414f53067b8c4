//! How often a request waits for a store that is elsewhere, and with how many calls.

use std::future::Future;
use std::time::Duration;

use oauth_runtime::store::MemoryStore;
use oauth_runtime::testing::{Fault, FaultyStore, Verb};
use oauth_runtime::{Client, Question, SignIn};
use oauth_tests::{Answer, Browser, SECRET, start};
use serde_json::{Value, json};

/// Counts what one request asks of the store.
struct Counting {
    store: FaultyStore,
    table: Vec<(&'static str, u64, u64)>,
}

impl Counting {
    async fn count(&mut self, what: &'static str, status: u16, request: impl Future<Output = Answer>) -> Answer {
        let before = (self.store.waits(), self.store.calls(Verb::ALL));
        let answer = request.await;
        assert_eq!(answer.status, status, "{what}: {answer:?}");
        self.table.push((what, self.store.waits() - before.0, self.store.calls(Verb::ALL) - before.1));
        answer
    }
}

#[tokio::test]
async fn each_request_waits_once_for_a_store_that_is_elsewhere() {
    let store = FaultyStore::new(MemoryStore::new());
    // So that two calls at once are seen to be at once.
    store.fail(Verb::ALL, Fault::Slow(Duration::from_millis(20)));
    let shared = store.clone();
    let server = start(|builder| {
        builder
            .store(shared)
            .client(Client::confidential("job").secret(SECRET))
            .client(Client::public("guest").redirect_uri("https://guest.example/cb").third_party())
            .authenticate(async |login: oauth_runtime::Login| match login.username.as_str() {
                "eve" => SignIn::ask(Question::code("Enter the code")),
                name => SignIn::done(json!({ "sub": name, "role": "admin" })),
            })
            .second_factor(async |factor: oauth_runtime::SecondFactor| SignIn::done(json!({ "sub": factor.username })))
            .reload(async |subject: &str| Some(json!({ "sub": subject, "role": "admin" })))
            .account_page()
    });
    let browser = Browser::new(&server);
    let mut counting = Counting { store, table: Vec::new() };
    // A user whom the process has seen before, as most are.
    browser.sign_in(&[], "ada", "x").await;

    let page =
        counting.count("GET /authorize with a session", 200, browser.authorize(&[("prompt", Some("login"))])).await;
    let signed_in = counting.count("POST /login", 303, browser.login(&page.form(), "ada", "x")).await;
    let code = signed_in.redirect()["code"].clone();
    let issued = counting.count("POST /token with a code", 200, browser.redeem(&code, &[])).await.json();
    let [access, refresh] = ["access_token", "refresh_token"].map(|name| issued[name].as_str().unwrap().to_owned());
    counting.count("GET /me at once", 200, browser.call("/me", Some(&access))).await;
    tokio::time::sleep(Duration::from_millis(2_050)).await;
    counting.count("GET /me after the lag", 200, browser.call("/me", Some(&access))).await;
    counting.count("GET /me within the lag", 200, browser.call("/me", Some(&access))).await;
    let refreshed =
        counting.count("POST /token with a refresh token", 200, browser.refresh(&refresh, &[])).await.json();
    let silent = browser.authorize(&[("prompt", Some("none"))]).await;
    assert_eq!(silent.redirect()["error"], "consent_required", "a command line is asked about");
    let as_job = async |path: &'static str, form: Vec<(&'static str, String)>| {
        let request = browser.http.post(format!("{}{path}", browser.base)).basic_auth("job", Some(SECRET));
        Answer::to(request.form(&form)).await
    };
    let grant = vec![("grant_type", "client_credentials".to_owned())];
    counting.count("POST /token in its own name", 200, as_job("/token", grant)).await;
    counting.count("POST /introspect", 200, as_job("/introspect", vec![("token", access)])).await;
    let token = refreshed["refresh_token"].as_str().unwrap();
    counting.count("POST /revoke", 200, browser.post("/revoke", format!("client_id=demo&token={token}"))).await;

    let guest = [("client_id", Some("guest")), ("redirect_uri", Some("https://guest.example/cb"))];
    let page = browser.authorize(&guest).await;
    counting.count("POST /consent", 303, browser.consent(&page.form(), "allow")).await;
    counting.count("GET /authorize with a consent", 303, browser.authorize(&guest)).await;
    let page = counting.count("GET /account", 200, browser.call("/account", None)).await;
    let ended = browser.post("/account", format!("request={}&client=guest", page.form()));
    counting.count("POST /account", 303, ended).await;
    let page =
        counting.count("GET /logout", 200, Answer::to(browser.http.get(format!("{}/logout", browser.base)))).await;
    counting.count("POST /logout", 200, browser.sign_out(&page.form(), "sign_out")).await;

    let page = browser.authorize(&[("prompt", Some("login"))]).await;
    let asked = counting.count("POST /login, a question", 200, browser.login(&page.form(), "eve", "x")).await;
    let fields = [("request", asked.form()), ("answer", "314159".to_owned())];
    let verify = browser.http.post(format!("{}/verify", browser.base)).form(&fields);
    counting.count("POST /verify, a user who is new here", 303, Answer::to(verify)).await;

    let expected: &[(&str, u64, u64)] = &[
        ("GET /authorize with a session", 1, 1),
        // Counting the attempt before the password is looked at, beside whether the browser is known; and what follows after it.
        ("POST /login", 3, 4),
        ("POST /token with a code", 1, 1),
        ("GET /me at once", 0, 0),
        ("GET /me after the lag", 1, 1),
        ("GET /me within the lag", 0, 0),
        // The author's `reload` stands between.
        ("POST /token with a refresh token", 2, 2),
        ("POST /token in its own name", 1, 1),
        ("POST /introspect", 1, 1),
        ("POST /revoke", 1, 1),
        ("POST /consent", 1, 1),
        ("GET /authorize with a consent", 1, 1),
        ("GET /account", 1, 1),
        ("POST /account", 1, 1),
        ("GET /logout", 1, 1),
        ("POST /logout", 1, 1),
        // The attempt; that it is taken back, beside the memory that the form will be spent in.
        ("POST /login, a question", 2, 3),
        // The attempt; that it was right, and the memory of the form beside it; what the store knows of the user; their
        // session.
        ("POST /verify, a user who is new here", 4, 5),
    ];
    assert_eq!(counting.table, expected, "{:#?}", counting.table);
}

/// The form carries it all: a page that is opened and left takes no memory, here or in a store.
#[tokio::test]
async fn an_abandoned_sign_in_has_the_store_keep_nothing() {
    let store = FaultyStore::new(MemoryStore::new());
    let shared = store.clone();
    let server = start(|builder| {
        builder
            .store(shared)
            .scope("openid", "Know who you are")
            .reload(async |_: &str| Some(json!({ "role": "admin" })))
    });
    for _ in 0..20 {
        let page = Browser::new(&server).authorize(&[("scope", Some("openid notes:read"))]).await;
        assert!(page.status == 200 && !page.form().is_empty(), "{page:?}");
    }
    assert_eq!(store.calls(&[Verb::Swap, Verb::Count]), 0);
}

/// The same store, asked by a process that has not seen the user: their record has to be read before it is changed.
#[tokio::test]
async fn a_process_that_has_not_seen_a_user_reads_before_it_writes() {
    let store = FaultyStore::new(MemoryStore::new());
    store.fail(Verb::ALL, Fault::Slow(Duration::from_millis(1)));
    let node = || {
        let store = store.clone();
        start(|builder| {
            builder.issuer("http://127.0.0.1:9").store(store).reload(async |_: &str| Some(json!({ "role": "admin" })))
        })
    };
    let (one, other) = (node(), node());
    let (one, other) = (Browser::new(&one), Browser::new(&other));
    one.code().await;
    let code = one.code().await;
    let before = store.waits();
    let issued: Value = other.redeem(&code, &[]).await.json();
    assert!(issued["access_token"].is_string(), "{issued}");
    // A write that finds the record there, and one in its place.
    assert_eq!(store.waits() - before, 2);
}
