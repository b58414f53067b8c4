//! Clients that a function of the author's knows, as the rows of a table.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use oauth_runtime::{Client, Clock, OAuthService};
use oauth_tests::{
    Answer, Browser, REDIRECT, SECRET, Server, builder, changed, free_port, serve, serve_service, watched,
};
use serde_json::{Value, json};

type Known = Result<Option<Client>, &'static str>;

/// The author's table.
#[derive(Clone, Default)]
struct Table {
    rows: Arc<Mutex<BTreeMap<String, Known>>>,
    asked: Arc<Mutex<Vec<String>>>,
    now: Arc<AtomicUsize>,
    most_at_once: Arc<AtomicUsize>,
    /// Whether made-up ids get no answer.
    hangs: Arc<AtomicBool>,
    /// The id that gets none either.
    hangs_at: Arc<Mutex<String>>,
}

impl Table {
    fn put(&self, id: &str, row: Known) {
        self.rows.lock().unwrap().insert(id.to_owned(), row);
    }

    async fn find(&self, id: &str) -> Known {
        self.asked.lock().unwrap().push(id.to_owned());
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(now, Ordering::SeqCst);
        let hangs_here = *self.hangs_at.lock().unwrap() == id;
        if hangs_here || (id.starts_with("made-up") && self.hangs.load(Ordering::SeqCst)) {
            std::future::pending::<()>().await;
        }
        // Where a database would be waited for.
        tokio::time::sleep(Duration::from_millis(5)).await;
        self.now.fetch_sub(1, Ordering::SeqCst);
        let row = self.rows.lock().unwrap().get(id).cloned();
        assert_ne!(id, "panics", "on purpose");
        row.unwrap_or(Ok(None))
    }

    fn hangs_at(&self, id: &str) {
        id.clone_into(&mut self.hangs_at.lock().unwrap());
    }

    /// How often it was asked for this id.
    fn asked(&self, id: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| *asked == id).count()
    }
}

struct Set {
    table: Table,
    clock: Clock,
    oauth: OAuthService,
    server: Server,
    browser: Browser,
}

fn set() -> Set {
    let (table, clock) = (Table::default(), Clock::by_hand());
    let (listener, base) = free_port();
    let told = table.clone();
    let oauth = builder(&base)
        .clients(async move |id: &str| told.find(id).await)
        .reload(async |_: &str| Some(json!({ "role": "admin" })))
        .clock(clock.clone())
        .build()
        .unwrap();
    let server = serve_service(listener, &oauth);
    let browser = Browser::new(&server);
    Set { table, clock, oauth, server, browser }
}

fn app() -> Client {
    Client::public("app").name("From the table").redirect_uri(REDIRECT)
}

const AS_APP: &[(&str, Option<&str>)] = &[("client_id", Some("app"))];

async fn tokens(browser: &Browser) -> Answer {
    let code = browser.sign_in(AS_APP, "admin", "admin123").await.redirect()["code"].clone();
    browser.redeem(&code, AS_APP).await
}

#[tokio::test]
async fn a_client_of_a_table_signs_its_users_in() {
    let Set { table, browser, server: _server, .. } = set();
    table.put("app", Ok(Some(app())));
    let page = browser.authorize(AS_APP).await;
    assert!(page.is_page() && page.body.contains("From the table"), "{page:?}");
    let issued = tokens(&browser).await.json();
    let token = issued["access_token"].as_str().unwrap();
    assert_eq!(browser.call("/me", Some(token)).await.status, 200);
    let refreshed = browser.refresh(issued["refresh_token"].as_str().unwrap(), AS_APP).await;
    assert_eq!(refreshed.status, 200, "{refreshed:?}");
    assert_eq!(table.asked("app"), 1, "what it said is kept for a minute");
    // The static ones are as ever, and the table is not asked for them.
    assert_eq!(browser.authorize(&[]).await.status, 200);
    assert_eq!(table.asked("demo"), 0);
}

