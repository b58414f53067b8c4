//! Browsers that a user signed in with before: others who guess do not hold them up.

use std::sync::Arc;
use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, get, web};
use oauth_runtime::states::WithReload;
use oauth_runtime::store::MemoryStore;
use oauth_runtime::{Builder, Clock, Login, OAuthService, OneTimeError, Question, SignIn};
use oauth_tests::{Answer, Browser, Server, builder, free_port, serve};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::guessing::{address, post, sign_in};

fn started(change: impl FnOnce(Builder<WithReload>) -> Builder<WithReload>) -> (Server, OAuthService) {
    let (listener, base) = free_port();
    let oauth = change(
        builder(&base)
            .clock(Clock::by_hand())
            .client_address(address)
            .reload(async |_: &str| Some(json!({ "role": "admin" }))),
    )
    .build()
    .unwrap();
    let routes = oauth.clone();
    let server = serve(listener, move |app| {
        app.configure(routes.routes());
    });
    (server, oauth)
}

/// Guesses at a name until nothing is free, from where its owner is and from elsewhere.
async fn attack(server: &Server, name: &str) {
    for guess in 0..13 {
        sign_in(&Browser::new(server), "192.0.2.1", name, &format!("wrong {guess}")).await;
    }
    assert_eq!(sign_in(&Browser::new(server), "192.0.2.1", name, &format!("{name}123")).await.status, 429);
}

/// How the owner fares, who knows the password.
async fn owner(browser: &Browser, name: &str) -> u16 {
    sign_in(browser, "192.0.2.1", name, &format!("{name}123")).await.status
}

#[tokio::test]
async fn c46_the_owner_s_known_browser_gets_in_while_others_guess() {
    let (server, _oauth) = started(|builder| builder);
    let known = Browser::new(&server);
    assert_eq!(owner(&known, "admin").await, 303);
    attack(&server, "admin").await;
    assert_eq!(owner(&known, "admin").await, 303);
    assert_eq!(owner(&Browser::new(&server), "admin").await, 429, "a browser that is not known");
    for like_it in ["Admin", " admin", "ＡＤＭＩＮ", "ádmin"] {
        assert_eq!(owner(&known, like_it).await, 429, "known for one name, and not for {like_it:?}");
    }
    assert_eq!(owner(&known, "admin").await, 303);
    // The browser has a count of its own.
    let (server, _oauth) = started(|builder| builder);
    let known = Browser::new(&server);
    owner(&known, "admin").await;
    let mut statuses = Vec::new();
    for _ in 0..13 {
        statuses.push(sign_in(&known, "192.0.2.1", "admin", "wrong").await.status);
    }
    assert_eq!(statuses, [[401; 11].as_slice(), &[429; 2]].concat());
    assert_eq!(owner(&known, "admin").await, 429);
    assert_eq!(owner(&Browser::new(&server), "admin").await, 303, "others are counted apart");
}

/// To this author two names that differ in their case are two users.
#[tokio::test]
async fn c46_what_a_browser_is_known_for_does_not_help_to_guess_at_a_name_like_it() {
    let (server, _oauth) = started(|builder| {
        builder.authenticate(async |login: Login| {
            let is_right = [("Eve", "hers"), ("eve", "another's")].contains(&(&*login.username, &*login.password));
            is_right.then(|| json!({ "sub": login.username }))
        })
    });
    let known = Browser::new(&server);
    assert_eq!(sign_in(&known, "192.0.2.1", "Eve", "hers").await.status, 303);
    for guess in 0..13 {
        sign_in(&known, "192.0.2.1", "eve", &format!("wrong {guess}")).await;
    }
    assert_eq!(sign_in(&known, "192.0.2.1", "eve", "another's").await.status, 429);
    let elsewhere = Browser::new(&server);
    assert_eq!(sign_in(&elsewhere, "192.0.2.1", "eve", "another's").await.status, 429, "it counts for the name");
    assert_eq!(sign_in(&known, "192.0.2.1", "Eve", "hers").await.status, 303, "their own they may");
}

#[tokio::test]
async fn c46_a_whole_address_that_is_held_up_does_not_hold_up_a_known_browser() {
    let (server, _oauth) = started(|builder| builder);
    let known = Browser::new(&server);
    owner(&known, "admin").await;
    for number in 0..102 {
        sign_in(&Browser::new(&server), "192.0.2.1", &format!("name {number}"), "wrong").await;
    }
    assert_eq!(owner(&Browser::new(&server), "admin").await, 429);
    assert_eq!(owner(&known, "admin").await, 303);
}

