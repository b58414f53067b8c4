//! How often a request waits for a store that is elsewhere, and with how many calls.

use std::future::Future;
use std::time::Duration;

use oauth_runtime::store::MemoryStore;
use oauth_runtime::testing::{Fault, FaultyStore, Verb};
use oauth_runtime::{Client, Question, SignIn};
use oauth_tests::proofs::ProofKey;
use oauth_tests::{Answer, Browser, SECRET, authorization_request, changed, start};
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

/// A client that registered itself, a proof, an assertion, a pushed request, a device: each is one more fact, in a place of
/// its own.
#[tokio::test]
async fn what_else_a_request_depends_on_takes_a_call_or_two_more() {
    let store = FaultyStore::new(MemoryStore::new());
    store.fail(Verb::ALL, Fault::Slow(Duration::from_millis(1)));
    let shared = store.clone();
    let server = start(|builder| {
        builder
            .store(shared)
            .dpop()
            .registration()
            .open_scopes("notes:read")
            .client(Client::confidential("job").secret(SECRET))
            .client(Client::public("tv").device())
            .reload(async |_: &str| Some(json!({ "role": "admin" })))
    });
    let browser = Browser::new(&server);
    let mut counting = Counting { store, table: Vec::new() };
    browser.sign_in(&[], "admin", "admin123").await;
    let key = ProofKey::new();
    let url = format!("{}/token", server.base);
    let proven = async |form: String| {
        let post = browser.http.post(&url).header("dpop", key.proof("POST", &url));
        Answer::to(post.header("content-type", "application/x-www-form-urlencoded").body(form)).await
    };

    let push = browser.post("/par", authorization_request(&[("prompt", Some("login"))]));
    let uri = counting.count("POST /par", 201, push).await.json()["request_uri"].as_str().unwrap().to_owned();
    let brought = changed(&[("client_id", "demo"), ("request_uri", &uri)], &[]);
    let brought = browser.http.get(format!("{}/authorize?{brought}", server.base));
    let page = counting.count("GET /authorize with a pushed request", 200, Answer::to(brought)).await;
    let form = page.form();
    let login = browser.login(&form, "admin", "admin123");
    let code = counting.count("POST /login of a pushed request", 303, login).await.redirect()["code"].clone();
    let issued =
        counting.count("POST /token with a code and a proof", 200, proven(browser.token_form(&code, &[]))).await;
    let refresh = issued.json()["refresh_token"].as_str().unwrap().to_owned();
    let form = changed(&[("grant_type", "refresh_token"), ("client_id", "demo"), ("refresh_token", &refresh)], &[]);
    counting.count("POST /token with a refresh token and a proof", 200, proven(form)).await;
    let grant = [("grant_type", "client_credentials")];
    counting.count("POST /token with a wrong secret", 401, browser.post_as("/token", "job", "wrong", &grant)).await;

    let metadata = json!({ "redirect_uris": ["https://agent.example/cb"], "token_endpoint_auth_method": "none" });
    let register = browser.http.post(format!("{}/register", server.base)).json(&metadata);
    let client = counting.count("POST /register", 201, Answer::to(register)).await.json()["client_id"].clone();
    let client = client.as_str().unwrap();
    let agent = [("client_id", Some(client)), ("redirect_uri", Some("https://agent.example/cb"))];
    let page = counting.count("GET /authorize, registered", 200, browser.authorize(&agent)).await;
    let allowed = counting.count("POST /consent, registered", 303, browser.consent(&page.form(), "allow")).await;
    let code = allowed.redirect()["code"].clone();
    counting.count("POST /token with a code, registered", 200, browser.redeem(&code, &agent)).await;

    let device =
        counting.count("POST /device_authorization", 200, browser.post("/device_authorization", "client_id=tv"));
    let device = device.await.json();
    // The network, and what waits under the code that was drawn: it is read first, unless this process knows its bucket.
    let (_, waits, calls) = counting.table.pop().unwrap();
    assert!(waits == calls && (2..=3).contains(&waits), "{waits} {calls}");
    let [device_code, user_code] = ["device_code", "user_code"].map(|name| device[name].as_str().unwrap());
    let device_grant = "urn:ietf:params:oauth:grant-type:device_code";
    let poll = changed(&[("grant_type", device_grant), ("client_id", "tv"), ("device_code", device_code)], &[]);
    counting.count("POST /token of a device that waits", 400, browser.post("/token", poll.clone())).await;
    let page = counting.count("GET /device", 200, browser.call("/device", None)).await;
    let typed = browser.post("/device", changed(&[("request", &page.form()), ("user_code", user_code)], &[]));
    let page = counting.count("POST /device", 200, typed).await;
    counting.count("POST /consent for a device", 200, browser.consent(&page.form(), "allow")).await;
    counting.count("POST /token of a device that was allowed", 200, browser.post("/token", poll)).await;

    let expected: &[(&str, u64, u64)] = &[
        // The memory in which it will be spent.
        ("POST /par", 1, 1),
        // Whether it was spent, and the session.
        ("GET /authorize with a pushed request", 2, 2),
        // As without one, and that it is spent.
        ("POST /login of a pushed request", 4, 5),
        // The memory of the proof, that it is spent, and the code.
        ("POST /token with a code and a proof", 3, 3),
        ("POST /token with a refresh token and a proof", 4, 4),
        ("POST /token with a wrong secret", 1, 1),
        ("POST /register", 1, 1),
        // That its registration was not ended comes first.
        ("GET /authorize, registered", 2, 2),
        ("POST /consent, registered", 2, 2),
        ("POST /token with a code, registered", 2, 2),
        ("POST /token of a device that waits", 1, 1),
        ("GET /device", 0, 0),
        ("POST /device", 4, 4),
        ("POST /consent for a device", 2, 2),
        ("POST /token of a device that was allowed", 2, 2),
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
