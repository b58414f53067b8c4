//! Who the pages are for: by current claims, a session that stands, and as strong a sign-in as a guard asks for.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::{App, test, web};
use oauth_runtime::testing::{Fault, Verb};
use oauth_runtime::{Client, Clock, Login, Question, SecondFactor, SignIn, policy};
use oauth_tests::{Browser, builder, free_port, serve, watched};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::*;

#[tokio::test]
async fn claims_are_those_of_now_and_are_asked_for_once_in_some_seconds() {
    let clock = Clock::by_hand();
    let roles = Arc::new(Mutex::new(HashMap::from([("admin", "admin")])));
    let asked = Arc::new(AtomicUsize::new(0));
    let (known, count) = (Arc::clone(&roles), Arc::clone(&asked));
    let (server, _) = start(|builder| {
        builder.clock(clock.clone()).reload(move |subject: &str| {
            count.fetch_add(1, Ordering::Relaxed);
            let role = known.lock().get(subject).map(|role| json!({ "role": role }));
            async move { role }
        })
    });
    let browser = signed_in(&server, "admin").await;
    for _ in 0..5 {
        assert_eq!(fetch(&browser, "/app/admin").await.status, 200);
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1, "once for all five");
    roles.lock().insert("admin", "user");
    clock.advance(Duration::from_secs(5));
    assert_eq!(fetch(&browser, "/app/admin").await.status, 403);
    assert_eq!(fetch(&browser, "/app/notes").await.body, "the notes of \"admin\" (\"user\")");
    // A user who is not to be let in any more is not.
    roles.lock().clear();
    clock.advance(Duration::from_secs(5));
    assert_eq!(fetch(&browser, "/app/notes").await.status, 401);
    roles.lock().insert("admin", "admin");
    assert_eq!(fetch(&browser, "/app/notes").await.status, 401, "the session has ended");
}

#[tokio::test]
async fn c42_a_sign_out_holds_at_once_though_the_claims_are_known() {
    let (server, oauth) = start(|builder| builder);
    let (one, other) = (signed_in(&server, "admin").await, signed_in(&server, "admin").await);
    let form = one.call("/logout", None).await.form();
    // It shows what it had: as a browser that was copied.
    let copy = sent_cookies(&server).await;
    let copied = || without_keeping(&server, &copy, "/app/notes");
    assert_eq!(copied().await.status, 200);
    assert_eq!(one.sign_out(&form, "sign_out").await.status, 200);
    assert_eq!(fetch(&one, "/app/notes").await.status, 401);
    assert_eq!(fetch(&other, "/app/notes").await.status, 200, "a session of its own");
    oauth.sign_out("admin").await.unwrap();
    assert_eq!(fetch(&other, "/app/notes").await.status, 401);
    assert_eq!(copied().await.status, 401);
}

/// With these cookies alone.
async fn without_keeping(server: &Server, cookies: &str, path: &str) -> Answer {
    let http = oauth_tests::without_cookies();
    Answer::to(http.get(format!("{}{path}", server.base)).header("cookie", cookies)).await
}

#[tokio::test]
async fn c42_another_process_knows_of_a_sign_out_by_the_store() {
    let (listener, base) = free_port();
    let (second, _) = free_port();
    let store = watched(Clock::system());
    let both = [(), ()].map(|()| reloading(builder(&base)).store(store.clone()).build().unwrap());
    let server = serve(listener, pages(&both[0]));
    let other = serve(second, pages(&both[1]));
    let cookies = sent_cookies(&server).await;
    assert_eq!(without_keeping(&other, &cookies, "/app/notes").await.status, 200);
    both[0].sign_out("admin").await.unwrap();
    assert_eq!(without_keeping(&other, &cookies, "/app/notes").await.status, 401);
}