#[tokio::test]
async fn c42_c46_what_a_browser_is_known_for_is_void_after_a_sign_out_of_its_user() {
    for forgets in [false, true] {
        let (server, oauth) = started(|builder| builder);
        let known = Browser::new(&server);
        owner(&known, "admin").await;
        attack(&server, "admin").await;
        // An ordinary sign-out leaves it.
        let page = Answer::to(known.http.get(format!("{}/logout", known.base))).await;
        assert_eq!(known.post("/logout", format!("request={}&decision=sign_out", page.form())).await.status, 200);
        assert_eq!(owner(&known, "admin").await, 303, "the browser is the user's still");
        if forgets {
            oauth.forget("admin").await.unwrap();
        } else {
            oauth.sign_out("admin").await.unwrap();
        }
        assert_eq!(owner(&known, "admin").await, 429, "{forgets}");
    }
}

#[tokio::test]
async fn c42_c46_after_a_loss_of_the_store_no_browser_is_known() {
    const NAME: &str = "http://127.0.0.1:9";
    let node = || {
        let (listener, _) = free_port();
        let oauth = builder(NAME)
            .clock(Clock::by_hand())
            .client_address(address)
            .reload(async |_: &str| Some(json!({ "role": "admin" })))
            .store(MemoryStore::new())
            .build()
            .unwrap();
        serve(listener, move |app| {
            app.configure(oauth.routes());
        })
    };
    let (one, other) = (node(), node());
    let known = Browser::new(&one);
    assert_eq!(owner(&known, "admin").await, 303);
    attack(&one, "admin").await;
    attack(&other, "admin").await;
    assert_eq!(owner(&known, "admin").await, 303);
    let known = Browser { base: other.base.clone(), ..known };
    assert_eq!(owner(&known, "admin").await, 429, "cookies ignore ports: it shows the other memory's cookie");
}

#[tokio::test]
async fn c47_eight_browsers_of_a_user_are_known_and_the_least_recently_used_makes_place() {
    let (server, _oauth) = started(|builder| builder);
    let browsers: Vec<Browser> = (0..9).map(|_| Browser::new(&server)).collect();
    for browser in &browsers[..8] {
        assert_eq!(owner(browser, "admin").await, 303);
    }
    // The first is used again, and the second is the one that goes.
    owner(&browsers[0], "admin").await;
    owner(&browsers[8], "admin").await;
    attack(&server, "admin").await;
    for (number, browser) in browsers.iter().enumerate() {
        assert_eq!(owner(browser, "admin").await, if number == 1 { 429 } else { 303 }, "{number}");
    }
}

#[tokio::test]
async fn c46_two_users_of_one_browser_are_both_known() {
    let (server, _oauth) = started(|builder| builder);
    let shared = Browser::new(&server);
    for name in ["admin", "user"] {
        assert_eq!(owner(&shared, name).await, 303);
    }
    for name in ["admin", "user"] {
        attack(&server, name).await;
        assert_eq!(owner(&shared, name).await, 303, "{name}");
    }
}

#[tokio::test]
async fn c46_codes_that_others_guess_do_not_hold_up_a_known_browser() {
    let asks = async |login: Login| -> SignIn<Value> {
        if &*login.password == "right" {
            SignIn::ask(Question::code("Enter the code").of("ada"))
        } else {
            SignIn::refused()
        }
    };
    let (server, _oauth) = started(|builder| {
        builder.authenticate(asks).second_factor(async |factor: oauth_runtime::SecondFactor| match &*factor.answer {
            "314159" => SignIn::done(json!({ "sub": "ada", "role": "admin" })),
            _ => SignIn::refused(),
        })
    });
    let answers = async |browser: &Browser, answer: &str| {
        let form = sign_in(browser, "192.0.2.1", "ada", "right").await.form();
        post(browser, "/verify", "192.0.2.1", &[("request", &form), ("answer", answer)]).await.status
    };
    let known = Browser::new(&server);
    assert_eq!(answers(&known, "314159").await, 303);
    // Someone else knows the password.
    for _ in 0..8 {
        answers(&Browser::new(&server), "000000").await;
    }
    assert_eq!(answers(&Browser::new(&server), "314159").await, 429);
    assert_eq!(answers(&known, "314159").await, 303);
}

#[derive(Deserialize)]
struct Link {
    token: String,
}

#[get("/known")]
async fn opened(oauth: OAuthService, link: web::Query<Link>) -> Result<String, OneTimeError> {
    Ok(oauth.open_one_time::<String>("known browser", &link.token).await?.payload)
}

#[actix_web::post("/known")]
async fn redeemed(oauth: OAuthService, http: HttpRequest, link: web::Form<Link>) -> Result<HttpResponse, OneTimeError> {
    let redeemed = oauth.redeem_one_time::<String>("known browser", &link.token).await?;
    let mut answer = HttpResponse::Ok().finish();
    oauth.know_browser(&http, &mut answer, &redeemed.subject, &redeemed.payload).await?;
    Ok(answer)
}