#[tokio::test]
async fn a_confidential_one_proves_itself_and_a_changed_secret_holds_within_a_minute() {
    let Set { table, clock, browser, oauth, server: _server } = set();
    let job = |secret: &str| Client::confidential("job-of-table").secret(secret).scope("notes:read");
    let grant = [("grant_type", "client_credentials")];
    let with = async |secret| browser.post_as("/token", "job-of-table", secret, &grant).await.status;
    table.put("job-of-table", Ok(Some(job(SECRET))));
    assert_eq!(with(SECRET).await, 200);
    table.put("job-of-table", Ok(Some(job(oauth_tests::NEW_SECRET))));
    assert_eq!((with(SECRET).await, with(oauth_tests::NEW_SECRET).await), (200, 401), "for a minute");
    clock.advance(Duration::from_secs(60));
    assert_eq!((with(SECRET).await, with(oauth_tests::NEW_SECRET).await), (401, 200));
    table.put("job-of-table", Ok(None));
    oauth.client_changed("job-of-table");
    assert_eq!(with(oauth_tests::NEW_SECRET).await, 401, "at once");
}

#[tokio::test]
async fn c43_what_is_taken_from_a_client_is_in_nothing_that_it_is_issued() {
    let Set { table, browser, oauth, server: _server, .. } = set();
    let allowed = |scopes: &str| app().third_party().allow_scopes(scopes).allow_resources([browser.base.as_str()]);
    table.put("app", Ok(Some(allowed("notes:read"))));
    let asks = [AS_APP, &[("scope", Some("notes:read"))]].concat();
    let page = browser.sign_in(&asks, "admin", "admin123").await;
    let code = browser.consent(&page.form(), "allow").await.redirect()["code"].clone();
    let issued = browser.redeem(&code, &asks[..1]).await.json();
    assert_eq!(issued["scope"], "notes:read");
    table.put("app", Ok(Some(allowed(""))));
    oauth.client_changed("app");
    let refused = browser.refresh(issued["refresh_token"].as_str().unwrap(), AS_APP).await;
    assert_eq!((refused.status, &refused.json()["error"]), (400, &json!("invalid_scope")), "{refused:?}");
    table.put("app", Ok(None));
    oauth.client_changed("app");
    let refused = browser.refresh(issued["refresh_token"].as_str().unwrap(), AS_APP).await;
    assert_eq!((refused.status, &refused.json()["error"]), (400, &json!("invalid_client")), "{refused:?}");
    assert_eq!(browser.authorize(AS_APP).await.status, 400);
}

/// Guards ask no function of the author's.
#[tokio::test]
async fn an_access_token_outlives_its_client_where_a_function_knows_clients() {
    let Set { table, browser, oauth, server: _server, .. } = set();
    table.put("app", Ok(Some(app())));
    let issued = tokens(&browser).await.json();
    table.put("app", Ok(None));
    oauth.client_changed("app");
    assert_eq!(browser.call("/me", issued["access_token"].as_str()).await.status, 200);
    oauth.revoke_client("admin", "app").await.unwrap();
    assert_eq!(browser.call("/me", issued["access_token"].as_str()).await.status, 401);

    // The same of one that the builder had.
    let store = watched(Clock::system());
    let service = |listed: bool| {
        let (listener, base) = free_port();
        let service = builder(&base).issuer("http://127.0.0.1:9").store(store.clone());
        let service = service.clients(async |_: &str| None::<Client>);
        let service = if listed { service.client(app()) } else { service };
        let server = serve_service(listener, &service.build().unwrap());
        (Browser::new(&server), server)
    };
    let ((before, _listed), (after, _server)) = (service(true), service(false));
    let issued = tokens(&before).await.json();
    assert_eq!(after.authorize(AS_APP).await.status, 400);
    assert_eq!(after.call("/me", issued["access_token"].as_str()).await.status, 200);
}

#[tokio::test]
async fn a_new_client_is_known_after_five_seconds_and_made_up_ids_drive_out_none() {
    let Set { table, clock, browser, server: _server, .. } = set();
    assert_eq!(browser.authorize(AS_APP).await.status, 400);
    table.put("app", Ok(Some(app())));
    assert_eq!(browser.authorize(AS_APP).await.status, 400, "it was asked a moment ago");
    clock.advance(Duration::from_secs(5));
    assert_eq!(browser.authorize(AS_APP).await.status, 200);
    let made_up: Vec<String> = (0..1_500).map(|number| format!("made-up-{number}")).collect();
    let ask = async |id: &String| browser.authorize(&[("client_id", Some(id))]).await.status;
    for some in made_up.chunks(100) {
        let statuses = futures_util::future::join_all(some.iter().map(ask)).await;
        assert!(statuses.iter().all(|status| *status == 400), "{statuses:?}");
    }
    assert_eq!(browser.authorize(AS_APP).await.status, 200);
    assert_eq!(table.asked("app"), 2, "it was not driven out");
    assert!(table.most_at_once.load(Ordering::SeqCst) <= 24, "{:?}", table.most_at_once);
}

