//! Clients whose id is the URL of a document about them (draft-ietf-oauth-client-id-metadata-document-02): a server of
//! documents on another port of loopback plays good ones and hostile ones.

use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::web;
use jsonwebtoken::Header;
use oauth_runtime::states::WithReload;
use oauth_runtime::store::MemoryStore;
use oauth_runtime::{AccessToken, Builder, Clock, Hosts, OAuthService, SignatureAlgorithm, require_token};
use oauth_tests::documents::Documents;
use oauth_tests::{
    Answer, Browser, CHALLENGE, Changes, REDIRECT, Server, VERIFIER, builder, changed, free_port, handlers, serve,
};
use serde_json::{Value, json};

use crate::clients::{KEYS, Key};

const A_MINUTE: Duration = Duration::from_secs(60);
const A_DAY: Duration = Duration::from_secs(24 * 3600);
const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

#[require_token]
async fn tool(token: AccessToken) -> String {
    format!("{} for {}", token.subject(), token.client_id())
}

/// A service with an MCP server, and a server of documents beside it.
struct World {
    server: Server,
    oauth: OAuthService,
    clock: Clock,
    documents: Documents,
}

impl World {
    fn new() -> World {
        World::with(|builder, _| builder)
    }

    fn with(change: impl FnOnce(Builder<WithReload>, &Documents) -> Builder<WithReload>) -> World {
        let documents = Documents::start();
        let clock = Clock::by_hand_ago(A_MINUTE);
        let store = MemoryStore::with_clock(clock.clone());
        clock.advance(A_MINUTE);
        let (listener, base) = free_port();
        let usual = builder(&base)
            .clock(clock.clone())
            .store(store)
            .mcp(format!("{base}/mcp"))
            .open_scopes("notes:read")
            .reload(async |subject: &str| Some(json!({ "sub": subject })));
        let oauth = change(usual, &documents).build().unwrap();
        let served = oauth.clone();
        let server = serve(listener, move |app| {
            let oauth = served.clone();
            app.configure(oauth.routes()).configure(handlers).route("/mcp", web::get().to(tool));
        });
        World { server, oauth, clock, documents }
    }

    fn browser(&self) -> Browser {
        Browser::new(&self.server)
    }

    /// A browser whose user is signed in, by a client that the author listed.
    async fn signed_in(&self) -> Browser {
        let browser = self.browser();
        browser.code().await;
        browser
    }
}

fn asks<'a>(client: &'a str, changes: Changes<'a>) -> Vec<(&'a str, Option<&'a str>)> {
    [&[("client_id", Some(client))], changes].concat()
}

/// What a user sees who signs in for this client.
async fn signs_in(browser: &Browser, client: &str) -> Answer {
    let page = browser.authorize(&asks(client, &[])).await;
    browser.login(&page.form(), "admin", "admin123").await
}

/// A code, where the user allows it.
async fn code(browser: &Browser, client: &str) -> String {
    let consent = signs_in(browser, client).await;
    browser.consent(&consent.form(), "allow").await.redirect()["code"].clone()
}

async fn redeem(browser: &Browser, client: &str, code: &str) -> Answer {
    browser.redeem(code, &[("client_id", Some(client))]).await
}

async fn refresh(browser: &Browser, client: &str, issued: &Value) -> Answer {
    browser.refresh(issued["refresh_token"].as_str().unwrap(), &[("client_id", Some(client))]).await
}

fn is_refused(answer: &Answer, status: u16, text: &str) {
    assert_eq!(answer.status, status, "{text}: {answer:?}");
    assert!(answer.is_page() && answer.body.contains(text), "{text}: {answer:?}");
    assert!(!answer.body.contains("<a "), "no link leads to what was not found good: {answer:?}");
}

