//! What an operator sees and ends: the grants of a user, clocks that are wrong, and what a store has of a person.

use std::path::Path;
use std::time::Duration;

use oauth_runtime::states::WithReload;
use oauth_runtime::store::{
    About, Change, Count, Counted, Incarnation, Key, MemoryStore, Reply, Seen, SqliteStore, Store, Swap,
};
use oauth_runtime::{Builder, Client, Clock, Grant, Holder, Login, OAuthService};
use oauth_tests::{Browser, REDIRECT, Server, builder, changed, free_port, handlers, serve};
use serde_json::{Value, json};

/// A server with its service. Users sign in by any name, and stay signed in.
fn service(change: impl FnOnce(Builder<WithReload>) -> Builder<WithReload>) -> (Server, OAuthService) {
    let (listener, base) = free_port();
    let with_users = builder(&base)
        .authenticate(async |login: Login| (&*login.password == "right").then(|| json!({ "sub": login.username })))
        .reload(async |subject: &str| Some(json!({ "sub": subject })))
        .client(Client::public("guest").redirect_uri(GUEST).third_party().allow_scopes("notes:read"));
    let oauth = change(with_users).build().unwrap();
    let routes = oauth.clone();
    let server = serve(listener, move |app| {
        app.configure(routes.routes()).configure(handlers);
    });
    (server, oauth)
}

async fn issued(browser: &Browser, name: &str) -> Value {
    let code = browser.sign_in(&[("scope", Some("notes:read"))], name, "right").await.redirect()["code"].clone();
    browser.redeem(&code, &[]).await.json()
}

async fn is_accepted(browser: &Browser, issued: &Value) -> bool {
    browser.call("/me", issued["access_token"].as_str()).await.status == 200
}

async fn refreshed(browser: &Browser, issued: &Value) -> u16 {
    browser.refresh(issued["refresh_token"].as_str().unwrap(), &[]).await.status
}

const GUEST: &str = "https://guest.example/cb";

#[tokio::test]
async fn c40_a_user_s_grants_are_listed_and_ended_one_by_one() {
    let (server, oauth) = service(|builder| builder);
    let (laptop, phone) = (Browser::new(&server), Browser::new(&server));
    let (one, other) = (issued(&laptop, "ada").await, issued(&phone, "ada").await);
    let guest = [("client_id", Some("guest")), ("redirect_uri", Some(GUEST)), ("scope", Some("notes:read"))];
    let page = laptop.authorize(&guest).await;
    assert!(laptop.consent(&page.form(), "allow").await.redirect().contains_key("code"));
    assert!(laptop.authorize(&guest).await.redirect().contains_key("code"), "it is not asked again");

    let grants = oauth.grants("ada").await.unwrap();
    let of = |is: fn(&Holder) -> bool| grants.iter().filter(|it| is(&it.holder)).collect::<Vec<&Grant>>();
    let sessions = of(|holder| matches!(holder, Holder::Session));
    let clients = of(|holder| matches!(holder, Holder::Client(given) if given.client == "demo"));
    let consents = of(|holder| matches!(holder, Holder::Consent(given) if given.client == "guest"));
    assert_eq!((sessions.len(), clients.len(), consents.len(), grants.len()), (2, 2, 1, 5));

    assert!(oauth.revoke_grant("ada", &consents[0].id).await.unwrap());
    assert_eq!(laptop.authorize(&guest).await.status, 200, "it asks again");
    assert!(oauth.revoke_grant("ada", &clients[0].id).await.unwrap());
    let accepted = [is_accepted(&laptop, &one).await, is_accepted(&phone, &other).await];
    assert_eq!(accepted.iter().filter(|it| **it).count(), 1, "the other goes on");
    for session in &sessions {
        assert!(oauth.revoke_grant("ada", &session.id).await.unwrap());
    }
    // With a session ends what clients got by it.
    assert_eq!([refreshed(&laptop, &one).await, refreshed(&phone, &other).await], [400, 400]);
    assert!(oauth.grants("ada").await.unwrap().is_empty());
    assert!(!oauth.revoke_grant("ada", &sessions[0].id).await.unwrap(), "it has ended");
}

