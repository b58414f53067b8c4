//! What a person sees of what they gave, and takes back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use oauth_runtime::{Client, Clock, Grant, Holder, OAuthService};
use oauth_tests::{Browser, Changes, Server, builder, free_port, handlers, serve, serve_service};
use serde_json::json;
use tokio::sync::Notify;

const GUEST: Changes<'_> =
    &[("client_id", Some("guest")), ("redirect_uri", Some("https://guest.example/cb")), ("scope", Some("notes:read"))];
const GUEST_ELSEWHERE: Changes<'_> = &[
    ("client_id", Some("guest")),
    ("redirect_uri", Some("https://guest.example.net/cb")),
    ("scope", Some("notes:read")),
];

fn guest() -> Client {
    let guest = Client::public("guest").third_party().allow_scopes("notes:read notes:write");
    guest.redirect_uri("https://guest.example/cb").redirect_uri("https://guest.example.net/cb")
}

fn service() -> (Server, OAuthService) {
    let (listener, base) = free_port();
    let oauth = builder(&base)
        .client(guest().allow_resources([&base]))
        .reload(async |_: &str| Some(json!({ "role": "admin" })))
        .build()
        .unwrap();
    let routes = oauth.clone();
    let server = serve(listener, move |app| {
        app.configure(routes.routes()).configure(handlers);
    });
    (server, oauth)
}

/// The grants of the admin, by who holds them.
async fn grants(oauth: &OAuthService) -> BTreeMap<&'static str, Vec<Grant>> {
    let mut grants = BTreeMap::<_, Vec<Grant>>::new();
    for grant in oauth.grants("admin").await.unwrap() {
        let holder = match &grant.holder {
            Holder::Session => "session",
            Holder::Client(_) => "client",
            Holder::Consent(_) => "consent",
            other => panic!("{other:?}"),
        };
        grants.entry(holder).or_default().push(grant);
    }
    grants
}

async fn is_silent(browser: &Browser, changes: Changes<'_>) -> bool {
    browser.authorize(&[changes, &[("prompt", Some("none"))]].concat()).await.redirect().contains_key("code")
}

#[tokio::test]
async fn c40_a_person_sees_what_they_gave_and_ends_it() {
    let (server, oauth) = service();
    let browser = Browser::new(&server);
    assert!(oauth.grants("admin").await.unwrap().is_empty());
    let page = browser.sign_in(GUEST, "admin", "admin123").await;
    let code = browser.consent(&page.form(), "allow").await.redirect()["code"].clone();
    let redeem = [("client_id", Some("guest")), ("redirect_uri", Some("https://guest.example/cb"))];
    let issued = browser.redeem(&code, &redeem).await.json();
    let (access, refresh) = (issued["access_token"].as_str().unwrap(), issued["refresh_token"].as_str().unwrap());

    let given = grants(&oauth).await;
    assert_eq!(
        given.iter().map(|(holder, all)| (*holder, all.len())).collect::<Vec<_>>(),
        [("client", 1), ("consent", 1), ("session", 1)]
    );
    let [Grant { holder: Holder::Client(client), begun, last_used, ends_at, .. }] = &given["client"][..] else {
        panic!("{given:?}")
    };
    assert_eq!((client.client.as_str(), client.scope.to_string().as_str()), ("guest", "notes:read"));
    assert!(begun <= last_used && last_used < ends_at);
    let [Grant { holder: Holder::Consent(consent), .. }] = &given["consent"][..] else { panic!("{given:?}") };
    assert_eq!((consent.client.as_str(), consent.scope.to_string().as_str()), ("guest", "notes:read"));

    // A client's own revocation takes back no consent; the person does.
    let revoked = browser.post("/revoke", format!("client_id=guest&token={refresh}")).await;
    assert_eq!((revoked.status, browser.call("/me", Some(access)).await.status), (200, 401));
    assert!(!grants(&oauth).await.contains_key("client"));
    assert!(is_silent(&browser, GUEST).await);
    assert!(!oauth.revoke_grant("user", &given["consent"][0].id).await.unwrap(), "another's is none of theirs");
    assert!(oauth.revoke_grant("admin", &given["consent"][0].id).await.unwrap());
    assert!(!oauth.revoke_grant("admin", &given["consent"][0].id).await.unwrap(), "it has ended");
    assert!(!is_silent(&browser, GUEST).await);

    // With a session goes what clients got by it.
    let own = browser.issued(&[]).await;
    assert!(oauth.revoke_grant("admin", &given["session"][0].id).await.unwrap());
    assert_eq!(browser.call("/me", own["access_token"].as_str()).await.status, 401);
    assert_eq!(browser.refresh(own["refresh_token"].as_str().unwrap(), &[]).await.status, 400);
    let silent = browser.authorize(&[("prompt", Some("none"))]).await;
    assert_eq!(silent.redirect()["error"], "login_required");
    assert!(oauth.grants("admin").await.unwrap().is_empty());
}