#[tokio::test]
async fn c50_c51_a_client_with_a_document_signs_in_and_goes_on_after_its_server_is_gone() {
    let world = World::new();
    let (browser, documents) = (world.browser(), &world.documents);
    let client = documents.put("/agent.json", json!({ "client_name": "Claude Code" }));
    let host = documents.base.trim_start_matches("http://");

    let page = browser.authorize(&asks(&client, &[("scope", Some("notes:read notes:write"))])).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.body.contains(host) && !page.body.contains("Claude Code"), "{page:?}");
    assert!(documents.asked().is_empty(), "for a stranger nothing is fetched");
    let consent = browser.login(&page.form(), "admin", "admin123").await;
    assert_eq!(documents.asked(), ["/agent.json"]);
    for named in
        [host, "It calls itself", "Claude Code", "Read your notes", "allow it only if you have just started it"]
    {
        assert!(consent.body.contains(named), "{named}: {consent:?}");
    }
    assert!(!consent.body.contains("Write your notes"), "it is not open: {consent:?}");
    let redirect = browser.consent(&consent.form(), "allow").await.redirect();
    assert_eq!(redirect["iss"], world.server.base);
    let issued = redeem(&browser, &client, &redirect["code"]).await;
    assert_eq!(issued.status, 200, "{issued:?}");
    let issued = issued.json();
    assert_eq!(issued["scope"], "notes:read");
    let token = issued["access_token"].as_str().unwrap();
    assert_eq!(browser.call("/mcp", Some(token)).await.body, format!("admin for {client}"));
    assert_eq!(browser.call("/me", Some(token)).await.status, 401, "it is for the MCP server alone");
    assert_eq!(documents.asked(), ["/agent.json"], "it is known");

    documents.vanish();
    let issued = refresh(&browser, &client, &issued).await.json();
    assert_eq!(documents.asked().len(), 1);
    // No longer fresh: it is asked for, and the last good one counts for a day.
    world.clock.advance(Duration::from_secs(601));
    let issued = refresh(&browser, &client, &issued).await;
    assert_eq!(issued.status, 200, "{issued:?}");
    assert_eq!(documents.asked().len(), 2);
    let issued = refresh(&browser, &client, &issued.json()).await;
    assert_eq!((issued.status, documents.asked().len()), (200, 2), "it was asked a moment ago");
    world.clock.advance(A_DAY);
    let issued = issued.json();
    let holds = [("client_id", &*client), ("token", issued["refresh_token"].as_str().unwrap())];
    for refused in [
        refresh(&browser, &client, &issued).await,
        browser.post("/revoke", changed(&holds, &[])).await,
        browser.post("/introspect", changed(&holds, &[])).await,
    ] {
        assert_eq!((refused.status, &refused.json()["error"]), (503, &json!("temporarily_unavailable")), "{refused:?}");
        assert_eq!(refused.header("retry-after"), "5");
    }
    // Its access token is no business of the document's.
    let refused = browser.call("/mcp", Some(token)).await;
    assert!(refused.challenge()["error_description"].contains("expired"), "{refused:?}");
    // It is good for no new code any more, though another user signs in.
    is_refused(&signs_in(&browser, &client).await, 503, "cannot be reached");
}

#[tokio::test]
async fn c50_a_document_that_its_people_take_back_ends_the_client_at_once() {
    let world = World::new();
    let (browser, documents) = (world.browser(), &world.documents);
    let client = documents.put("/agent.json", json!({}));
    let code = code(&browser, &client).await;
    let issued = redeem(&browser, &client, &code).await.json();
    documents.answer("/agent.json", "404 Not Found", "", "");
    world.clock.advance(Duration::from_secs(601));
    let refused = refresh(&browser, &client, &issued).await;
    assert_eq!((refused.status, &refused.json()["error"]), (400, &json!("invalid_client")), "{refused:?}");
    documents.put("/agent.json", json!({}));
    world.clock.advance(Duration::from_secs(5));
    assert_eq!(refresh(&browser, &client, &issued).await.status, 200, "the refusal has not used it up");
}