/// As guards do; what the session opens beside them asks the store each time.
#[tokio::test]
async fn c42_over_a_store_elsewhere_pages_go_by_what_it_last_said_for_as_long_as_guards() {
    let clock = Clock::by_hand();
    let (listener, base) = free_port();
    let (second, _) = free_port();
    let store = watched(clock.clone());
    store.fail(&[Verb::Read], Fault::Slow(Duration::from_millis(1)));
    let service = || reloading(builder(&base)).clock(clock.clone()).store(store.clone()).build().unwrap();
    let (here, elsewhere) = (service(), service());
    let server = serve(listener, pages(&here));
    let other = serve(second, pages(&elsewhere));
    let status = async |cookies: &str| without_keeping(&other, cookies, "/app/notes").await.status;
    let cookies = sent_cookies(&server).await;
    assert_eq!(status(&cookies).await, 200);
    here.sign_out("admin").await.unwrap();
    assert_eq!(without_keeping(&server, &cookies, "/app/notes").await.status, 401);
    assert_eq!(status(&cookies).await, 200, "the lag");
    clock.advance(Duration::from_secs(2));
    assert_eq!(status(&cookies).await, 401);

    let cookies = sent_cookies(&server).await;
    assert_eq!(status(&cookies).await, 200);
    store.fail(Verb::ALL, Fault::Unavailable);
    clock.advance(Duration::from_secs(29));
    assert_eq!(status(&cookies).await, 200);
    let silently = Browser::new(&other).authorize_url(&[("prompt", Some("none"))]);
    let refused = Answer::to(oauth_tests::without_cookies().get(silently).header("cookie", &cookies)).await;
    assert_eq!(refused.redirect()["error"], "temporarily_unavailable");
    clock.advance(Duration::from_secs(1));
    assert_eq!(status(&cookies).await, 503);
}

#[tokio::test]
async fn each_use_prolongs_a_session_and_none_beyond_its_end() {
    const HOUR: Duration = Duration::from_secs(3600);
    let clock = Clock::by_hand();
    let (server, _) = start(|builder| builder.clock(clock.clone()).session_idle(HOUR).session_lifetime(3 * HOUR));
    let browser = signed_in(&server, "admin").await;
    let answer = fetch(&browser, "/app/notes").await;
    assert!(!answer.headers.contains_key("set-cookie"), "not each time: {answer:?}");
    for _ in 0..4 {
        clock.advance(HOUR * 2 / 3);
        let answer = fetch(&browser, "/app/notes").await;
        assert!(answer.status == 200 && answer.header("set-cookie").contains("oauth-session"), "{answer:?}");
        // One that many would get is kept from having a cookie.
        clock.advance(HOUR / 6 / 100);
    }
    clock.advance(HOUR / 2);
    assert_eq!(fetch(&browser, "/app/notes").await.status, 401, "three hours are over");

    let browser = signed_in(&server, "admin").await;
    clock.advance(HOUR / 2);
    let shared = fetch(&browser, "/app/cached").await;
    assert!(!shared.headers.contains_key("set-cookie"), "a cache may keep it: {shared:?}");
    assert_eq!((shared.header("cache-control"), shared.header("vary")), ("public, max-age=60", "Cookie"));
    clock.advance(HOUR * 2 / 3);
    assert_eq!(fetch(&browser, "/app/notes").await.status, 401, "it was idle");
}

/// A password, and a code for who is asked for one.
fn stepping_up(builder: Builder) -> Builder<WithReload> {
    let authenticate = async |login: Login| match oauth_tests::users(&login) {
        Some(_) if login.acr_values.iter().any(|acr| acr == "mfa") => SignIn::ask(Question::code("Code?")),
        Some(user) => SignIn::done(user).amr("pwd"),
        None => SignIn::refused(),
    };
    let second = async |factor: SecondFactor| match &*factor.answer {
        "1" => SignIn::done(json!({ "sub": factor.username, "role": "admin" })).acr("mfa"),
        "2" => SignIn::done(json!({ "sub": factor.username, "role": "admin" })),
        _ => SignIn::<Value>::refused(),
    };
    reloading(builder.authenticate(authenticate).second_factor(second).acr_values(["mfa"]))
}

#[tokio::test]
async fn a_guard_that_asks_for_a_stronger_sign_in_leads_to_one_and_back() {
    let (listener, base) = free_port();
    let oauth = stepping_up(builder(&base)).build().unwrap();
    let server = serve(listener, pages(&oauth));
    let browser = signed_in(&server, "admin").await;

    let told = fetch(&browser, "/app/strong").await;
    assert_eq!(told.challenge()["acr_values"], "mfa");
    let posted = send(&browser, Method::POST, "/app/strong", &SHOWN).await;
    assert!(posted.status == 401 && posted.is_page() && posted.body.contains("/login?page="), "{posted:?}");

    for (answer, status) in [("2", 400), ("1", 303)] {
        let page = sign_in_page(&browser, &visit(&browser, "/app/strong").await).await;
        let question = browser.login(&page.form(), "admin", "admin123").await;
        let fields = oauth_tests::changed(&[("request", &question.form()), ("answer", answer)], &[]);
        let done = browser.post("/verify", fields).await;
        assert_eq!(done.status, status, "{done:?}");
        if status == 303 {
            assert_eq!(done.header("location"), "/app/strong");
            assert_eq!(visit(&browser, "/app/strong").await.body, "strong");
        } else {
            // A page, since a way back would lead round in a circle.
            assert!(done.is_page(), "{done:?}");
            assert_eq!(visit(&browser, "/app/strong").await.status, 303);
        }
    }
}