#[tokio::test]
async fn c46_a_link_of_a_mail_lets_a_new_browser_be_known_once() {
    let (listener, base) = free_port();
    let oauth = builder(&base)
        .clock(Clock::by_hand())
        .client_address(address)
        .reload(async |_: &str| Some(json!({ "role": "admin" })))
        .build()
        .unwrap();
    let routes = oauth.clone();
    let server = serve(listener, move |app| {
        app.configure(routes.routes()).service(opened).service(redeemed);
    });
    attack(&server, "admin").await;
    let new = Browser::new(&server);
    assert_eq!(owner(&new, "admin").await, 429);
    let token = oauth.one_time("known browser", "admin", Duration::from_secs(900)).with("admin").seal().await.unwrap();
    // A scanner of mails follows the link.
    for scanner in [Browser::new(&server), Browser::new(&server)] {
        let page = Answer::to(scanner.http.get(format!("{base}/known?token={token}"))).await;
        assert_eq!((page.status, page.body.as_str()), (200, "admin"));
        assert_eq!(page.headers.get("set-cookie"), None);
        assert_eq!(owner(&scanner, "admin").await, 429, "to open it is not to redeem it");
    }
    let redeem = async |browser: &Browser| {
        Answer::to(browser.http.post(format!("{base}/known")).form(&[("token", token.as_str())])).await.status
    };
    assert_eq!(redeem(&new).await, 200);
    let silent = new.authorize(&[("prompt", Some("none"))]).await.redirect();
    assert_eq!(silent["error"], "login_required", "it signs no one in");
    assert_eq!(sign_in(&new, "192.0.2.1", "admin", "wrong").await.status, 401);
    assert_eq!(owner(&new, "admin").await, 303);
    let late = Browser::new(&server);
    assert_eq!(redeem(&late).await, 400, "once");
    assert_eq!(owner(&late, "admin").await, 429);
    oauth.sign_out("admin").await.unwrap();
    assert_eq!(owner(&new, "admin").await, 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn c46_a_flood_of_sign_ins_leaves_places_to_known_browsers() {
    let (begun, may_end) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let signals = (Arc::clone(&begun), Arc::clone(&may_end));
    let (server, _oauth) = started(|builder| {
        builder.blocking_at_once(4).authenticate_blocking(move |login: Login| {
            if &*login.password == "slow" {
                signals.0.add_permits(1);
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                runtime.block_on(signals.1.acquire()).unwrap().forget();
            }
            oauth_tests::users(&login)
        })
    });
    let known = Browser::new(&server);
    assert_eq!(owner(&known, "admin").await, 303);
    let mut flood = tokio::task::JoinSet::new();
    for number in 0..3 {
        let browser = Browser::new(&server);
        flood.spawn(async move { sign_in(&browser, "10.0.0.1", &format!("name {number}"), "slow").await.status });
        begun.acquire().await.unwrap().forget();
    }
    let stranger = Browser::new(&server);
    let mut waits = Box::pin(owner(&stranger, "admin"));
    tokio::select! {
        _ = &mut waits => panic!("every place is taken"),
        known = owner(&known, "admin") => assert_eq!(known, 303),
    }
    may_end.add_permits(3);
    assert_eq!(flood.join_all().await, [401; 3]);
    assert_eq!(waits.await, 303);
}

#[tokio::test]
async fn c46_the_cookie_of_a_known_browser_lasts_and_signs_no_one_in() {
    let (server, _oauth) = started(|builder| builder);
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let page = Answer::to(http.get(Browser::new(&server).authorize_url(&[]))).await;
    let cookie = page.header("set-cookie").split(';').next().unwrap().to_owned();
    let fields = [("request", page.form()), ("username", "admin".to_owned()), ("password", "admin123".to_owned())];
    let login = http.post(format!("{}/login", server.base)).header("cookie", cookie);
    let answer = Answer::to(login.header("sec-fetch-site", "same-origin").form(&fields)).await;
    let mut cookies = answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
    let device = cookies.find(|cookie| cookie.starts_with("oauth-device-")).unwrap();
    let lasts = Duration::from_secs(400 * 24 * 3600).as_secs();
    assert!(device.ends_with(&format!("; Path=/; HttpOnly; SameSite=Lax; Max-Age={lasts}")), "{device}");
    assert!(!device.contains("admin"), "{device}");
    let value = device.split(';').next().unwrap();
    let asked = Answer::to(http.get(Browser::new(&server).authorize_url(&[])).header("cookie", value)).await;
    assert!(asked.status == 200 && asked.body.contains("name=\"password\""), "{asked:?}");
    let session = value.replacen("oauth-device-", "oauth-session-", 1);
    let asked = Answer::to(http.get(Browser::new(&server).authorize_url(&[])).header("cookie", session)).await;
    assert!(asked.status == 200 && asked.body.contains("name=\"password\""), "sealed for another purpose: {asked:?}");
}
