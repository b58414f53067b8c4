//! Forms that are sent twice, from two tabs, or out of a browser's history.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use oauth_runtime::states::WithReload;
use oauth_runtime::store::MemoryStore;
use oauth_runtime::testing::FaultyStore;
use oauth_runtime::{Builder, Client, Clock, Login, OAuthService, Question, SecondFactor, SignIn};
use oauth_tests::{Answer, Browser, Server, builder, free_port, serve_service, start, without_cookies};
use serde_json::{Value, json};

const GUEST: &[(&str, Option<&str>)] =
    &[("client_id", Some("guest")), ("redirect_uri", Some("https://guest.example/cb"))];

/// Users stay signed in, and a third party may call the API for them.
fn with_service(change: impl FnOnce(Builder<WithReload>) -> Builder<WithReload>) -> (Server, OAuthService) {
    let (listener, base) = free_port();
    let guest = Client::public("guest").redirect_uri("https://guest.example/cb").third_party();
    let staying = builder(&base)
        .reload(async |subject: &str| Some(json!({ "sub": subject, "role": "admin" })))
        .client(guest.allow_resources([&base]));
    let oauth = change(staying).build().unwrap();
    (serve_service(listener, &oauth), oauth)
}

fn staying(change: impl FnOnce(Builder<WithReload>) -> Builder<WithReload>) -> Server {
    with_service(change).0
}

/// The consent page of a third party, for the admin who just signed in.
async fn consent_page(browser: &Browser) -> Answer {
    browser.sign_in(GUEST, "admin", "admin123").await
}

async fn redeemed(browser: &Browser, answer: &Answer) -> Answer {
    browser.redeem(&answer.redirect()["code"], GUEST).await
}

/// A page that leads back to the application, and no code.
fn is_spent(answer: &Answer) -> bool {
    answer.status == 400
        && answer.is_page()
        && answer.body.contains("error=access_denied")
        && !answer.body.contains("code=")
}

#[tokio::test]
async fn c41_a_double_click_on_allow_gets_a_code_that_works() {
    let server = staying(|builder| builder);
    let browser = Browser::new(&server);
    let form = consent_page(&browser).await.form();
    let first = browser.consent(&form, "allow").await;
    let second = browser.consent(&form, "allow").await;
    let issued = redeemed(&browser, &second).await;
    assert_eq!(issued.status, 200, "what the browser shows is what works: {issued:?}");
    assert_eq!(browser.call("/me", issued.json()["access_token"].as_str()).await.status, 200);
    // Both are of one grant: the first is a replay now, and takes it back.
    assert_eq!(redeemed(&browser, &first).await.json()["error"], "invalid_grant");
    assert_eq!(browser.call("/me", issued.json()["access_token"].as_str()).await.status, 401);
    assert!(is_spent(&browser.consent(&form, "allow").await), "once it is redeemed, nothing is given again");
}

#[tokio::test]
async fn c41_a_repeat_is_answered_for_as_long_as_the_first_code_would_be_valid() {
    let clock = Clock::by_hand();
    let server = staying(|builder| builder.clock(clock.clone()).code_lifetime(Duration::from_secs(30)));
    let browser = Browser::new(&server);
    let form = consent_page(&browser).await.form();
    browser.consent(&form, "allow").await.redirect();
    clock.advance(Duration::from_secs(29));
    let again = browser.consent(&form, "allow").await;
    assert!(again.redirect().contains_key("code"));
    clock.advance(Duration::from_secs(1));
    assert_eq!(redeemed(&browser, &again).await.json()["error"], "invalid_grant", "a repeat prolongs nothing");
    assert!(is_spent(&browser.consent(&form, "allow").await));
}