#[tokio::test]
async fn a_guard_that_asks_for_a_fresh_sign_in_leads_to_one_and_back() {
    let clock = Clock::by_hand();
    let (server, _) = start(|builder| builder.clock(clock.clone()));
    let browser = signed_in(&server, "admin").await;
    assert_eq!(visit(&browser, "/app/fresh").await.body, "fresh");
    clock.advance(Duration::from_secs(301));
    assert_eq!(fetch(&browser, "/app/fresh").await.challenge()["max_age"], "300");
    assert_eq!(visit(&browser, "/app/notes").await.status, 200);
    assert_eq!(sign_in_for(&browser, "/app/fresh", "admin").await, "/app/fresh");
    assert_eq!(visit(&browser, "/app/fresh").await.body, "fresh", "though the claims were known a moment ago");
}

#[tokio::test]
async fn an_hour_later_the_sign_in_leads_to_the_page_which_asks_anew() {
    let clock = Clock::by_hand();
    let (server, _) = start(|builder| builder.clock(clock.clone()));
    let browser = Browser::new(&server);
    let asked = visit(&browser, "/app/notes?x=1").await;
    clock.advance(Duration::from_secs(3601));
    assert_eq!(browser.follow(&asked).await.header("location"), "/app/notes?x=1");
    // A page that was left open says where to go on.
    let page = sign_in_page(&browser, &visit(&browser, "/app/notes?x=1").await).await;
    clock.advance(Duration::from_secs(3601));
    let late = browser.login(&page.form(), "admin", "admin123").await;
    assert!(late.status == 400 && late.body.contains("href=\"/app/notes?x=1\""), "{late:?}");
    // Who will not sign in sees a page, and is not sent round.
    let page = sign_in_page(&browser, &visit(&browser, "/app/notes").await).await;
    let left =
        browser.post("/login", oauth_tests::changed(&[("request", &page.form()), ("cancel", "cancel")], &[])).await;
    assert!(left.status == 400 && left.is_page(), "{left:?}");
    // And a browser without cookies gets a page that says so.
    let none = oauth_tests::without_cookies();
    let page =
        Answer::to(none.get(format!("{}{}", server.base, visit(&browser, "/app/notes").await.header("location"))))
            .await;
    let fields = [("request", page.form()), ("username", "admin".into()), ("password", "admin123".into())];
    let refused = Answer::to(none.post(format!("{}/login", server.base)).form(&fields)).await;
    assert!(refused.status == 403 && refused.body.contains("Allow cookies"), "{refused:?}");
}

#[tokio::test]
async fn what_is_below_a_resources_path_takes_no_session() {
    let (listener, base) = free_port();
    let oauth = reloading(builder(&base)).resource(format!("{base}/api")).build().unwrap();
    let server = serve(listener, move |app| {
        let api = web::scope("/api").service(notes).service(plain);
        app.configure(oauth.routes()).service(web::scope("").wrap(oauth.pages()).service(api).service(plain));
    });
    let browser = Browser::new(&server);
    let page = browser.call("/login", None).await;
    assert_eq!(browser.login(&page.form(), "admin", "admin123").await.status, 303);
    assert_eq!(fetch(&browser, "/plain").await.status, 200);
    for path in ["/api/notes", "/api/plain", "/api/%6eotes", "/x/../api/plain"] {
        for answer in [fetch(&browser, path).await, visit(&browser, path).await] {
            assert!(matches!(answer.status, 401 | 404), "{path}: {answer:?}");
        }
    }
    assert!(fetch(&browser, "/api/notes").await.challenge()["resource_metadata"].ends_with("/api"));
}

#[tokio::test]
async fn a_guard_of_another_service_does_not_know_the_session() {
    let (listener, base) = free_port();
    let oauth = reloading(builder(&base)).build().unwrap();
    let other = reloading(builder("http://127.0.0.1/other")).build().unwrap();
    let server = serve(listener, move |app| {
        let inner = web::scope("/inner").configure(other.routes()).service(outside);
        let wrapped = web::scope("/wrapped").wrap(other.require(policy!(role = "admin"))).service(plain);
        let pages = web::scope("/app").wrap(oauth.pages()).service(notes).service(inner).service(wrapped);
        let foreign = web::scope("/foreign").wrap(other.pages()).service(plain);
        app.configure(oauth.routes()).service(pages).service(foreign);
    });
    let browser = signed_in(&server, "admin").await;
    assert_eq!(fetch(&browser, "/app/notes").await.status, 200);
    for path in ["/app/inner/outside", "/app/wrapped/plain", "/foreign/plain"] {
        assert_eq!(fetch(&browser, path).await.status, 401, "{path}");
    }
}