#[tokio::test]
async fn c50_a_thousand_made_up_urls_cost_no_fetch_and_with_a_session_no_more_than_the_budget() {
    let world = World::new();
    let documents = &world.documents;
    let url = |number: usize| documents.url(&format!("/{number}"));
    let stranger = world.browser();
    for number in 0..1000 {
        let page = stranger.authorize(&asks(&url(number), &[])).await;
        assert_eq!(page.status, 200, "{page:?}");
    }
    // Nor at the endpoints that ask for a client.
    for path in ["/token", "/revoke", "/introspect"] {
        let fields = [("client_id", &*url(0)), ("code", "x"), ("refresh_token", "x"), ("token", "x")];
        let form = changed(&fields, &[("grant_type", Some("authorization_code"))]);
        stranger.post(path, form).await;
    }
    assert!(documents.asked().is_empty());
    let user = world.signed_in().await;
    for number in 0..1000 {
        let refused = user.authorize(&asks(&url(number), &[])).await;
        let (status, text) = if number < 8 { (400, "there is nothing") } else { (503, "try again in a minute") };
        is_refused(&refused, status, text);
    }
    assert_eq!(documents.asked().len(), 8);
    // It is one user's share; another one has the rest of what goes to one address.
    let other = world.browser();
    let page = other.authorize(&asks(&url(2000), &[])).await;
    is_refused(&other.login(&page.form(), "user", "user123").await, 400, "there is nothing");
    for number in 2001..2010 {
        let refused = other.authorize(&asks(&url(number), &[])).await;
        let (status, text) = if number < 2002 { (400, "there is nothing") } else { (503, "try again in a minute") };
        is_refused(&refused, status, text);
    }
    assert_eq!(documents.asked().len(), 10);
    // The one that is known is not in its way.
    world.clock.advance(A_MINUTE);
    let client = documents.put("/good", json!({}));
    assert_eq!(user.authorize(&asks(&client, &[])).await.status, 200);
    for number in 0..20 {
        user.authorize(&asks(&url(number), &[])).await;
    }
    assert_eq!(documents.asked().len(), 18);
    assert_eq!(user.authorize(&asks(&client, &[])).await.status, 200);
}

#[tokio::test]
async fn c47_c50_new_clients_of_some_users_hold_up_no_client_that_holds_something() {
    let world = World::new();
    let documents = &world.documents;
    let (ada, mallory) = (world.browser(), world.signed_in().await);
    let client = documents.put("/agent.json", json!({}));
    let consent = ada.authorize(&asks(&client, &[])).await;
    let consent = ada.login(&consent.form(), "user", "user123").await;
    let code = ada.consent(&consent.form(), "allow").await.redirect()["code"].clone();
    let issued = redeem(&ada, &client, &code).await.json();
    world.clock.advance(Duration::from_secs(601));
    // All that may be asked of this address in a minute, by two users.
    for user in [&mallory, &ada] {
        for number in 0..20 {
            let url = documents.url(&format!("/{number}"));
            user.authorize(&asks(&url, &[])).await;
            world.clock.advance(Duration::from_secs(1));
        }
    }
    assert_eq!(documents.asked().len(), 11);
    // Not even the last good document is needed: what is known of it now is fetched.
    documents.answer("/agent.json", "404 Not Found", "", "");
    let refused = refresh(&ada, &client, &issued).await;
    assert_eq!(refused.json()["error"], "invalid_client", "{refused:?}");
    assert_eq!(documents.asked().len(), 12);
}

/// A hostile document, and the reason that its page has.
struct Hostile {
    status: u16,
    reason: &'static str,
    play: fn(&Documents),
}

const JSON: &str = "content-type: application/json\r\n";