#[tokio::test]
async fn c40_all_that_one_client_has_ends_at_once() {
    let (server, oauth) = service();
    let browser = Browser::new(&server);
    let page = browser.sign_in(GUEST, "admin", "admin123").await;
    let code = browser.consent(&page.form(), "allow").await.redirect()["code"].clone();
    let redeem = [("client_id", Some("guest")), ("redirect_uri", Some("https://guest.example/cb"))];
    let issued = browser.redeem(&code, &redeem).await.json();
    let own = browser.issued(&[]).await;
    oauth.revoke_client("admin", "guest").await.unwrap();
    assert_eq!(browser.call("/me", issued["access_token"].as_str()).await.status, 401);
    assert!(!is_silent(&browser, GUEST).await);
    assert_eq!(browser.call("/me", own["access_token"].as_str()).await.status, 200, "another client's lives");
    let ends = &grants(&oauth).await["session"][0];
    let day = Duration::from_secs(24 * 3600);
    assert!(ends.ends_at.since(ends.begun) <= day + day, "a session that is not used ends within its idle time");
}

/// Whether the user has to be asked is decided before `reload`, and the session's use is noted after it.
#[tokio::test]
async fn c40_c42_what_is_withdrawn_while_a_request_is_answered_outlives_no_code() {
    // In the next hour the use is written, which must not make the code newer than the withdrawal.
    for later in [0, 3600] {
        let clock = Clock::by_hand();
        let (is_held, entered, go) =
            (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (held, enters, goes) = (Arc::clone(&is_held), Arc::clone(&entered), Arc::clone(&go));
        let (listener, base) = free_port();
        let oauth = builder(&base)
            .clock(clock.clone())
            .reload(async move |_: &str| {
                if held.load(Ordering::SeqCst) {
                    enters.notify_one();
                    goes.notified().await;
                }
                Some(json!({ "role": "admin" }))
            })
            .client(guest())
            .build()
            .unwrap();
        let server = serve_service(listener, &oauth);
        let browser = Browser::new(&server);
        let page = browser.sign_in(GUEST, "admin", "admin123").await;
        assert!(browser.consent(&page.form(), "allow").await.redirect().contains_key("code"));
        clock.advance(Duration::from_secs(later));
        is_held.store(true, Ordering::SeqCst);
        let (answer, ()) = tokio::join!(browser.authorize(GUEST), async {
            entered.notified().await;
            oauth.revoke_client("admin", "guest").await.unwrap();
            is_held.store(false, Ordering::SeqCst);
            go.notify_one();
        });
        // The answer was decided before, and its code has ended with the rest.
        let refused = browser.redeem(&answer.redirect()["code"], &GUEST[..2]).await;
        assert_eq!((refused.status, &refused.json()["error"]), (400, &json!("invalid_grant")), "{later}");
        assert!(!is_silent(&browser, GUEST).await && !grants(&oauth).await.contains_key("client"), "{later}");
    }
}

#[tokio::test]
async fn c40_a_consent_holds_for_the_origin_that_it_was_given_for() {
    let (server, oauth) = service();
    let browser = Browser::new(&server);
    let page = browser.sign_in(GUEST, "admin", "admin123").await;
    assert!(browser.consent(&page.form(), "allow").await.redirect().contains_key("code"));
    assert!(is_silent(&browser, GUEST).await && !is_silent(&browser, GUEST_ELSEWHERE).await);
    let page = browser.authorize(GUEST_ELSEWHERE).await;
    assert_eq!(page.status, 200, "it is asked again");
    // To deny takes back what was allowed.
    assert_eq!(browser.consent(&page.form(), "deny").await.redirect()["error"], "access_denied");
    assert!(!is_silent(&browser, GUEST).await && !grants(&oauth).await.contains_key("consent"));
}

#[tokio::test]
async fn c42_to_forget_a_user_ends_everything_and_leaves_nothing_of_them() {
    let (server, oauth) = service();
    let browser = Browser::new(&server);
    let page = browser.sign_in(GUEST, "admin", "admin123").await;
    assert!(browser.consent(&page.form(), "allow").await.redirect().contains_key("code"));
    let issued = browser.issued(&[]).await;
    oauth.forget("admin").await.unwrap();
    assert!(oauth.grants("admin").await.unwrap().is_empty());
    assert_eq!(browser.call("/me", issued["access_token"].as_str()).await.status, 401);
    assert_eq!(browser.refresh(issued["refresh_token"].as_str().unwrap(), &[]).await.status, 400);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let page = browser.sign_in(GUEST, "admin", "admin123").await;
    assert_eq!(page.status, 200, "what they allowed is forgotten");
}
