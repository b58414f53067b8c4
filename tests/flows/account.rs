//! The page on which users see and end what they gave.

use std::time::Duration;

use oauth_runtime::states::WithReload;
use oauth_runtime::testing::{Fault, Verb};
use oauth_runtime::{BuildError, Builder, Client, Clock, Texts};
use oauth_tests::{Answer, Browser, Server, builder, start, watched};
use serde_json::{Value, json};

const GUEST: &[(&str, Option<&str>)] = &[
    ("client_id", Some("guest")),
    ("redirect_uri", Some("https://guest.example/cb")),
    ("scope", Some("notes:write notes:read")),
];

fn with_account(builder: Builder) -> Builder<WithReload> {
    let guest = Client::public("guest").name("Guest <Book>").redirect_uri("https://guest.example/cb");
    builder
        .reload(async |_: &str| Some(json!({ "role": "admin" })))
        .account_page()
        .language(Texts::german())
        .client(guest.third_party().allow_scopes("notes:read notes:write"))
}

async fn page(browser: &Browser) -> Answer {
    browser.call("/account", None).await
}

/// Posts the form of the page.
async fn end(browser: &Browser, form: &str, field: &str, value: &str) -> Answer {
    let fields = [("request", form), (field, value)];
    Answer::to(browser.http.post(format!("{}/account", browser.base)).form(&fields)).await
}