#[tokio::test]
async fn c41_another_answer_is_no_repeat() {
    let server = staying(|builder| builder);
    let browser = Browser::new(&server);
    let form = consent_page(&browser).await.form();
    assert_eq!(browser.consent(&form, "deny").await.redirect()["error"], "access_denied");
    assert_eq!(browser.consent(&form, "deny").await.redirect()["error"], "access_denied");
    assert!(is_spent(&browser.consent(&form, "allow").await), "what was denied is asked for again");

    let form = consent_page(&browser).await.form();
    let allowed = browser.consent(&form, "allow").await;
    let issued = redeemed(&browser, &allowed).await.json();
    assert_eq!(browser.call("/me", issued["access_token"].as_str()).await.status, 200);
    assert_eq!(browser.consent(&form, "deny").await.redirect()["error"], "access_denied");
    assert_eq!(
        browser.call("/me", issued["access_token"].as_str()).await.status,
        401,
        "Deny after Allow takes it back"
    );
    assert!(is_spent(&browser.consent(&form, "allow").await));
    let form = consent_page(&browser).await;
    assert!(form.body.contains("value=\"allow\""), "and the consent with it");
    let allowed = browser.consent(&form.form(), "allow").await;
    browser.consent(&form.form(), "deny").await;
    assert_eq!(redeemed(&browser, &allowed).await.json()["error"], "invalid_grant", "a code that was on its way");
}

/// A sign-in form that is sent twice brings two pages, which ask about the same grant.
#[tokio::test]
async fn c41_two_consent_pages_of_one_sign_in_do_not_contradict_each_other() {
    let server = staying(|builder| builder);
    for (first, second) in [("deny", "allow"), ("allow", "deny"), ("allow", "allow")] {
        let browser = Browser::new(&server);
        let form = browser.authorize(&[GUEST, &[("prompt", Some("consent"))]].concat()).await.form();
        let one = browser.login(&form, "admin", "admin123").await.form();
        let other = browser.login(&form, "admin", "admin123").await.form();
        let answer = browser.consent(&one, first).await;
        let issued = match first {
            "allow" => Some(redeemed(&browser, &answer).await.json()),
            _ => None,
        };
        let answer = browser.consent(&other, second).await;
        match second {
            "allow" => assert!(is_spent(&answer), "{first} {second}: {answer:?}"),
            _ => assert_eq!(answer.redirect()["error"], "access_denied"),
        }
        if let Some(issued) = issued {
            let status = browser.call("/me", issued["access_token"].as_str()).await.status;
            assert_eq!(status, if second == "deny" { 401 } else { 200 }, "{first} {second}");
        }
        let told = browser.authorize(GUEST).await;
        assert_eq!(told.status == 200, second == "deny" || first == "deny", "asked again after a denial: {told:?}");
    }
}

/// The page is shown again after a mistake; what was typed into it before is in the history as well.
#[tokio::test]
async fn c41_what_was_held_up_signs_no_one_in_later() {
    let fails = Arc::new(AtomicUsize::new(1));
    let failing = Arc::clone(&fails);
    let server = staying(move |builder| {
        builder.authenticate(async move |login: Login| match failing.fetch_sub(1, Ordering::SeqCst) {
            1 => Err("the database is away"),
            _ => Ok(oauth_tests::users(&login)),
        })
    });
    let browser = Browser::new(&server);
    let form = browser.authorize(&[]).await.form();
    let held_up = browser.login(&form, "admin", "admin123").await;
    assert_eq!(held_up.status, 503);
    browser.login(&held_up.form(), "admin", "admin123").await.redirect();
    browser.sign_out(&browser.call("/logout", None).await.form(), "sign_out").await;
    let resent = browser.login(&form, "admin", "admin123").await;
    assert!(is_spent(&resent), "{resent:?}");
}

#[tokio::test]
async fn c41_only_the_same_browser_gets_the_same_answer() {
    let server = staying(|builder| builder);
    let browser = Browser::new(&server);
    let page = consent_page(&browser).await;
    browser.consent(&page.form(), "allow").await.redirect();
    let other = Browser::new(&server);
    consent_page(&other).await;
    assert_eq!(other.consent(&page.form(), "allow").await.status, 403);
}

