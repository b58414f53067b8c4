//! Signing out: what a client may end, what the user is asked, and what the page says.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use oauth_runtime::states::WithReload;
use oauth_runtime::store::MemoryStore;
use oauth_runtime::testing::{Fault, FaultyStore, Verb};
use oauth_runtime::{Builder, Client, Clock, Keys};
use oauth_tests::{Answer, Browser, Server, start, without_cookies};
use serde_json::{Value, json};
use tokio::sync::Notify;

/// Clients of https, so that a session is enough for each.
fn clients(builder: Builder) -> Builder<WithReload> {
    builder
        .keys(Keys::generate().unwrap())
        .scope("openid", "Know who you are")
        .reload(async |subject: &str| Some(json!({ "sub": subject, "role": "admin" })))
        .client(
            Client::public("shop")
                .redirect_uri("https://shop.example/cb")
                .post_logout_redirect_uri("https://shop.example/bye"),
        )
        .client(Client::public("news").redirect_uri("https://news.example/cb"))
        .client(Client::public("guest").redirect_uri("https://guest.example/cb").third_party())
}

/// What a client gets for the user of this browser, who signs in or is signed in.
async fn issued(browser: &Browser, client: &str) -> Value {
    let uri = format!("https://{client}.example/cb");
    let changes = [("client_id", Some(client)), ("redirect_uri", Some(&*uri)), ("scope", Some("openid"))];
    let mut answer = browser.authorize(&changes).await;
    if answer.body.contains("type=\"password\"") {
        answer = browser.login(&answer.form(), "admin", "admin123").await;
    }
    if answer.status == 200 {
        answer = browser.consent(&answer.form(), "allow").await;
    }
    let code = answer.redirect()["code"].clone();
    let answer = browser.redeem(&code, &changes[..2]).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

async fn stands(browser: &Browser, issued: &Value) -> bool {
    browser.call("/userinfo", issued["access_token"].as_str()).await.status == 200
}

async fn hinted(browser: &Browser, issued: &Value) -> Answer {
    browser.call(&format!("/logout?id_token_hint={}", issued["id_token"].as_str().unwrap()), None).await
}

async fn is_signed_in(browser: &Browser) -> bool {
    let uri = ("redirect_uri", Some("https://shop.example/cb"));
    browser.authorize(&[("client_id", Some("shop")), uri]).await.status == 303
}

#[tokio::test]
async fn c37_a_third_partys_hint_asks_and_ends_nothing() {
    let server = start(clients);
    let browser = Browser::new(&server);
    let (shop, guest) = (issued(&browser, "shop").await, issued(&browser, "guest").await);
    let page = hinted(&browser, &guest).await;
    assert!(page.status == 200 && page.body.contains("Sign out?"), "{page:?}");
    assert!(is_signed_in(&browser).await && stands(&browser, &shop).await && stands(&browser, &guest).await);
    // One of the service's own does not ask.
    let page = hinted(&browser, &shop).await;
    assert!(page.body.contains("You are signed out"), "{page:?}");
    assert!(!is_signed_in(&browser).await && !stands(&browser, &shop).await && !stands(&browser, &guest).await);
}

#[tokio::test]
async fn c37_a_hint_of_another_session_asks() {
    let server = start(clients);
    let (here, there) = (Browser::new(&server), Browser::new(&server));
    let (here_issued, there_issued) = (issued(&here, "shop").await, issued(&there, "shop").await);
    let page = hinted(&here, &there_issued).await;
    assert!(page.body.contains("Sign out?"), "the same user, elsewhere: {page:?}");
    assert!(stands(&here, &here_issued).await && stands(&here, &there_issued).await);
}

/// RP-Initiated Logout §2: an ID token of one client speaks for no other.
#[tokio::test]
async fn c37_a_hint_and_a_client_that_do_not_agree_end_nothing() {
    let server = start(clients);
    let browser = Browser::new(&server);
    let (shop, news) = (issued(&browser, "shop").await, issued(&browser, "news").await);
    let leave = async |hint: &Value| {
        let uri = "post_logout_redirect_uri=https://shop.example/bye";
        let hint = hint["id_token"].as_str().unwrap();
        browser.call(&format!("/logout?client_id=shop&{uri}&id_token_hint={hint}"), None).await
    };
    let page = leave(&news).await;
    assert!(page.status == 400 && page.is_page() && page.body.contains("another client"), "{page:?}");
    assert!(is_signed_in(&browser).await && stands(&browser, &shop).await && stands(&browser, &news).await);
    assert_eq!(leave(&shop).await.header("location"), "https://shop.example/bye");
    assert!(!is_signed_in(&browser).await && !stands(&browser, &news).await);
}

/// What a client shows without the browser of its user ends what it holds itself, by that session.
#[tokio::test]
async fn c38_a_hint_without_the_session_ends_at_most_what_its_own_client_holds() {
    let server = start(clients);
    let browser = Browser::new(&server);
    let (shop, news, guest) =
        (issued(&browser, "shop").await, issued(&browser, "news").await, issued(&browser, "guest").await);
    let elsewhere = issued(&Browser::new(&server), "guest").await;
    let program = Browser::new(&server);
    for _ in 0..2 {
        assert_eq!(hinted(&program, &guest).await.status, 200);
    }
    assert!(!stands(&browser, &guest).await);
    let refresh = guest["refresh_token"].as_str().unwrap();
    assert_eq!(browser.refresh(refresh, &[("client_id", Some("guest"))]).await.json()["error"], "invalid_grant");
    for others in [&shop, &news, &elsewhere] {
        assert!(stands(&browser, others).await);
    }
    assert!(is_signed_in(&browser).await, "the session is the user's");
    // What is granted by the same session from now on is not what was ended.
    let again = issued(&browser, "guest").await;
    assert!(stands(&browser, &again).await);
    assert_eq!(hinted(&program, &shop).await.status, 200);
    assert!(!stands(&browser, &shop).await && stands(&browser, &news).await && stands(&browser, &again).await);
}

/// A client that remembers many old sessions does harm to no other, and to no other's room.
#[tokio::test]
async fn c38_many_old_hints_of_a_client_end_no_more_than_its_own() {
    let server = start(clients);
    let browser = Browser::new(&server);
    let news = issued(&browser, "news").await;
    let mut old = Vec::new();
    for _ in 0..12 {
        old.push(issued(&Browser::new(&server), "guest").await);
    }
    let (last, ended) = old.split_last().unwrap();
    for hint in ended {
        hinted(&Browser::new(&server), hint).await;
    }
    for hint in ended {
        assert!(!stands(&browser, hint).await);
    }
    let _ = last;
    assert!(stands(&browser, &news).await && is_signed_in(&browser).await);
}

#[tokio::test]
async fn c37_the_page_offers_to_stay() {
    let server = start(clients);
    let browser = Browser::new(&server);
    let shop = issued(&browser, "shop").await;
    let page = browser.call("/logout", None).await;
    for part in ["Sign out?", "value=\"sign_out\"", "value=\"stay\"", "Stay signed in"] {
        assert!(page.body.contains(part), "{part}: {page:?}");
    }
    let stayed = browser.sign_out(&page.form(), "stay").await;
    assert!(stayed.status == 200 && stayed.is_page() && stayed.body.contains("You are still signed in"), "{stayed:?}");
    assert!(is_signed_in(&browser).await && stands(&browser, &shop).await);
    for decision in ["", "yes"] {
        let answer = browser.sign_out(&page.form(), decision).await;
        assert!(answer.status == 400 && answer.is_page(), "{decision}: {answer:?}");
    }
    assert!(is_signed_in(&browser).await);
    let gone = browser.sign_out(&page.form(), "sign_out").await;
    assert!(gone.status == 200 && gone.body.contains("You are signed out"), "{gone:?}");
    assert!(!is_signed_in(&browser).await && !stands(&browser, &shop).await);
}

fn session_cookie(answer: &Answer) -> &str {
    let set = answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
    let set = set.into_iter().find(|value| value.contains("oauth-session-")).unwrap_or_else(|| panic!("{answer:?}"));
    set.split(';').next().unwrap()
}

/// Signs a user in, in a browser that is gone after it; its session cookie.
async fn cookie_of(server: &Server, username: &str) -> String {
    let answer = Browser::new(server).sign_in(&[], username, &format!("{username}123")).await;
    session_cookie(&answer).to_owned()
}

/// Where another page has planted a second cookie, both count: the page would lie of one of them.
#[tokio::test]
async fn c37_with_two_cookies_both_sessions_end_before_the_page_says_so() {
    let server = start(clients);
    let (admin, user) = (cookie_of(&server, "admin").await, cookie_of(&server, "user").await);
    let http = Browser::new(&server).http;
    let both = format!("{admin}; {user}");
    let page = Answer::to(http.get(format!("{}/logout", server.base)).header("cookie", &both)).await;
    assert!(page.body.contains("Sign out?") && page.body.contains("admin, user"), "{page:?}");
    let browser_cookie = page.header("set-cookie").split(';').next().unwrap();
    let form = [("request", page.form()), ("decision", "sign_out".to_owned())];
    let post = http.post(format!("{}/logout", server.base)).header("cookie", format!("{both}; {browser_cookie}"));
    let gone = Answer::to(post.form(&form)).await;
    assert!(gone.status == 200 && gone.body.contains("You are signed out"), "{gone:?}");
    for cookie in [&admin, &user] {
        let url = Browser::new(&server)
            .authorize_url(&[("client_id", Some("shop")), ("redirect_uri", Some("https://shop.example/cb"))]);
        assert_eq!(Answer::to(Browser::new(&server).http.get(url).header("cookie", cookie)).await.status, 200);
    }
}

#[tokio::test]
async fn c37_a_store_that_fails_signs_no_one_out_and_the_page_says_so() {
    let store = FaultyStore::new(MemoryStore::new());
    let server = start(|builder| clients(builder).store(store.clone()));
    let browser = Browser::new(&server);
    let shop = issued(&browser, "shop").await;
    let page = browser.call("/logout", None).await;
    for fails in [&[Verb::Read, Verb::Swap][..], &[Verb::Swap]] {
        store.fail(fails, Fault::Unavailable);
        for answer in [hinted(&browser, &shop).await, browser.sign_out(&page.form(), "sign_out").await] {
            assert!(answer.status == 503 && answer.is_page(), "{answer:?}");
            assert!(answer.body.contains("<h1>The sign-out did not work</h1>"), "{answer:?}");
            assert!(!answer.headers.contains_key("set-cookie"), "the cookie stays: {answer:?}");
        }
        store.repair();
        assert!(is_signed_in(&browser).await && stands(&browser, &shop).await);
    }
    let wrong = browser.call("/logout?client_id=nobody&post_logout_redirect_uri=https://x.example/", None).await;
    assert!(wrong.status == 400 && wrong.body.contains("<h1>The sign-out did not work</h1>"), "{wrong:?}");
}

#[tokio::test]
async fn c37_another_user_in_the_same_browser_ends_the_session_before() {
    let server = start(clients);
    let browser = Browser::new(&server);
    let shop = issued(&browser, "shop").await;
    let elsewhere = issued(&Browser::new(&server), "shop").await;
    // The same user again: the same session.
    browser.sign_in(&[], "admin", "admin123").await;
    assert!(stands(&browser, &shop).await);
    let user = browser.sign_in(&[], "user", "user123").await.redirect();
    assert!(user.contains_key("code"), "{user:?}");
    assert!(!stands(&browser, &shop).await, "what the session before gave has ended");
    let refresh = shop["refresh_token"].as_str().unwrap();
    assert_eq!(browser.refresh(refresh, &[("client_id", Some("shop"))]).await.json()["error"], "invalid_grant");
    assert!(stands(&browser, &elsewhere).await, "the user's other browsers stay");
    let token = browser.redeem(&user["code"], &[]).await.json();
    assert_eq!(browser.call("/me", token["access_token"].as_str()).await.status, 200);
}

/// The answer to the user before comes late: the browser has another user's session by then, and keeps it.
#[tokio::test]
async fn c37_c41_a_late_answer_to_the_user_before_does_not_take_the_session_of_the_next() {
    let (asked, go, waits) = (Arc::new(Notify::new()), Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
    let held = (Arc::clone(&asked), Arc::clone(&go), Arc::clone(&waits));
    let server = start(move |builder| {
        clients(builder).reload(async move |subject: &str| {
            let (asked, go, waits) = &held;
            if waits.swap(false, Ordering::SeqCst) {
                asked.notify_one();
                go.notified().await;
            }
            Some(json!({ "sub": subject, "role": "admin" }))
        })
    });
    let browser = Browser::new(&server);
    issued(&browser, "shop").await;
    waits.store(true, Ordering::SeqCst);
    let shop = [("client_id", Some("shop")), ("redirect_uri", Some("https://shop.example/cb"))];
    let late = browser.authorize(&shop);
    let next = async {
        asked.notified().await;
        browser.sign_in(&[], "user", "user123").await.redirect();
        go.notify_one();
    };
    let (late, ()) = tokio::join!(late, next);
    assert!(!late.headers.contains_key("set-cookie"), "{late:?}");
    let page = browser.call("/logout", None).await;
    assert!(page.body.contains("<bdi>user</bdi>") && !page.body.contains("admin"), "{page:?}");
}

/// The session is over for the pages, and what clients got by it is not.
#[tokio::test]
async fn c37_a_session_that_was_idle_too_long_can_be_signed_out_of() {
    let clock = Clock::by_hand();
    let server = start(|builder| clients(builder).clock(clock.clone()));
    let browser = Browser::new(&server);
    let shop = issued(&browser, "shop").await;
    clock.advance(Duration::from_secs(25 * 3600));
    assert!(!is_signed_in(&browser).await, "idle for a day");
    let page = browser.call("/logout", None).await;
    assert!(page.body.contains("Sign out?"), "{page:?}");
    assert!(browser.sign_out(&page.form(), "sign_out").await.body.contains("You are signed out"));
    let refresh = shop["refresh_token"].as_str().unwrap();
    assert_eq!(browser.refresh(refresh, &[("client_id", Some("shop"))]).await.json()["error"], "invalid_grant");
}

/// A user who comes back after days goes on in the same session: what it gave before ends with it as well.
#[tokio::test]
async fn c37_c42_a_sign_out_ends_what_was_given_before_the_session_was_idle_or_over() {
    for (days, again, hints) in [(2, true, false), (2, true, true), (15, true, false), (15, false, false)] {
        let clock = Clock::by_hand();
        let server = start(|builder| clients(builder).clock(clock.clone()));
        let browser = Browser::new(&server);
        let mut shop = issued(&browser, "shop").await;
        // It is used meanwhile, by the client alone.
        for _ in 0..days {
            clock.advance(Duration::from_secs(24 * 3600));
            let refresh = shop["refresh_token"].as_str().unwrap().to_owned();
            let next = browser.refresh(&refresh, &[("client_id", Some("shop"))]).await.json();
            shop["refresh_token"] = next["refresh_token"].clone();
            shop["access_token"] = next["access_token"].clone();
        }
        assert!(!is_signed_in(&browser).await && stands(&browser, &shop).await, "{days} days");
        if again {
            issued(&browser, "news").await;
        }
        if hints {
            assert!(hinted(&browser, &shop).await.body.contains("You are signed out"), "it is of this session");
        } else {
            let page = browser.call("/logout", None).await;
            assert!(page.body.contains("Sign out?"), "{days} days: {page:?}");
            browser.sign_out(&page.form(), "sign_out").await;
        }
        assert!(!stands(&browser, &shop).await, "{days} days, {again}, {hints}");
        let refresh = shop["refresh_token"].as_str().unwrap();
        let refused = browser.refresh(refresh, &[("client_id", Some("shop"))]).await.json();
        assert_eq!(refused["error"], "invalid_grant", "{days} days, {again}, {hints}");
    }
}

/// A cookie that did not come may be there, and its session lives.
#[tokio::test]
async fn c37_the_session_cookie_goes_only_where_it_came() {
    let server = start(clients);
    let browser = Browser::new(&server);
    let shop = issued(&browser, "shop").await;
    let hint = format!("/logout?id_token_hint={}", shop["id_token"].as_str().unwrap());
    for path in ["/logout", &hint] {
        let answer = Browser::new(&server).call(path, None).await;
        assert!(answer.body.contains("You are signed out"), "{answer:?}");
        assert!(!answer.headers.contains_key("set-cookie"), "{path}: {answer:?}");
    }
    let out = hinted(&browser, &issued(&browser, "shop").await).await;
    assert!(out.header("set-cookie").contains("Max-Age=0"), "{out:?}");
    // One that cannot be read goes as well.
    let broken = session_cookie(&out).replace('=', "=broken");
    let request = without_cookies().get(format!("{}/logout", server.base)).header("cookie", broken);
    let answer = Answer::to(request).await;
    assert!(answer.header("set-cookie").contains("Max-Age=0"), "{answer:?}");
}

/// Two tabs at the same moment: neither sign-in knows of the other. The browser is the user's whose cookie it keeps.
#[tokio::test]
async fn c37_c41_of_two_users_at_once_in_one_browser_one_has_it() {
    let server = start(|builder| clients(builder).account_page());
    let http = without_cookies();
    let guest = [("client_id", Some("guest")), ("redirect_uri", Some("https://guest.example/cb"))];
    let page = Answer::to(http.get(Browser::new(&server).authorize_url(&guest))).await;
    let cookie = page.header("set-cookie").split(';').next().unwrap().to_owned();
    let post = async |path: &str, cookies: &str, fields: &[(&str, &str)]| {
        Answer::to(http.post(format!("{}{path}", server.base)).header("cookie", cookies).form(fields)).await
    };
    let form = page.form();
    let login = async |user: &str| {
        let fields = [("request", form.as_str()), ("username", user), ("password", &format!("{user}123"))];
        let consent = post("/login", &cookie, &fields).await;
        (format!("{cookie}; {}", session_cookie(&consent)), consent.form())
    };
    let ((admin, of_admin), (user, of_user)) = tokio::join!(login("admin"), login("user"));
    let allow =
        async |cookies: &str, form: &str| post("/consent", cookies, &[("request", form), ("decision", "allow")]).await;
    let refused = allow(&user, &of_admin).await;
    assert!(refused.status == 400 && refused.is_page() && !refused.body.contains("code="), "{refused:?}");
    assert!(allow(&user, &of_user).await.redirect().contains_key("code"));
    // Who is asked whether to sign out is named, and no one else is named as signed out.
    let get = async |path: &str, cookies: &str| {
        Answer::to(http.get(format!("{}{path}", server.base)).header("cookie", cookies)).await
    };
    let asked = get("/logout", &user).await;
    assert!(asked.body.contains("<bdi>user</bdi>") && !asked.body.contains("admin"), "{asked:?}");
    post("/logout", &user, &[("request", &asked.form()), ("decision", "sign_out")]).await;
    // The other session is listed where its user can end it.
    let listed = get("/account", &admin).await;
    assert!(listed.status == 200 && listed.body.contains("This browser"), "{listed:?}");
}