/// The values of the buttons of this name, in the order of the page.
fn buttons(page: &Answer, name: &str) -> Vec<String> {
    let button = format!("name=\"{name}\" value=\"");
    let parts = page.body.split(&button).skip(1);
    parts.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

/// A browser that the guest has access by; with the guest's tokens.
async fn guests(server: &Server) -> (Browser, Value) {
    let browser = Browser::new(server);
    let consent = browser.sign_in(GUEST, "admin", "admin123").await;
    let code = browser.consent(&consent.form(), "allow").await.redirect()["code"].clone();
    let answer = browser.redeem(&code, &GUEST[..2]).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    (browser, answer.json())
}

/// Whether the guest still has what it was given.
async fn is_alive(browser: &Browser, tokens: &mut Value) -> bool {
    let token = tokens["refresh_token"].as_str().unwrap();
    let refreshed = browser.refresh(token, &[("client_id", Some("guest"))]).await;
    if refreshed.status == 200 {
        *tokens = refreshed.json();
    }
    refreshed.status == 200
}

#[tokio::test]
async fn c40_users_see_their_sessions_and_applications_and_end_them() {
    let server = start(with_account);
    let (browser, mut tokens) = guests(&server).await;
    let other = Browser::new(&server);
    assert!(other.sign_in(&[], "admin", "admin123").await.redirect().contains_key("code"));

    let seen = page(&browser).await;
    assert!(seen.status == 200 && seen.is_page(), "{seen:?}");
    for text in ["signed in as <strong><bdi>admin", "This browser", "Another browser", "Guest &#60;Book&#62;"] {
        assert_eq!(seen.body.matches(text).count(), 1, "{text}: {seen:?}");
    }
    assert!(seen.body.contains("<span>Read your notes</span>\n<br><span>Write your notes</span>"), "{seen:?}");
    let (sessions, clients) = (buttons(&seen, "session"), buttons(&seen, "client"));
    assert_eq!((sessions.len(), clients.as_slice()), (2, &["guest".to_owned()][..]));
    assert_eq!(buttons(&page(&other).await, "session"), [sessions[1].clone(), sessions[0].clone()], "this one first");

    let form = seen.form();
    assert_eq!(end(&browser, &form, "session", "no-such-session").await.status, 303);
    // The id of a client that has a document is its URL.
    let longest = format!("https://guest.example/{}", "a".repeat(234));
    assert_eq!(end(&browser, &form, "client", &longest).await.status, 303);
    assert_eq!(end(&browser, &form, "nothing", "x").await.status, 400);
    assert_eq!(page(&other).await.status, 200, "nothing has ended by that");

    assert_eq!(end(&browser, &form, "session", &sessions[1]).await.header("location"), "/account");
    assert_eq!(page(&other).await.status, 403);
    assert!(is_alive(&browser, &mut tokens).await);

    assert_eq!(end(&browser, &form, "client", "guest").await.status, 303);
    assert!(!is_alive(&browser, &mut tokens).await);
    let asked = browser.authorize(GUEST).await;
    assert!(asked.status == 200 && asked.body.contains("value=\"allow\""), "asked again: {asked:?}");
    let left = page(&browser).await;
    assert!(buttons(&left, "client").is_empty() && left.body.contains("No application has"), "{left:?}");

    let gone = end(&browser, &left.form(), "session", &sessions[0]).await;
    assert_eq!(gone.header("location"), "/logout");
    let out = browser.call("/logout", None).await;
    assert!(out.body.contains("You are signed out"), "{out:?}");
    assert_eq!(page(&browser).await.status, 403);
    assert_eq!(end(&browser, &left.form(), "client", "guest").await.status, 403, "after the sign-out");
}

/// What is on its way when a client is ended ends with it, however late it is redeemed.
#[tokio::test]
async fn c42_a_code_that_is_on_its_way_ends_with_its_client() {
    let server = start(with_account);
    let browser = Browser::new(&server);
    let consent = browser.sign_in(GUEST, "admin", "admin123").await;
    let code = browser.consent(&consent.form(), "allow").await.redirect()["code"].clone();
    assert_eq!(end(&browser, &page(&browser).await.form(), "client", "guest").await.status, 303);
    let late = browser.redeem(&code, &GUEST[..2]).await;
    assert_eq!((late.status, &late.json()["error"]), (400, &json!("invalid_grant")), "{late:?}");
    let again = browser.authorize(GUEST).await;
    let code = browser.consent(&again.form(), "allow").await.redirect()["code"].clone();
    assert_eq!(browser.redeem(&code, &GUEST[..2]).await.status, 200, "what is asked for anew is new");
}

#[tokio::test]
async fn c41_the_account_page_is_its_user_s_in_their_browser_from_our_own_page_alone() {
    let clock = Clock::by_hand();
    let server = start(|builder| with_account(builder).clock(clock.clone()));
    let no_one = page(&Browser::new(&server)).await;
    assert!(
        no_one.status == 403 && no_one.is_page() && no_one.body.contains("You are not signed in here"),
        "{no_one:?}"
    );
    let (browser, mut tokens) = guests(&server).await;
    let form = page(&browser).await.form();
    let post = |site: &str, origin: &str| {
        let request = browser.http.post(format!("{}/account", server.base));
        let request = request.header("origin", origin).header("sec-fetch-site", site);
        request.form(&[("request", form.as_str()), ("client", "guest")])
    };
    for (site, origin) in
        [("cross-site", "https://evil.example"), ("same-site", server.base.as_str()), ("none", server.base.as_str())]
    {
        assert_eq!(Answer::to(post(site, origin)).await.status, 403, "{site} {origin}");
    }
    // Another browser of the same user has another session; another user of the same browser, another subject.
    let other = Browser::new(&server);
    other.sign_in(&[], "admin", "admin123").await;
    page(&other).await;
    assert_eq!(end(&other, &form, "client", "guest").await.status, 403);
    assert!(is_alive(&browser, &mut tokens).await, "nothing has ended by all that");
    let later = page(&browser).await.form();
    browser.sign_in(&[], "user", "user123").await;
    assert_eq!(end(&browser, &later, "client", "guest").await.status, 400);
    let theirs = page(&browser).await;
    assert!(!theirs.body.contains("Guest") && theirs.body.contains("<bdi>user</bdi>"), "{theirs:?}");
    clock.advance(Duration::from_secs(3601));
    assert_eq!(end(&browser, &theirs.form(), "client", "guest").await.status, 400, "too old");
}

/// A page that was shown in a session ends nothing once that session has ended, in the next one of the same user either.
#[tokio::test]
async fn c41_c42_a_page_of_a_session_that_ended_ends_nothing() {
    let server = start(with_account);
    let (browser, other) = (Browser::new(&server), Browser::new(&server));
    for each in [&browser, &other] {
        assert!(each.sign_in(&[], "admin", "admin123").await.redirect().contains_key("code"));
    }
    let (form, seen) = (page(&browser).await.form(), page(&other).await);
    let [of_other, of_browser] = &buttons(&seen, "session")[..] else { panic!("{seen:?}") };
    assert_eq!(end(&other, &seen.form(), "session", of_browser).await.status, 303);
    // Its cookie is still there.
    assert_eq!(end(&browser, &form, "session", of_other).await.status, 400);
    assert_eq!(page(&other).await.status, 200);
    assert!(browser.sign_in(&[], "admin", "admin123").await.redirect().contains_key("code"));
    assert_eq!(end(&browser, &form, "session", of_other).await.status, 400);
    assert_eq!(page(&other).await.status, 200);
    let form = page(&browser).await.form();
    assert_eq!(end(&browser, &form, "session", of_other).await.status, 303, "the control");
    assert_eq!(page(&other).await.status, 403);
}

#[tokio::test]
async fn the_account_page_waits_once_for_the_store_and_is_there_only_where_it_is_asked_for() {
    let store = watched(Clock::system());
    // A store that is elsewhere.
    store.fail(Verb::ALL, Fault::Slow(Duration::from_millis(5)));
    let shared = store.clone();
    let server = start(|builder| with_account(builder).store(shared));
    let (browser, _) = guests(&server).await;
    let before = store.waits();
    let seen = page(&browser).await;
    assert_eq!(store.waits() - before, 1, "to show it");
    let before = store.waits();
    assert_eq!(end(&browser, &seen.form(), "client", "guest").await.status, 303);
    assert_eq!(store.waits() - before, 1, "to end something");

    let without = start(|builder| builder.reload(async |_: &str| Some(json!({}))));
    assert_eq!(page(&Browser::new(&without)).await.status, 404);
    let built = with_account(builder("http://127.0.0.1:9")).sessions(false).build();
    assert!(matches!(built, Err(BuildError::AccountWithoutSessions)), "{built:?}");
}