fn hostile() -> Vec<Hostile> {
    let of = |status, reason, play: fn(&Documents)| Hostile { status, reason, play };
    vec![
        of(400, "redirect, which is not followed", |it| {
            it.put("/other", json!({}));
            it.answer("/bad", "302 Found", &format!("location: {}\r\n", it.url("/other")), "");
        }),
        of(400, "nothing at the URL", |it| it.answer("/bad", "404 Not Found", "", "")),
        of(400, "status 200", |it| it.answer("/bad", "201 Created", JSON, "{}")),
        of(503, "its server fails", |it| it.answer("/bad", "500 Internal Server Error", JSON, "{}")),
        of(400, "sent as application/json", |it| it.answer("/bad", "200 OK", "content-type: text/html\r\n", "{}")),
        of(400, "must be a JSON object", |it| it.answer("/bad", "200 OK", JSON, "[1]")),
        of(400, "longer than 5 KiB", |it| it.answer("/bad", "200 OK", JSON, &" ".repeat(5121))),
        of(400, "longer than 5 KiB", |it| {
            // Ten megabytes, whose length is not said.
            it.play("/bad", |stream| {
                write!(stream, "HTTP/1.1 200 OK\r\n{JSON}connection: close\r\n\r\n")?;
                (0..1280).try_for_each(|_| stream.write_all(&[b' '; 8192]))
            });
        }),
        of(503, "more than three seconds", |it| {
            // A byte at a time, without an end.
            it.play("/bad", |stream| {
                write!(stream, "HTTP/1.1 200 OK\r\n{JSON}content-length: 5000\r\n\r\n")?;
                (0..5000).try_for_each(|_| {
                    std::thread::sleep(Duration::from_millis(100));
                    stream.write_all(b" ").and_then(|()| stream.flush())
                })
            });
        }),
        of(503, "cannot be reached", |it| it.play("/bad", |stream| stream.shutdown(std::net::Shutdown::Both))),
        of(503, "cannot be reached", |it| it.play("/bad", |stream| stream.write_all(&[b'x'; 4096]))),
        of(400, "without a Content-Encoding", |it| {
            // What a decoder would make a megabyte of.
            it.play("/bad", |stream| {
                write!(stream, "HTTP/1.1 200 OK\r\n{JSON}content-encoding: gzip\r\nconnection: close\r\n\r\n")?;
                stream.write_all(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03")
            });
        }),
        of(400, "character for character", |it| {
            let other = it.url("/other");
            it.put("/bad", json!({ "client_id": other }));
        }),
        of(400, "no client_secret", |it| drop(it.put("/bad", json!({ "client_secret": "s3cret" })))),
        of(400, "none or private_key_jwt", |it| {
            it.put("/bad", json!({ "token_endpoint_auth_method": "client_secret_post" }));
        }),
        of(400, "more than once", |it| drop(it.put("/bad", json!({ "redirect_uris": [REDIRECT, REDIRECT] })))),
        of(400, "redirect_uris must have", |it| {
            drop(it.put("/bad", json!({ "redirect_uris": ["http://evil.example/"] })))
        }),
        of(400, "this redirect_uri is not registered", |it| {
            it.put("/bad", json!({ "redirect_uris": ["https://elsewhere.example/cb"] }));
        }),
        of(400, "public name", |it| {
            let own = json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://10.0.0.1/keys" });
            it.put("/bad", own);
        }),
        of(400, "redirect, which is not followed", |it| {
            it.answer("/keys", "301 Moved Permanently", "location: /elsewhere\r\n", "");
            let keys = it.url("/keys");
            it.put("/bad", json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": keys }));
        }),
        of(400, "must be public ones", |it| {
            let jwk = json!({ "kty": "oct", "k": "c2VjcmV0" });
            it.put("/bad", json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": { "keys": [jwk] } }));
        }),
    ]
}

#[tokio::test]
async fn c50_a_hostile_document_is_refused_with_its_reason_on_a_page() {
    let world = World::new();
    let client = world.documents.url("/bad");
    for Hostile { status, reason, play } in hostile() {
        play(&world.documents);
        let browser = world.browser();
        let refused = signs_in(&browser, &client).await;
        is_refused(&refused, status, reason);
        assert_eq!(refused.header("retry-after"), if status == 503 { "5" } else { "" });
        // They are signed in all the same, and asked for no password twice; the server is not asked again at once.
        let asked = world.documents.asked().len();
        is_refused(&browser.authorize(&asks(&client, &[])).await, status, reason);
        assert!(!reason.contains("three") || world.documents.asked().len() == asked, "it is not asked again: {reason}");
        world.clock.advance(Duration::from_secs(700));
    }
    assert!(!world.documents.asked().iter().any(|path| path == "/other" || path == "/elsewhere"));
}

#[tokio::test]
async fn c50_until_the_document_is_known_no_browser_is_sent_on() {
    let world = World::new();
    let (browser, documents) = (world.browser(), &world.documents);
    let client = documents.put("/agent.json", json!({}));
    for (changes, text) in [
        (&[("prompt", Some("none"))][..], "is signed in"),
        (&[("response_type", Some("token"))], "response_type must be code"),
        (&[("code_challenge", None)], "code_challenge is missing"),
        (&[("redirect_uri", None)], "redirect_uri is missing"),
        (&[("redirect_uri", Some("http://evil.example/"))], "this redirect_uri is not registered"),
        (&[("redirect_uri", Some("javascript:alert(1)"))], "this redirect_uri is not registered"),
        (&[("redirect_uri", Some("https://app.example/?code=1"))], "this redirect_uri is not registered"),
    ] {
        is_refused(&browser.authorize(&asks(&client, changes)).await, 400, text);
    }
    let page = browser.authorize(&asks(&client, &[])).await;
    let cancel = changed(&[("request", &page.form()), ("cancel", "cancel")], &[]);
    is_refused(&browser.post("/login", cancel).await, 400, "Nothing was allowed");
    let claims = json!({ "id_token": { "sub": { "value": "somebody" } } }).to_string();
    let page = browser.authorize(&asks(&client, &[("claims", Some(&claims))])).await;
    is_refused(&browser.login(&page.form(), "admin", "admin123").await, 400, "another user signed in");
    assert!(documents.asked().is_empty());
    // A page that is too old, or another browser's, leads nowhere either.
    let form = browser.authorize(&asks(&client, &[])).await.form();
    is_refused(&world.browser().login(&form, "admin", "admin123").await, 403, "did not ask for this form");
    // Once it is known, its user's decision is what leads there, and a page what a mistake of its own comes to.
    let denied = signs_in(&browser, &client).await;
    let denied = browser.consent(&denied.form(), "deny").await.redirect();
    assert_eq!((&*denied["error"], &*denied["iss"]), ("access_denied", &*world.server.base));
    let silent = browser.authorize(&asks(&client, &[("prompt", Some("none"))])).await;
    assert!(silent.is_page() && silent.body.contains("?error=consent_required"), "a link, and no redirect: {silent:?}");
    let other = browser.authorize(&asks(&client, &[("redirect_uri", Some("https://other.example/cb"))])).await;
    is_refused(&other, 400, "this redirect_uri is not registered");
}

#[tokio::test]
async fn c50_a_document_that_is_known_is_fetched_once_for_many() {
    let world = World::new();
    let client = world.documents.put("/agent.json", json!({}));
    let mut users = Vec::new();
    for _ in 0..8 {
        users.push(world.signed_in().await);
    }
    let asking = users.iter().map(|user| user.authorize_url(&asks(&client, &[])));
    let asking = users.iter().zip(asking).map(|(user, url)| Answer::to(user.http.get(url)));
    for answer in futures_util::future::join_all(asking).await {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    assert_eq!(world.documents.asked().len(), 1);
    // What is known is known of a stranger's request as well, which still costs nothing.
    let changes = [("redirect_uri", Some("https://other.example/cb"))];
    is_refused(&world.browser().authorize(&asks(&client, &changes)).await, 400, "not registered");
    assert_eq!(world.documents.asked().len(), 1);
    world.clock.advance(Duration::from_secs(600));
    assert_eq!(world.browser().authorize(&asks(&client, &changes)).await.status, 200, "it is no longer fresh");
    assert_eq!(world.documents.asked().len(), 1);
    users[0].authorize(&asks(&client, &[])).await;
    assert_eq!(world.documents.asked().len(), 2);
}

#[tokio::test]
async fn c51_consent_is_remembered_where_https_or_keys_vouch_and_else_asked_each_time() {
    let world = World::new();
    let (browser, documents) = (world.signed_in().await, &world.documents);
    let (web, here) = ("https://claude.ai/api/mcp/auth_callback", "http://localhost:4711/callback");
    let uris = json!({ "redirect_uris": [web, "http://localhost/callback"] });
    let mut with_keys =
        json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": { "keys": [KEYS[0].public] } });
    with_keys["redirect_uris"] = uris["redirect_uris"].clone();
    let (client, with_keys) = (documents.put("/agent.json", uris), documents.put("/keys.json", with_keys));
    for (client, uri, is_asked_again) in
        [(&client, web, false), (&client, here, true), (&with_keys, web, false), (&with_keys, here, false)]
    {
        let changes = [("redirect_uri", Some(uri))];
        let page = browser.authorize(&asks(client, &changes)).await;
        assert_eq!(page.body.contains("runs on your device"), uri == here, "{page:?}");
        let allowed = browser.consent(&page.form(), "allow").await;
        assert!(allowed.header("location").starts_with(uri), "{allowed:?}");
        let again = browser.authorize(&asks(client, &changes)).await;
        assert_eq!(again.status, if is_asked_again { 200 } else { 303 }, "{client} {uri}: {again:?}");
    }
}

/// Who has the keys of a client is the client: what was allowed was allowed to another one.
#[tokio::test]
async fn c40_c51_consent_ends_with_the_keys_and_with_the_origin_that_it_was_given_for() {
    let world = World::new();
    let (browser, documents) = (world.signed_in().await, &world.documents);
    let (uri, elsewhere) = ("https://claude.ai/cb", "https://claude.com/cb");
    let says = |keys: &[&Key]| {
        let keys: Vec<&Value> = keys.iter().map(|key| &key.public).collect();
        let method = "private_key_jwt";
        json!({ "token_endpoint_auth_method": method, "jwks": { "keys": keys }, "redirect_uris": [uri, elsewhere] })
    };
    let client = documents.put("/keys.json", says(&[&KEYS[0], &KEYS[2]]));
    let asked = async |uri: &str| {
        // It is fetched anew.
        world.clock.advance(Duration::from_secs(601));
        browser.authorize(&asks(&client, &[("redirect_uri", Some(uri))])).await
    };
    let page = asked(uri).await;
    assert!(browser.consent(&page.form(), "allow").await.redirect().contains_key("code"));
    documents.put("/keys.json", says(&[&KEYS[2], &KEYS[0]]));
    assert_eq!(asked(uri).await.status, 303, "the same keys in another order");
    for keys in [&[&KEYS[0]][..], &[&KEYS[0], &KEYS[2], &KEYS[3]], &[&KEYS[0], &KEYS[3]]] {
        documents.put("/keys.json", says(keys));
        let page = asked(uri).await;
        assert!(page.status == 200 && page.body.contains("value=\"allow\""), "{page:?}");
    }
    documents.put("/keys.json", says(&[&KEYS[0], &KEYS[2]]));
    assert_eq!(asked(uri).await.status, 303, "no other was allowed since");
    let page = asked(elsewhere).await;
    assert!(page.status == 200 && page.body.contains("value=\"allow\""), "{page:?}");
}

/// A statement of a client that it signs.
fn assertion(client: &str, world: &World, key: &Key) -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let (id, now) = (NUMBER.fetch_add(1, Ordering::SeqCst), world.clock.now().seconds());
    let claims = json!({
        "iss": client, "sub": client, "aud": world.server.base, "iat": now, "exp": now + 60, "jti": format!("of a document {id}")
    });
    jsonwebtoken::encode(&Header::new(key.algorithm), &claims, &key.private).unwrap()
}

#[tokio::test]
async fn c50_a_client_with_keys_in_its_document_proves_that_it_is_the_one() {
    let world = World::new();
    let documents = &world.documents;
    let set = json!({ "keys": [KEYS[0].public] });
    documents.answer("/keys.json", "200 OK", JSON, &set.to_string());
    let method = "private_key_jwt";
    let inline = json!({ "token_endpoint_auth_method": method, "jwks": set });
    let apart = json!({ "token_endpoint_auth_method": method, "jwks_uri": documents.url("/keys.json") });
    for (path, changes) in [("/inline.json", inline), ("/apart.json", apart)] {
        let (browser, client) = (world.browser(), documents.put(path, changes));
        let code = code(&browser, &client).await;
        let redeems = async |more: &[(&str, &str)]| {
            let fields = [
                ("grant_type", "authorization_code"),
                ("code", code.as_str()),
                ("redirect_uri", REDIRECT),
                ("code_verifier", VERIFIER),
            ];
            browser.post("/token", changed(&[&fields[..], more].concat(), &[])).await
        };
        let unproven = redeems(&[("client_id", &client)]).await;
        assert_eq!((unproven.status, &unproven.json()["error"]), (400, &json!("invalid_client")), "{unproven:?}");
        for (key, status) in [(&KEYS[3], 400), (&KEYS[0], 200)] {
            let signed = assertion(&client, &world, key);
            let answer = redeems(&[("client_assertion_type", TYPE), ("client_assertion", &signed)]).await;
            assert_eq!(answer.status, status, "{path}: {answer:?}");
        }
    }
}

/// Keys of a document were seen by no builder, which refuses a listed client with such a key.
#[tokio::test]
async fn c17_c50_a_document_signs_by_the_algorithms_that_the_author_named() {
    let world = World::with(|builder, _| builder.assertion_algorithms([SignatureAlgorithm::Es256]));
    let set = json!({ "keys": [KEYS[0].public, KEYS[2].public] });
    let changes = json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": set });
    let (browser, client) = (world.browser(), world.documents.put("/keys.json", changes));
    let code = code(&browser, &client).await;
    for (key, status) in [(&KEYS[2], 400), (&KEYS[0], 200)] {
        let signed = assertion(&client, &world, key);
        let shown = [("client_assertion_type", Some(TYPE)), ("client_assertion", Some(signed.as_str()))];
        let form = browser.token_form(&code, &[&[("client_id", Some(client.as_str()))], &shown[..]].concat());
        assert_eq!(browser.post("/token", form).await.status, status, "{:?}", key.algorithm);
    }
}

/// What one client holds makes the service visit no other's URL.
#[tokio::test]
async fn c50_a_code_of_another_client_has_no_document_fetched() {
    let world = World::new();
    let (browser, client) = (world.browser(), world.documents.put("/one.json", json!({})));
    let other = world.documents.put("/other.json", json!({}));
    let code = code(&browser, &client).await;
    let before = world.documents.asked().len();
    let refused = redeem(&browser, &other, &code).await;
    assert_eq!((refused.status, &refused.json()["error"]), (400, &json!("invalid_client")), "{refused:?}");
    assert_eq!(world.documents.asked().len(), before);
    assert_eq!(redeem(&browser, &client, &code).await.status, 200);
}

#[tokio::test]
async fn c50_metadata_says_that_documents_are_taken_where_they_are() {
    let metadata =
        async |world: &World| world.browser().call("/.well-known/oauth-authorization-server", None).await.json();
    let with = metadata(&World::new()).await;
    assert_eq!(with["client_id_metadata_document_supported"], true);
    let methods = with["token_endpoint_auth_methods_supported"].as_array().unwrap();
    assert!(methods.contains(&json!("none")) && methods.contains(&json!("private_key_jwt")), "{methods:?}");
    assert_eq!(with["token_endpoint_auth_signing_alg_values_supported"].as_array().unwrap().len(), 3);
    let without = World::with(|builder, _| builder.without_client_documents());
    assert!(metadata(&without).await.get("client_id_metadata_document_supported").is_none());
    let client = without.documents.put("/agent.json", json!({}));
    is_refused(&without.browser().authorize(&asks(&client, &[])).await, 400, "no client is registered");
}

#[tokio::test]
async fn c50_the_author_says_from_which_hosts_and_the_service_is_none_of_them() {
    let world = World::with(|builder, _| builder.client_documents(Hosts::of(["127.0.0.1", "*.example.com"])));
    let browser = world.browser();
    let here = format!("{}/client", world.server.base);
    for (client, text) in [
        ("https://claude.ai/client", "accepts no client from that host"),
        ("https://example.com/client", "accepts no client from that host"),
        (&here, "not one of this server"),
        ("https://10.0.0.1/client", "public name"),
        ("http://a.example.com/client", "an https URL with a path"),
        ("https://a.example.com/a/../client", "an https URL with a path"),
    ] {
        is_refused(&browser.authorize(&asks(client, &[])).await, 400, text);
    }
    for client in ["https://a.example.com/client", &world.documents.url("/agent.json")] {
        assert_eq!(browser.authorize(&asks(client, &[])).await.status, 200, "{client}");
    }
    let bad =
        builder("http://127.0.0.1:8000").mcp("http://127.0.0.1:8000/mcp").client_documents(Hosts::of(["https://x"]));
    let error = bad.build().unwrap_err().to_string();
    assert!(error.contains("\"https://x\"") && error.contains("*.example.com"), "{error}");
}

#[tokio::test]
async fn c43_c50_a_host_that_is_no_longer_let_in_has_no_clients_from_that_moment_on() {
    let shut = Arc::new(Mutex::new(String::new()));
    let asked = Arc::clone(&shut);
    let lets_in = Hosts::by(move |host| host != *asked.lock().unwrap());
    let world = World::with(|builder, _| builder.client_documents(lets_in));
    let documents = &world.documents;
    let keys = json!({ "keys": [KEYS[0].public] }).to_string();
    documents.answer("/keys.json", "200 OK", JSON, &keys);
    // The document at one name of this machine, and its keys at another.
    let keys = documents.url("/keys.json").replace("127.0.0.1", "localhost");
    let proven = json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": keys });
    let (public, proven) = (documents.put("/public.json", json!({})), documents.put("/proven.json", proven));
    for (client, is_proven, host) in
        [(&public, false, "127.0.0.1"), (&proven, true, "127.0.0.1"), (&proven, true, "localhost")]
    {
        shut.lock().unwrap().clear();
        world.clock.advance(A_MINUTE);
        let browser = world.browser();
        let shown = signs_in(&browser, client).await;
        // What was allowed to a client with keys is remembered.
        let sent_on = if shown.is_page() { browser.consent(&shown.form(), "allow").await } else { shown };
        let code = sent_on.redirect()["code"].clone();
        let post = async |path: &str, fields: &[(&str, &str)]| {
            let signed = assertion(client, &world, &KEYS[0]);
            let by_key = [("client_assertion_type", TYPE), ("client_assertion", &*signed)];
            let proof = if is_proven { &by_key[..] } else { &[("client_id", &**client)] };
            browser.post(path, changed(&[fields, proof].concat(), &[])).await
        };
        let redeems = [
            ("grant_type", "authorization_code"),
            ("code", &*code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        let issued = post("/token", &redeems).await;
        assert_eq!(issued.status, 200, "{client}: {issued:?}");
        let issued = issued.json();
        let (access, refresh) = (issued["access_token"].as_str().unwrap(), issued["refresh_token"].as_str().unwrap());
        let named = [("client_id", &**client)];
        let pushes = [
            ("response_type", "code"),
            ("redirect_uri", REDIRECT),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let pushes = [&pushes[..], if is_proven { &named } else { &[] }].concat();
        let refused_at: [(&str, &[(&str, &str)]); 4] = [
            ("/token", &[("grant_type", "refresh_token"), ("refresh_token", refresh)]),
            ("/introspect", &[("token", access)]),
            ("/revoke", &[("token", access)]),
            ("/par", &pushes),
        ];
        host.clone_into(&mut shut.lock().unwrap());
        for (path, fields) in refused_at {
            let refused = post(path, fields).await;
            assert_eq!(refused.json()["error"], "invalid_client", "{client} {host} {path}: {refused:?}");
        }
        is_refused(&browser.authorize(&asks(client, &[])).await, 400, "accepts no client from that host");
        // Nothing was used up or ended by that.
        shut.lock().unwrap().clear();
        world.clock.advance(Duration::from_secs(5));
        let refreshed = post("/token", &[("grant_type", "refresh_token"), ("refresh_token", refresh)]).await;
        assert_eq!(refreshed.status, 200, "{client} {host}: {refreshed:?}");
    }
}

#[tokio::test]
async fn c50_what_a_client_with_a_document_holds_is_its_user_s_to_end() {
    let world = World::with(|builder, _| builder.account_page());
    let (browser, documents) = (world.browser(), &world.documents);
    let client = documents.put("/agent.json", json!({ "client_name": "Claude Code" }));
    let code = code(&browser, &client).await;
    let issued = redeem(&browser, &client, &code).await.json();
    let page = browser.call("/account", None).await;
    assert!(page.body.contains(documents.base.trim_start_matches("http://")), "{page:?}");
    let ended = changed(&[("request", &page.form()), ("client", &client)], &[]);
    assert_eq!(browser.post("/account", ended).await.status, 303);
    assert_eq!(refresh(&browser, &client, &issued).await.json()["error"], "invalid_grant");
    assert_eq!(
        world.oauth.grants("admin").await.unwrap().iter().filter(|it| format!("{it:?}").contains(&client)).count(),
        0
    );
}

#[tokio::test]
async fn c50_a_cross_site_post_of_a_client_with_a_document_is_asked_as_any() {
    let world = World::new();
    let (browser, documents) = (world.browser(), &world.documents);
    let client = documents.put("/agent.json", json!({}));
    let url = browser.authorize_url(&asks(&client, &[("state", Some(&"s".repeat(1000)))]));
    let query = url.split_once('?').unwrap().1.to_owned();
    let sent_on = browser.post_from_elsewhere("/authorize", query).await;
    assert!(documents.asked().is_empty());
    let page = browser.follow(&sent_on).await;
    let consent = browser.login(&page.form(), "admin", "admin123").await;
    let code = browser.consent(&consent.form(), "allow").await.redirect();
    assert!(code.contains_key("code"), "{code:?}");
}

#[tokio::test]
async fn c50_what_a_document_says_of_proofs_asks_for_nothing_where_none_are_taken() {
    let world = World::new();
    let client = world.documents.put("/bound.json", json!({ "dpop_bound_access_tokens": true }));
    let browser = world.browser();
    let issued = redeem(&browser, &client, &code(&browser, &client).await).await;
    assert_eq!((issued.status, &issued.json()["token_type"]), (200, &json!("Bearer")), "{issued:?}");
}