#[tokio::test]
async fn c40_to_forget_a_user_ends_all_and_forgets_what_they_allowed() {
    let (server, oauth) = service(|builder| builder);
    let browser = Browser::new(&server);
    let tokens = issued(&browser, "ada").await;
    let guest = [("client_id", Some("guest")), ("redirect_uri", Some(GUEST))];
    let page = browser.authorize(&guest).await;
    assert!(browser.consent(&page.form(), "allow").await.redirect().contains_key("code"));
    oauth.forget("ada").await.unwrap();
    assert!(oauth.grants("ada").await.unwrap().is_empty());
    assert!(!is_accepted(&browser, &tokens).await);
    assert_eq!(refreshed(&browser, &tokens).await, 400);
}

#[tokio::test]
async fn c43_a_client_that_is_taken_out_has_no_token_any_more() {
    let store = oauth_tests::watched(Clock::system());
    let extra = Client::public("extra").redirect_uri("http://127.0.0.1/extra");
    let with = |builder: Builder<WithReload>| builder.issuer("http://127.0.0.1:9").store(store.clone());
    let (before, _) = service(|builder| with(builder).client(extra));
    let browser = Browser::new(&before);
    let asked = [("client_id", Some("extra")), ("redirect_uri", Some("http://127.0.0.1/extra"))];
    let code = browser.sign_in(&asked, "ada", "right").await.redirect()["code"].clone();
    let tokens = browser.redeem(&code, &asked).await.json();
    let refresh = tokens["refresh_token"].as_str().unwrap();

    let (after, _) = service(with);
    let browser = Browser::new(&after);
    let refused = browser.refresh(refresh, &[("client_id", Some("extra"))]).await;
    assert_eq!((refused.status, &refused.json()["error"]), (400, &json!("invalid_client")));
    let page = browser.authorize(&asked).await;
    assert!(page.status == 400 && page.is_page(), "{page:?}");
    assert!(!is_accepted(&browser, &tokens).await);
}

#[tokio::test]
async fn c47_a_user_with_as_many_grants_as_one_may_have_is_refused_at_a_further_client() {
    let ids: Vec<String> = (0..11).map(|number| format!("client{number}")).collect();
    let (server, oauth) = service(|builder| {
        let uri = |id: &str| Client::public(id).redirect_uri("https://app.example/cb");
        ids.iter().fold(builder, |builder, id| builder.client(uri(id)))
    });
    let browser = Browser::new(&server);
    issued(&browser, "ada").await;
    let [demo] = &oauth.grants("ada").await.unwrap()[1..] else { panic!("a session and a grant") };
    assert!(oauth.revoke_grant("ada", &demo.id).await.unwrap());
    let redeemed = async |id: &str| {
        let asked = [("client_id", Some(id)), ("redirect_uri", Some("https://app.example/cb"))];
        let code = browser.authorize(&asked).await.redirect()["code"].clone();
        browser.redeem(&code, &asked).await
    };
    for id in &ids[..10] {
        for _ in 0..10 {
            assert_eq!(redeemed(id).await.status, 200);
        }
    }
    let refused = redeemed("client10").await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, "60"), "{refused:?}");
    assert_eq!(refused.json()["error"], "temporarily_unavailable");
    assert_eq!(redeemed("client0").await.status, 200, "one of its own makes room");
    let grants = oauth.grants("ada").await.unwrap();
    assert_eq!(grants.len(), 1 + 100);
    assert!(oauth.revoke_grant("ada", &grants[1].id).await.unwrap());
    assert_eq!(redeemed("client10").await.status, 200);
}

#[tokio::test]
async fn c42_a_stepped_clock_shows_in_health_until_it_is_accepted() {
    let clock = Clock::by_hand();
    let (server, oauth) = service(|builder| builder.clock(clock.clone()));
    let browser = Browser::new(&server);
    let tokens = issued(&browser, "ada").await;
    clock.step(365 * 24 * 3600);
    assert_eq!(oauth.health().await.unwrap().clock_stepped, 365 * 24 * 3600);
    assert!(is_accepted(&browser, &tokens).await, "no year has passed");
    oauth.accept_clock();
    assert_eq!(oauth.health().await.unwrap().clock_stepped, 0);
    assert!(!is_accepted(&browser, &tokens).await, "one has");
}

/// A store whose clock all its processes share.
struct Shared(MemoryStore);