#[tokio::test]
async fn c47_made_up_ids_do_not_keep_those_waiting_that_there_are() {
    let Set { table, clock, browser, server: _server, .. } = set();
    table.put("app", Ok(Some(app())));
    assert_eq!(browser.authorize(AS_APP).await.status, 200);
    clock.advance(Duration::from_secs(60));
    // The table answers none of these.
    table.hangs.store(true, Ordering::SeqCst);
    let made_up: Vec<String> = (0..40).map(|number| format!("made-up-{number}")).collect();
    let ask = async |id: &String| browser.authorize(&[("client_id", Some(id))]).await.status;
    let flood = futures_util::future::join_all(made_up.iter().map(ask));
    let known = async {
        while table.now.load(Ordering::SeqCst) < 24 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        browser.authorize(AS_APP).await.status
    };
    let (flood, known) = (std::pin::pin!(flood), std::pin::pin!(known));
    let first = futures_util::future::select(flood, known).await;
    assert!(matches!(first, futures_util::future::Either::Right((200, _))), "it has places of its own");
}

/// Whether a user's `sub` is the id of a client is asked at each sign-in and each refresh.
#[tokio::test]
async fn c45_c47_made_up_ids_do_not_keep_users_waiting() {
    let Set { table, clock, browser, server: _server, .. } = set();
    table.put("app", Ok(Some(app())));
    let issued = tokens(&browser).await.json();
    let refresh_token = issued["refresh_token"].as_str().unwrap();
    clock.advance(Duration::from_secs(60));
    table.hangs.store(true, Ordering::SeqCst);
    // Subjects are no secrets: one of these is the user's.
    table.hangs_at("admin");
    let made_up: Vec<String> = (0..40).map(|number| format!("made-up-{number}")).chain(["admin".to_owned()]).collect();
    let ask = async |id: &String| browser.authorize(&[("client_id", Some(id))]).await.status;
    let flood = futures_util::future::join_all(made_up.iter().rev().map(ask));
    let user = async {
        while table.now.load(Ordering::SeqCst) < 24 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        table.hangs_at("no one");
        browser.refresh(refresh_token, AS_APP).await.status
    };
    let (flood, user) = (std::pin::pin!(flood), std::pin::pin!(user));
    let first = futures_util::future::select(flood, user).await;
    assert!(matches!(first, futures_util::future::Either::Right((200, _))), "nor does another who asks for the same");
}

#[tokio::test]
async fn those_who_come_at_once_wait_for_one_answer() {
    let Set { table, browser, server: _server, .. } = set();
    table.put("app", Ok(Some(app())));
    let pages = futures_util::future::join_all((0..20).map(|_| browser.authorize(AS_APP))).await;
    assert!(pages.iter().all(|page| page.status == 200));
    assert_eq!(table.asked("app"), 1);
}

#[tokio::test]
async fn ids_that_others_give_out_are_not_asked_for() {
    let Set { table, browser, server: _server, .. } = set();
    for id in ["https://agent.example/client", "registered-abc", "r.abc", "two words", "ümlaut", &"x".repeat(129)] {
        table.put(id, Ok(Some(Client::public(id).redirect_uri(REDIRECT))));
        let answer = browser.authorize(&[("client_id", Some(id))]).await;
        assert_eq!((answer.status, table.asked(id)), (400, 0), "{id}");
    }
}

#[tokio::test]
async fn c45_no_user_has_the_name_of_a_client() {
    let Set { table, browser, server: _server, .. } = set();
    table.put("app", Ok(Some(app())));
    table.put("admin", Ok(Some(Client::confidential("admin").secret(SECRET).scope("notes:read"))));
    let refused = browser.sign_in(AS_APP, "admin", "admin123").await;
    assert_eq!(refused.status, 500, "their `sub` is the id of a client: {refused:?}");
}