/// A shared machine: the page that followed the password is in the browser's history, with the password.
#[tokio::test]
async fn c41_after_a_sign_out_nothing_of_the_history_answers() {
    for everywhere in [false, true] {
        let clock = Clock::by_hand();
        let (server, oauth) = with_service(|builder| builder.clock(clock.clone()));
        let browser = Browser::new(&server);
        let form = browser.authorize(GUEST).await.form();
        let consent = browser.login(&form, "admin", "admin123").await.form();
        browser.consent(&consent, "allow").await.redirect();
        if everywhere {
            oauth.sign_out("admin").await.unwrap();
            clock.advance(Duration::from_secs(2));
        } else {
            let page = browser.call("/logout", None).await.form();
            assert_eq!(browser.sign_out(&page, "sign_out").await.status, 200);
        }
        let resent = browser.login(&form, "admin", "admin123").await;
        assert!(is_spent(&resent) && !resent.headers.contains_key("set-cookie"), "{resent:?}");
        let resent = browser.consent(&consent, "allow").await;
        assert!(resent.status == 400 && resent.is_page(), "{resent:?}");
        assert_eq!(browser.authorize(&[("prompt", Some("none"))]).await.redirect()["error"], "login_required");
    }
}

/// It may have been sent before the memory was lost, and its user have been signed out since: no one knows any more.
#[tokio::test]
async fn c41_c42_after_a_loss_of_memory_no_sign_in_of_the_history_answers() {
    let clock = Clock::by_hand();
    let (server, oauth) = with_service(|builder| builder.clock(clock.clone()));
    let browser = Browser::new(&server);
    let form = browser.authorize(&[("state", Some("s"))]).await.form();
    browser.login(&form, "admin", "admin123").await.redirect();
    let page = browser.call("/logout", None).await.form();
    assert_eq!(browser.sign_out(&page, "sign_out").await.status, 200);
    clock.advance(Duration::from_secs(1));
    oauth.renew().await.unwrap();
    let resent = browser.login(&form, "admin", "admin123").await;
    assert!(is_spent(&resent) && resent.body.contains("too old"), "{resent:?}");
    assert!(resent.body.contains("state=s") && !resent.headers.contains_key("set-cookie"), "{resent:?}");
    assert_eq!(browser.authorize(&[("prompt", Some("none"))]).await.redirect()["error"], "login_required");
    assert!(oauth.grants("admin").await.unwrap().is_empty(), "no session began");
    // A page of the same second is as new as the memory.
    let form = browser.authorize(&[]).await.form();
    assert!(browser.login(&form, "admin", "admin123").await.redirect().contains_key("code"));
}

/// Without sessions there is no sign-out, and the history is the same.
#[tokio::test]
async fn c41_without_sessions_a_sign_in_form_is_good_once_as_well() {
    let server = start(|builder| builder);
    let browser = Browser::new(&server);
    let form = browser.authorize(&[]).await.form();
    let code = browser.login(&form, "admin", "admin123").await.redirect()["code"].clone();
    assert_eq!(browser.redeem(&code, &[]).await.status, 200);
    assert!(is_spent(&browser.login(&form, "admin", "admin123").await));
    assert_eq!(browser.login(&form, "admin", "wrong").await.status, 401, "its user alone learns that it was sent");
    assert!(browser.login(&form, "user", "user123").await.redirect().contains_key("code"), "another user's first");
}

#[tokio::test]
async fn c41_a_double_click_on_sign_in_is_one_sign_in() {
    let (server, oauth) = with_service(|builder| builder);
    let browser = Browser::new(&server);
    let form = browser.authorize(&[]).await.form();
    let both = tokio::join!(browser.login(&form, "admin", "admin123"), browser.login(&form, "admin", "admin123"));
    let codes = [&both.0, &both.1].map(|answer| answer.redirect()["code"].clone());
    let issued = browser.redeem(&codes[1], &[]).await;
    assert_eq!(issued.status, 200, "{issued:?}");
    let sessions = oauth.grants("admin").await.unwrap().into_iter();
    assert_eq!(sessions.filter(|grant| grant.holder == oauth_runtime::Holder::Session).count(), 1);
    assert_eq!(browser.redeem(&codes[0], &[]).await.json()["error"], "invalid_grant", "they are of one grant");
}