impl Store for Shared {
    fn read(&self, key: Key) -> Reply<'_, Seen> {
        self.0.read(key)
    }

    fn swap(&self, key: Key, change: Change) -> Reply<'_, Swap> {
        self.0.swap(key, change)
    }

    fn count<'a>(&'a self, counts: &'a [Count]) -> Reply<'a, Vec<Counted>> {
        self.0.count(counts)
    }

    fn renew(&self, bucket: u16, was: Incarnation) -> Reply<'_, Incarnation> {
        self.0.renew(bucket, was)
    }

    fn about(&self) -> About {
        About { has_clock: true, ..self.0.about() }
    }
}

#[tokio::test]
async fn c42_a_process_whose_clock_is_apart_from_the_store_s_refuses_until_it_is_set() {
    let (own, shared) = (Clock::by_hand(), Clock::by_hand());
    let (server, oauth) =
        service(|builder| builder.clock(own.clone()).store(Shared(MemoryStore::with_clock(shared.clone()))));
    let browser = Browser::new(&server);
    let (tokens, form) = (issued(&browser, "ada").await, browser.authorize(&[("prompt", Some("login"))]).await.form());
    shared.advance(Duration::from_secs(50));
    let why = oauth.health().await.unwrap_err().to_string();
    assert!(why.contains("away from this machine's: let a time server set both"), "{why}");
    assert_eq!((refreshed(&browser, &tokens).await, browser.login(&form, "ada", "right").await.status), (503, 503));
    own.advance(Duration::from_secs(50));
    assert!(oauth.health().await.unwrap().clock_ahead.abs() <= 1);
    assert_eq!((refreshed(&browser, &tokens).await, browser.login(&form, "ada", "right").await.status), (200, 303));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_kept_names_no_user_and_no_address() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("kept-{:016x}", rand::random::<u64>()));
    std::fs::create_dir_all(&folder).unwrap();
    let store = SqliteStore::open(folder.join("oauth.db")).await.unwrap();
    let told = Client::public("told").redirect_uri(REDIRECT).backchannel_logout_uri("https://told.example/ended");
    let (server, oauth) = service(|builder| {
        builder.store(store).scope("openid", "Know who you are").client(Client::public("tv").device()).client(told)
    });
    let browser = Browser::new(&server);
    let name = "ada.lovelace@example.org";
    // A client that learns who signed out.
    let (elsewhere, of_told) = (Browser::new(&server), ("client_id", Some("told")));
    let answer = elsewhere.sign_in(&[of_told, ("scope", Some("openid"))], "byron@example.org", "right").await;
    let tokens = elsewhere.redeem(&answer.redirect()["code"], &[of_told]).await;
    assert!(tokens.json()["id_token"].is_string(), "{tokens:?}");
    let form = browser.authorize(&[]).await.form();
    assert_eq!(browser.login(&form, name, "not the password").await.status, 401);
    let code = browser.sign_in(&[("scope", Some("notes:read"))], name, "right").await.redirect()["code"].clone();
    let tokens = browser.redeem(&code, &[]).await.json();
    assert_eq!(refreshed(&browser, &tokens).await, 200);
    let grant = oauth.grants(name).await.unwrap().remove(1).id;
    // What a device is allowed and has not asked for yet is kept, and sealed.
    let device = browser.post("/device_authorization", "client_id=tv&scope=notes:write").await.json();
    let [device_code, user_code] = ["device_code", "user_code"].map(|code| device[code].as_str().unwrap());
    let page = browser.call("/device", None).await.form();
    let typed = changed(&[("request", page.as_str()), ("user_code", user_code)], &[]);
    let page = browser.post("/device", typed).await;
    assert_eq!(browser.consent(&page.form(), "allow").await.status, 200);

    let mut kept = Vec::new();
    for file in std::fs::read_dir(&folder).unwrap() {
        kept.extend(std::fs::read(file.unwrap().path()).unwrap());
    }
    std::fs::remove_dir_all(&folder).unwrap();
    let holds = |text: &str| kept.windows(text.len()).any(|window| window == text.as_bytes());
    for text in [&*grant, "demo", "notes:read", "\"told\""] {
        assert!(holds(text), "{text} is kept");
    }
    let [access, refresh] = ["access_token", "refresh_token"].map(|token| tokens[token].as_str().unwrap());
    for text in [
        "lovelace",
        "byron",
        "example.org",
        "127.0.0.1",
        "not the password",
        &form,
        &code,
        access,
        refresh,
        device_code,
    ] {
        assert!(!holds(text), "{text} is kept");
    }
    for code in [user_code, &user_code.replace('-', ""), "notes:write"] {
        assert!(!holds(code), "{code} is kept");
    }
}