#[tokio::test]
async fn the_token_of_a_third_party_opens_no_page() {
    let guest = |base: &str| {
        let guest = Client::public("guest").redirect_uri("https://guest.example/cb").third_party();
        guest.allow_scopes("notes:read").allow_resources([base.to_owned()])
    };
    let (listener, base) = free_port();
    let oauth = reloading(builder(&base)).client(guest(&base)).build().unwrap();
    let server = serve(listener, pages(&oauth));
    let browser = Browser::new(&server);
    let changes = [
        ("client_id", Some("guest")),
        ("redirect_uri", Some("https://guest.example/cb")),
        ("scope", Some("notes:read")),
    ];
    let consent = browser.sign_in(&changes, "admin", "admin123").await;
    let code = browser.consent(&consent.form(), "allow").await.redirect()["code"].clone();
    let guests = browser.redeem(&code, &changes[..2]).await.json()["access_token"].as_str().unwrap().to_owned();
    let own = browser.token().await;
    for (path, of_guest, of_own) in [
        ("/notes", 200, 403),
        ("/outside", 200, 200),
        ("/app/scoped", 403, 403),
        ("/app/admin", 403, 200),
        ("/app/plain", 403, 200),
    ] {
        assert_eq!(browser.call(path, Some(&guests)).await.status, of_guest, "{path}");
        assert_eq!(browser.call(path, Some(&own)).await.status, of_own, "{path}");
    }
}

#[tokio::test]
async fn without_sessions_pages_open_to_none_and_say_so() {
    let (listener, base) = free_port();
    let oauth = builder(&base).build().unwrap();
    let server = serve(listener, pages(&oauth));
    let browser = Browser::new(&server);
    for path in ["/app/notes", "/app/admin"] {
        let answer = fetch(&browser, path).await;
        assert_eq!((answer.status, answer.json()["error"].as_str()), (500, Some("server_error")), "{path}");
    }
    assert!(browser.call("/login", None).await.is_page());
}

#[tokio::test]
async fn no_client_is_needed_and_none_gets_anything_by_a_page() {
    let (listener, base) = free_port();
    let oauth = OAuthService::builder()
        .untyped_claims()
        .issuer(&base)
        .name("Notes & more")
        .authenticate(async |login: Login| oauth_tests::users(&login))
        .reload(async |subject: &str| Some(json!({ "role": subject })))
        .build()
        .unwrap();
    let server = serve(listener, pages(&oauth));
    let browser = Browser::new(&server);
    let page = sign_in_page(&browser, &visit(&browser, "/app/notes").await).await;
    assert!(page.body.contains("Notes &#38; more"), "{page:?}");
    let answer = browser.login(&page.form(), "admin", "admin123").await;
    assert_eq!((answer.status, answer.header("location")), (303, "/app/notes"));
    // A double click.
    assert_eq!(browser.login(&page.form(), "admin", "admin123").await.header("location"), "/app/notes");
    let grants = oauth.grants("admin").await.unwrap();
    assert_eq!(grants.len(), 1, "the session: {grants:?}");
}

#[actix_web::test]
async fn what_is_below_pages_counts_as_guarded() {
    let oauth = reloading(builder("http://127.0.0.1/pages-that-count")).build().unwrap();
    let closed = || oauth.closed().public(["/open"]).guarded(["/app/*", "/shaped"]);
    let coverage = testing::coverage(App::new().configure(pages(&oauth)).wrap(closed())).await;
    let below: Vec<_> = coverage.findings().filter(|(route, _)| route.path.starts_with("/app/")).collect();
    assert!(below.len() > 10, "{coverage}");
    for (route, finding) in below {
        assert!(matches!(finding, testing::Finding::Guarded(_)), "{route:?} {finding:?}");
    }
    let app = test::init_service(App::new().configure(pages(&oauth)).wrap(closed())).await;
    let cookie = testing::session(&oauth, "user").await;
    for (path, status) in [("/app/plain", 200), ("/app/admin", 403), ("/app/none", 404)] {
        let request = test::TestRequest::get().uri(path).insert_header(cookie.clone()).to_request();
        assert_eq!(test::call_service(&app, request).await.status().as_u16(), status, "{path}");
    }
}