/// A code of an app is right once; a double click sends it twice.
#[tokio::test]
async fn c41_a_double_click_at_the_second_factor_is_one_answer() {
    let asked = Arc::new(AtomicUsize::new(0));
    let used = Arc::clone(&asked);
    let server = staying(move |builder| {
        builder
            .authenticate(async |_: Login| -> SignIn<Value> { SignIn::ask(Question::code("Enter the code")) })
            .second_factor(async move |factor: SecondFactor| {
                // Both come while it is asked.
                tokio::time::sleep(Duration::from_millis(50)).await;
                match &*factor.answer {
                    "314159" if used.fetch_add(1, Ordering::SeqCst) == 0 => {
                        SignIn::done(json!({ "sub": factor.username }))
                    }
                    _ => SignIn::refused(),
                }
            })
    });
    let browser = Browser::new(&server);
    let page = browser.sign_in(&[], "admin", "x").await;
    let verify = async |answer: &str| {
        let fields = [("request", page.form()), ("answer", answer.to_owned())];
        Answer::to(browser.http.post(format!("{}/verify", server.base)).form(&fields)).await
    };
    assert_eq!(verify("000000").await.status, 401);
    let both = tokio::join!(verify("314159"), verify("314159"));
    for answer in [&both.0, &both.1] {
        assert!(answer.redirect().contains_key("code"), "{answer:?}");
    }
    let again = verify("314159").await;
    let code = again.redirect()["code"].clone();
    assert_eq!(browser.redeem(&code, &[]).await.status, 200);
    assert_eq!(asked.load(Ordering::SeqCst), 1, "the author's function was asked once");
    assert!(is_spent(&verify("314159").await), "it is redeemed by now");
    assert_eq!(verify("000000").await.status, 401);
}