#[tokio::test]
async fn a_function_that_fails_or_answers_what_cannot_be_used_is_told_apart_from_no_client() {
    let Set { table, browser, server: _server, .. } = set();
    let status = async |id: &str| {
        let form = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", SECRET)];
        let answer = browser.post("/token", changed(&form, &[])).await;
        (answer.status, answer.json()["error"].clone(), answer.header("retry-after").to_owned())
    };
    table.put("fails", Err("the database is away"));
    table.put("stranger", Ok(Some(app())));
    table.put("proven", Ok(Some(Client::confidential("proven").secret(SECRET).scope("notes:read").require_dpop())));
    table.put("wild", Ok(Some(Client::public("wild").redirect_uri("https://*.example/cb"))));
    table.put("weak", Ok(Some(Client::confidential("weak").secret("short"))));
    for (id, expected) in [
        ("fails", (503, "temporarily_unavailable", "1")),
        ("panics", (503, "temporarily_unavailable", "1")),
        // A table that compares otherwise than byte for byte answers another: that is none.
        ("stranger", (400, "invalid_client", "")),
        ("proven", (500, "server_error", "")),
        ("wild", (500, "server_error", "")),
        ("weak", (500, "server_error", "")),
        ("none", (400, "invalid_client", "")),
    ] {
        let (code, error, retry) = expected;
        assert_eq!(status(id).await, (code, json!(error), retry.to_owned()), "{id}");
    }
    // An error is no answer: it is asked again.
    let before = table.asked("fails");
    table.put("fails", Ok(Some(Client::confidential("fails").secret(SECRET).scope("notes:read"))));
    assert_eq!(status("fails").await.0, 200);
    assert_eq!(table.asked("fails"), before + 1);
}

#[tokio::test]
async fn the_metadata_promises_what_there_could_be() {
    let Set { browser, server: _server, .. } = set();
    let metadata =
        Answer::to(browser.http.get(format!("{}/.well-known/oauth-authorization-server", browser.base))).await;
    let metadata: Value = metadata.json();
    let has = |name: &str, value: &str| metadata[name].as_array().unwrap().contains(&json!(value));
    for grant in
        ["authorization_code", "refresh_token", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code"]
    {
        assert!(has("grant_types_supported", grant), "{metadata}");
    }
    for method in ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"] {
        assert!(has("token_endpoint_auth_methods_supported", method), "{metadata}");
    }
}

#[tokio::test]
async fn a_function_turns_nothing_on_that_the_builder_does_not() {
    let Set { browser, server: _server, .. } = set();
    let metadata = browser.call("/.well-known/oauth-authorization-server", None).await.json();
    assert!(metadata.get("dpop_signing_alg_values_supported").is_none(), "{metadata}");
    assert!(!browser.call("/me", None).await.header("www-authenticate").contains("DPoP"));
}

#[tokio::test]
async fn a_plain_function_may_block_and_no_other_client_is_required() {
    let (listener, base) = free_port();
    let oauth = OAuthService::builder()
        .issuer(&base)
        .untyped_claims()
        .clients_blocking(|id| (id == "app").then(app))
        .authenticate_blocking(|login| oauth_tests::users(&login))
        .build()
        .unwrap();
    let server = serve(listener, move |app| {
        app.configure(oauth.routes());
    });
    let issued = tokens(&Browser::new(&server)).await;
    assert_eq!(issued.status, 200, "{issued:?}");
}

/// Nothing stops a plain function: the thread of one that was given up still runs.
#[tokio::test]
async fn c47_a_plain_function_that_hangs_takes_no_more_threads_than_it_may() {
    let (listener, base) = free_port();
    let (running, open) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let (threads, opened) = (Arc::clone(&running), Arc::clone(&open));
    let oauth = builder(&base)
        .clients_blocking(move |_| {
            threads.fetch_add(1, Ordering::SeqCst);
            while !opened.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(5));
            }
            threads.fetch_sub(1, Ordering::SeqCst);
            None::<Client>
        })
        .authenticate_timeout(Duration::from_millis(200))
        .build()
        .unwrap();
    let server = serve_service(listener, &oauth);
    let browser = Browser::new(&server);
    let made_up: Vec<String> = (0..90).map(|number| format!("made-up-{number}")).collect();
    let ask = async |id: &String| browser.authorize(&[("client_id", Some(id))]).await.status;
    for some in made_up.chunks(30) {
        let statuses = futures_util::future::join_all(some.iter().map(ask)).await;
        assert!(statuses.iter().all(|status| *status == 503), "{statuses:?}");
    }
    let most = running.load(Ordering::SeqCst);
    open.store(true, Ordering::SeqCst);
    assert_eq!(most, 24);
}