/// The code is right once, and the other process does not know the answer to the first click.
#[tokio::test]
async fn c41_a_double_click_at_the_second_factor_finds_its_form_sent_in_another_process() {
    let (listener, base) = free_port();
    let (second, _) = free_port();
    let (store, asked) = (FaultyStore::new(MemoryStore::new()), Arc::new(AtomicUsize::new(0)));
    let both = [(), ()].map(|()| {
        let asked = Arc::clone(&asked);
        let users = builder(&base).reload(async |_: &str| Some(json!({ "role": "admin" }))).store(store.clone());
        let asks = async |_: Login| -> SignIn<Value> { SignIn::ask(Question::code("Enter the code").of("admin")) };
        let factor = async move |factor: SecondFactor| match asked.fetch_add(1, Ordering::SeqCst) {
            0 => SignIn::done(json!({ "sub": factor.username })),
            _ => SignIn::refused(),
        };
        users.authenticate(asks).second_factor(factor).build().unwrap()
    });
    let (server, other) = (serve_service(listener, &both[0]), serve_service(second, &both[1]));
    let browser = Browser::new(&server);
    let page = browser.sign_in(&[], "admin", "x").await;
    let verify = async |server: &Server| {
        let fields = [("request", page.form()), ("answer", "314159".to_owned())];
        Answer::to(browser.http.post(format!("{}/verify", server.base)).form(&fields)).await
    };
    let code = verify(&server).await.redirect()["code"].clone();
    assert!(is_spent(&verify(&other).await), "it was right, and does not say that it was wrong");
    assert_eq!(browser.redeem(&code, &[]).await.status, 200);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn c41_two_tabs_do_not_disturb_each_other() {
    let server = staying(|builder| builder);
    // Two first visits at once: neither knows of the other's cookie.
    let http = without_cookies();
    let url = Browser::new(&server).authorize_url(&[]);
    let (first, second) = (Answer::to(http.get(&url)).await, Answer::to(http.get(&url)).await);
    let cookies = [&first, &second].map(|page| page.header("set-cookie").split(';').next().unwrap().to_owned());
    let name = |cookie: &str| cookie.split('=').next().unwrap().to_owned();
    assert_ne!(name(&cookies[0]), name(&cookies[1]), "each has a name of its own");
    for page in [&first, &second] {
        let fields = [("request", page.form()), ("username", "admin".into()), ("password", "admin123".into())];
        let post = http.post(format!("{}/login", server.base)).header("cookie", cookies.join("; "));
        assert!(Answer::to(post.form(&fields)).await.redirect().contains_key("code"));
    }
    // A sign-in in one of two tabs leaves the other's form as good as it was.
    let browser = Browser::new(&server);
    let (one, other) = (browser.authorize(&[]).await.form(), browser.authorize(GUEST).await.form());
    assert!(browser.login(&one, "admin", "admin123").await.redirect().contains_key("code"));
    let consent = browser.login(&other, "admin", "admin123").await.form();
    assert!(browser.consent(&consent, "allow").await.redirect().contains_key("code"));
    // A consent page is its user's: in the meantime another one signed in.
    let consent = browser.authorize(&[GUEST, &[("prompt", Some("consent"))]].concat()).await.form();
    browser.sign_in(&[], "user", "user123").await.redirect();
    let refused = browser.consent(&consent, "allow").await;
    assert!(refused.status == 400 && refused.is_page() && !refused.body.contains("code="), "{refused:?}");
}

#[tokio::test]
async fn c41_a_browser_keeps_eight_cookies_of_ours_at_most() {
    let clock = Clock::by_hand();
    let server = start(|builder| builder.clock(clock.clone()));
    let http = without_cookies();
    let url = Browser::new(&server).authorize_url(&[]);
    let mut cookies = Vec::new();
    for _ in 0..10 {
        cookies.push(Answer::to(http.get(&url)).await.header("set-cookie").split(';').next().unwrap().to_owned());
        clock.advance(Duration::from_secs(1));
    }
    let page = Answer::to(http.get(&url).header("cookie", cookies.join("; "))).await;
    let set: Vec<&str> = page.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
    let cleared = set.iter().filter(|set| set.contains("Max-Age=0"));
    let cleared: Vec<&str> = cleared.map(|set| set.split('=').next().unwrap()).collect();
    let oldest = [&cookies[1], &cookies[0]].map(|cookie| cookie.split('=').next().unwrap());
    assert_eq!(cleared, oldest, "the oldest go, and there is no new one");
    assert_eq!(set.len(), 3, "{set:?}");
    let fields = [("request", page.form()), ("username", "admin".into()), ("password", "admin123".into())];
    let post = http.post(format!("{}/login", server.base)).header("cookie", cookies[9].clone());
    assert_eq!(Answer::to(post.form(&fields)).await.status, 303, "the page is the latest one's");
}

#[tokio::test]
async fn c41_a_sign_out_page_signs_out_no_one_who_came_since() {
    let server = staying(|builder| builder);
    let browser = Browser::new(&server);
    browser.sign_in(&[], "admin", "admin123").await.redirect();
    let page = browser.call("/logout", None).await.form();
    browser.sign_in(&[], "user", "user123").await.redirect();
    let asked = browser.sign_out(&page, "sign_out").await;
    assert!(asked.body.contains("Sign out?") && asked.body.contains("user"), "{asked:?}");
    let consent = browser.authorize(&[GUEST, &[("prompt", Some("consent"))]].concat()).await;
    assert!(consent.body.contains("value=\"allow\""), "still signed in: {consent:?}");
    // A double click is no trouble here.
    for _ in 0..2 {
        assert!(browser.sign_out(&asked.form(), "sign_out").await.body.contains("You are signed out"));
    }
}

/// A repeat is all that the browser may have got: a double click, a connection that broke.
#[tokio::test]
async fn c41_c46_a_repeat_gives_the_browser_the_cookies_of_the_first() {
    let clock = Clock::by_hand();
    let (server, oauth) = with_service(|builder| builder.clock(clock.clone()));
    let http = without_cookies();
    let page = Answer::to(http.get(Browser::new(&server).authorize_url(&[]))).await;
    let browser = page.header("set-cookie").split(';').next().unwrap().to_owned();
    let send = async |cookies: &str, password: &str| {
        let fields = [("request", page.form()), ("username", "admin".into()), ("password", password.to_owned())];
        Answer::to(http.post(format!("{}/login", server.base)).header("cookie", cookies).form(&fields)).await
    };
    let names = |answer: &Answer| -> Vec<String> {
        let set = answer.headers.get_all("set-cookie").iter().map(|set| set.to_str().unwrap());
        set.map(|set| set.split('=').next().unwrap().to_owned()).collect()
    };
    let first = send(&browser, "admin123").await;
    clock.advance(Duration::from_secs(1));
    let again = send(&browser, "admin123").await;
    assert!(first.redirect().contains_key("code") && again.redirect().contains_key("code"));
    assert_eq!((names(&first).len(), names(&again)), (2, names(&first)), "session and device: {again:?}");
    // The device is one that counts on its own: the browser that has it gets in while others guess.
    let cookies: Vec<&str> = again.headers.get_all("set-cookie").iter().map(|set| set.to_str().unwrap()).collect();
    let cookies: Vec<&str> = cookies.into_iter().map(|set| set.split(';').next().unwrap()).collect();
    let (known, unknown) = (format!("{browser}; {}", cookies.join("; ")), browser.clone());
    for guess in 0..13 {
        send(&unknown, &format!("wrong {guess}")).await;
    }
    assert_eq!(send(&unknown, "admin123").await.status, 429);
    assert_eq!(send(&known, "wrong").await.status, 401, "its own count");
    // After a sign-out a repeat gives nothing.
    oauth.sign_out("admin").await.unwrap();
    clock.advance(Duration::from_secs(3600));
    let spent = send(&browser, "admin123").await;
    assert!(spent.status == 400 && !spent.headers.contains_key("set-cookie"), "{spent:?}");
}

#[tokio::test]
async fn c41_c47_a_form_stays_spent_however_many_follow_it() {
    let clock = Clock::by_hand();
    let server = start(|builder| builder.clock(clock.clone()));
    let browser = Browser::new(&server);
    let form = browser.authorize(&[]).await.form();
    let open = browser.authorize(&[]).await.form();
    browser.login(&form, "admin", "admin123").await.redirect();
    for _ in 0..3 {
        clock.advance(Duration::from_secs(60));
        for _ in 0..50 {
            browser.sign_in(&[], "admin", "admin123").await.redirect();
        }
    }
    assert!(is_spent(&browser.login(&form, "admin", "admin123").await));
    let shown = browser.login(&form, "admin", "wrong").await;
    assert!(
        shown.status == 401 && is_spent(&browser.login(&shown.form(), "admin", "admin123").await),
        "nor by its page"
    );
    assert!(is_spent(&browser.login(&open, "admin", "admin123").await), "which of them was sent is forgotten");
    assert!(browser.login(&open, "user", "user123").await.redirect().contains_key("code"), "another user's");
    assert!(browser.sign_in(&[], "admin", "admin123").await.redirect().contains_key("code"), "a new one");
}

/// What its page came to is remembered for as long as any page of it is good, however often it is shown again.
#[tokio::test]
async fn c41_a_page_that_is_shown_again_and_again_signs_in_once_and_for_two_hours_at_most() {
    const FIFTY_MINUTES: Duration = Duration::from_secs(50 * 60);
    for spent in [true, false] {
        let clock = Clock::by_hand();
        let server = start(|builder| builder.clock(clock.clone()));
        let browser = Browser::new(&server);
        let mut form = browser.authorize(&[]).await.form();
        if spent {
            browser.login(&form, "admin", "admin123").await.redirect();
        }
        for _ in 0..2 {
            clock.advance(FIFTY_MINUTES);
            form = browser.login(&form, "admin", "wrong").await.form();
        }
        clock.advance(Duration::from_secs(19 * 60));
        let answer = browser.login(&form, "admin", "admin123").await;
        assert_eq!(is_spent(&answer), spent, "after 1:59: {answer:?}");
        clock.advance(Duration::from_secs(60));
        let late = browser.login(&form, "user", "user123").await;
        assert!(late.status == 400 && late.body.contains("too old"), "after two hours: {late:?}");
    }
}

/// On one page they sign in and allow: who comes back to it and leaves takes that back.
#[tokio::test]
async fn c41_cancel_after_a_sign_in_takes_back_what_it_gave() {
    let server = staying(|builder| builder);
    for is_redeemed in [true, false] {
        let browser = Browser::new(&server);
        let earlier = browser.issued(&[]).await;
        let form = browser.authorize(&[("prompt", Some("login"))]).await.form();
        let code = browser.login(&form, "admin", "admin123").await.redirect()["code"].clone();
        let token = match is_redeemed {
            true => browser.redeem(&code, &[]).await.json()["access_token"].as_str().unwrap().to_owned(),
            false => String::new(),
        };
        let cancel = async |browser: &Browser| {
            let fields = [("request", form.as_str()), ("cancel", "yes")];
            Answer::to(browser.http.post(format!("{}/login", server.base)).form(&fields)).await
        };
        assert_eq!(cancel(&Browser::new(&server)).await.status, 403, "another browser");
        assert_eq!(cancel(&browser).await.redirect()["error"], "access_denied");
        if is_redeemed {
            assert_eq!(browser.call("/me", Some(&token)).await.status, 401);
        } else {
            assert_eq!(browser.redeem(&code, &[]).await.json()["error"], "invalid_grant");
        }
        assert_eq!(browser.call("/me", earlier["access_token"].as_str()).await.status, 200, "and nothing else");
        assert!(is_spent(&browser.login(&form, "admin", "admin123").await));
    }
    // The session may be idle by then.
    let clock = Clock::by_hand();
    let server = staying(|builder| builder.clock(clock.clone()).session_idle(Duration::from_secs(300)));
    let browser = Browser::new(&server);
    let form = browser.authorize(&[]).await.form();
    let code = browser.login(&form, "admin", "admin123").await.redirect()["code"].clone();
    let issued = browser.redeem(&code, &[]).await.json();
    clock.advance(Duration::from_secs(300));
    let fields = [("request", form.as_str()), ("cancel", "yes")];
    Answer::to(browser.http.post(format!("{}/login", server.base)).form(&fields)).await.redirect();
    assert_eq!(browser.call("/me", issued["access_token"].as_str()).await.status, 401);
    let refresh = issued["refresh_token"].as_str().unwrap();
    assert_eq!(browser.refresh(refresh, &[]).await.json()["error"], "invalid_grant");
    // Before a sign-in it takes back nothing, and the page is as good as it was.
    let browser = Browser::new(&server);
    let form = browser.authorize(&[]).await.form();
    let fields = [("request", form.as_str()), ("cancel", "yes")];
    Answer::to(browser.http.post(format!("{}/login", server.base)).form(&fields)).await.redirect();
    assert!(browser.login(&form, "admin", "admin123").await.redirect().contains_key("code"));
}

#[tokio::test]
async fn c41_a_session_that_is_idle_too_long_allows_nothing_and_denies() {
    let clock = Clock::by_hand();
    let server = staying(|builder| builder.clock(clock.clone()).session_idle(Duration::from_secs(300)));
    // In this order: the other one is remembered.
    for (waits, is_idle) in [(300, true), (299, false)] {
        let browser = Browser::new(&server);
        let form = consent_page(&browser).await.form();
        clock.advance(Duration::from_secs(waits));
        let answer = browser.consent(&form, "allow").await;
        match is_idle {
            true => assert!(answer.status == 400 && answer.is_page() && !answer.body.contains("code="), "{answer:?}"),
            false => assert!(answer.redirect().contains_key("code")),
        }
    }
    // It still takes back what was allowed: of another user, who has allowed nothing before.
    let browser = Browser::new(&server);
    let asked = async || browser.sign_in(GUEST, "user", "user123").await;
    let form = asked().await.form();
    let issued = redeemed(&browser, &browser.consent(&form, "allow").await).await.json();
    let bearer = issued["access_token"].as_str();
    assert_eq!(browser.call("/me", bearer).await.status, 200);
    clock.advance(Duration::from_secs(300));
    assert_eq!(browser.consent(&form, "deny").await.redirect()["error"], "access_denied");
    assert_eq!(browser.call("/me", bearer).await.status, 401);
    assert!(asked().await.body.contains("value=\"allow\""), "it is asked for again");
}

#[tokio::test]
async fn what_has_no_room_in_a_code_is_refused_before_a_password_is_typed() {
    let server = staying(|builder| builder);
    let browser = Browser::new(&server);
    let control = "\u{1}".repeat(512);
    for (nonce, why) in [(control.as_str(), "nonce"), ("a\nb", "nonce"), (&"\"".repeat(512), "too long for an answer")]
    {
        let refused = browser.authorize(&[("nonce", Some(nonce)), ("state", Some("s"))]).await.redirect();
        assert_eq!((refused["error"].as_str(), refused["state"].as_str()), ("invalid_request", "s"));
        assert!(refused["error_description"].contains(why), "{refused:?}");
    }
    let longest = browser.sign_in(&[("nonce", Some(&"n".repeat(512)))], "admin", "admin123").await;
    assert!(longest.redirect().contains_key("code"));
}

/// One limit for a name: of 256 bytes, some six times as long once they are written as JSON.
#[tokio::test]
async fn the_longest_name_signs_in_and_stays_signed_in() {
    let server = staying(|builder| {
        builder.authenticate(async |_: Login| {
            SignIn::done(json!({ "sub": "\"".repeat(255) })).amr("\"".repeat(100)).acr("\"".repeat(100))
        })
    });
    let browser = Browser::new(&server);
    let name = "\"".repeat(256);
    assert!(browser.sign_in(GUEST, &name, "x").await.body.contains("value=\"allow\""));
    let again = browser.authorize(GUEST).await;
    assert!(again.body.contains("value=\"allow\""), "signed in: {again:?}");
    assert!(browser.consent(&again.form(), "allow").await.redirect().contains_key("code"));
    let form = browser.authorize(&[("prompt", Some("login"))]).await.form();
    assert_eq!(browser.login(&form, &"x".repeat(257), "x").await.status, 400);
    assert_eq!(browser.login(&form, "a\u{1}b", "x").await.status, 400, "no field of a page sends that");
}

/// As with claims that no token can carry, it is the server that fails, and not the user.
#[tokio::test]
async fn methods_and_strength_of_a_sign_in_that_are_too_long_are_refused() {
    // What `[["amr"],"acr"]` has besides the two words.
    let most = 512 - r#"[[""],""]"#.len();
    for (acr, is_refused) in [(most - 3, false), (most - 2, true)] {
        let server = start(|builder| {
            builder.authenticate(async move |_: Login| {
                SignIn::done(json!({ "sub": "admin", "role": "admin" })).amr("pwd").acr("s".repeat(acr))
            })
        });
        let answer = Browser::new(&server).sign_in(&[], "admin", "admin123").await;
        if is_refused {
            assert!(answer.status == 500 && answer.is_page(), "{answer:?}");
        } else {
            assert!(answer.redirect().contains_key("code"), "{answer:?}");
        }
    }
}
