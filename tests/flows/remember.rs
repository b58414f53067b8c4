//! Sessions that outlive their browser.

use std::time::Duration;

use actix_web::{Error, HttpRequest, HttpResponse, post, web};
use oauth_runtime::states::WithReload;
use oauth_runtime::{AuthTime, Builder, Clock, OAuthService, Question, Remember, SecondFactor, SignIn};
use oauth_tests::{Answer, Browser, Server, start, start_with};
use serde_json::{Value, json};

use crate::ceilings::{InTurn, moved};

const HOUR: u64 = 3600;
/// How long what a session gives may live: a refresh token, by default.
const REFRESH: u64 = 90 * 24 * HOUR;

fn with(remember: Remember, clock: &Clock) -> impl FnOnce(Builder) -> Builder<WithReload> {
    let clock = clock.clone();
    move |builder| {
        builder
            .clock(clock)
            .reload(async |_: &str| Some(json!({ "role": "admin" })))
            .remember_sessions(remember)
            .session_idle(Duration::from_secs(24 * HOUR))
            .session_lifetime(Duration::from_secs(36 * HOUR))
    }
}

/// For how many seconds the session's cookie is kept; none where it ends with the browser.
fn kept(answer: &Answer) -> Option<u64> {
    let cookies = answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
    let session = cookies.into_iter().find(|cookie| cookie.contains("oauth-session-")).expect("a session");
    session.split_once("Max-Age=").map(|(_, seconds)| seconds.parse().unwrap())
}

async fn signed_in(server: &Server, tick: bool) -> (Browser, Answer) {
    let browser = Browser::new(server);
    let form = browser.authorize(&[]).await.form();
    let mut fields = vec![("request", form.as_str()), ("username", "admin"), ("password", "admin123")];
    fields.extend(tick.then_some(("remember", "yes")));
    let answer = Answer::to(browser.http.post(format!("{}/login", server.base)).form(&fields)).await;
    assert!(answer.redirect().contains_key("code"));
    (browser, answer)
}

#[tokio::test]
async fn a_session_outlives_its_browser_by_the_builder_s_or_the_user_s_choice_alone() {
    let clock = Clock::by_hand();
    for (remember, tick, expected) in [
        (Remember::Never, false, None),
        (Remember::Never, true, None),
        (Remember::Asked, false, None),
        (Remember::Asked, true, Some(REFRESH)),
        (Remember::Always, false, Some(REFRESH)),
    ] {
        let server = start(with(remember, &clock));
        let page = Browser::new(&server).authorize(&[]).await;
        assert_eq!(page.body.contains("name=\"remember\""), remember == Remember::Asked, "{page:?}");
        assert_eq!(kept(&signed_in(&server, tick).await.1), expected, "{remember:?} {tick}");
    }
}

#[tokio::test]
async fn a_session_that_is_remembered_stays_so_and_no_longer_than_it_lives() {
    let clock = Clock::by_hand();
    let server = start(with(Remember::Asked, &clock));
    let (ticked, _) = signed_in(&server, true).await;
    let (plain, _) = signed_in(&server, false).await;
    let known: &[_] = &[("client_id", Some("other")), ("redirect_uri", Some("https://other.example/cb"))];
    clock.advance(Duration::from_secs(20 * HOUR));
    assert_eq!(
        kept(&ticked.authorize(known).await),
        Some(REFRESH - 20 * HOUR),
        "as long as what it gave, for a sign-out"
    );
    assert_eq!(kept(&plain.authorize(known).await), None);
    clock.advance(Duration::from_secs(16 * HOUR));
    assert!(ticked.authorize(known).await.body.contains("type=\"password\""), "it is over");
}

#[tokio::test]
async fn c42_a_session_that_was_to_outlive_its_browser_ends_with_the_setting() {
    let turns = InTurn::new();
    let serve = |remember| {
        turns.serve(|builder| {
            builder.reload(async |_: &str| Some(json!({ "role": "admin" }))).remember_sessions(remember)
        })
    };
    let (before, after) = (serve(Remember::Asked), serve(Remember::Never));
    let known: &[_] = &[("client_id", Some("other")), ("redirect_uri", Some("https://other.example/cb"))];
    let (plain, _) = signed_in(&before, false).await;
    assert!(moved(&plain, &after).authorize(known).await.redirect().contains_key("code"), "it ends with its browser");
    let (ticked, answer) = signed_in(&before, true).await;
    assert!(ticked.authorize(known).await.redirect().contains_key("code"));
    let there = moved(&ticked, &after);
    let page = there.authorize(known).await;
    assert!(page.body.contains("type=\"password\""), "{page:?}");
    // It can be signed out of, and with that all that it gave ends.
    let refresh = ticked.redeem(&answer.redirect()["code"], &[]).await.json()["refresh_token"].clone();
    let page = there.call("/logout", None).await;
    assert!(there.sign_out(&page.form(), "sign_out").await.body.contains("You are signed out"));
    assert_eq!(ticked.refresh(refresh.as_str().unwrap(), &[]).await.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn the_tick_survives_a_wrong_password_and_a_second_factor() {
    let clock = Clock::by_hand();
    let server = start(|builder| {
        with(Remember::Asked, &clock)(builder)
            .authenticate(async |login: oauth_runtime::Login| -> SignIn<Value> {
                if &*login.password == "right" { SignIn::ask(Question::code("Code?")) } else { SignIn::refused() }
            })
            .second_factor(async |_: SecondFactor| SignIn::done(json!({ "sub": "ada" })))
    });
    let browser = Browser::new(&server);
    let post = async |path: &str, fields: &[(&str, &str)]| {
        Answer::to(browser.http.post(format!("{}{path}", server.base)).form(fields)).await
    };
    let login = async |form: &str, password: &str, tick: &[(&'static str, &'static str)]| {
        let fields = [&[("request", form), ("username", "ada"), ("password", password)][..], tick].concat();
        post("/login", &fields).await
    };
    let first = browser.authorize(&[]).await;
    assert!(!first.body.contains(" checked"), "{first:?}");
    let wrong = login(&first.form(), "wrong", &[("remember", "yes")]).await;
    assert!(wrong.status == 401 && wrong.body.contains("value=\"yes\" checked"), "{wrong:?}");
    let unticked = login(&wrong.form(), "wrong", &[]).await;
    assert!(!unticked.body.contains(" checked"), "{unticked:?}");
    let question = login(&unticked.form(), "right", &[("remember", "yes")]).await;
    let done = post("/verify", &[("request", &question.form()), ("answer", "1")]).await;
    assert_eq!(kept(&done), Some(REFRESH));
}

/// A client that asks for a fresh sign-in shortens nothing that the user chose.
#[tokio::test]
async fn who_is_remembered_and_signs_in_once_more_stays_so_unless_they_untick_it() {
    let clock = Clock::by_hand();
    let server = start(with(Remember::Asked, &clock));
    for tick in [true, false] {
        let (browser, _) = signed_in(&server, tick).await;
        let page = browser.authorize(&[("prompt", Some("login"))]).await;
        assert_eq!(page.body.contains("value=\"yes\" checked"), tick, "{page:?}");
    }
    let (browser, _) = signed_in(&server, true).await;
    let answer = browser.sign_in(&[], "admin", "admin123").await;
    assert_eq!(kept(&answer), None, "it was not ticked");
    let page = browser.authorize(&[("prompt", Some("login"))]).await;
    assert!(!page.body.contains("value=\"yes\" checked"), "{page:?}");
}

/// The cookie stays for as long as what the session gave may: to sign out of that.
#[tokio::test]
async fn c37_a_remembered_session_that_was_idle_too_long_or_is_over_can_be_signed_out_of() {
    let clock = Clock::by_hand();
    let server = start(with(Remember::Always, &clock));
    for hours in [25, 40] {
        let (browser, answer) = signed_in(&server, false).await;
        let issued = browser.redeem(&answer.redirect()["code"], &[]).await.json();
        let idle = Duration::from_secs(hours * HOUR);
        assert!(kept(&answer) > Some(idle.as_secs()), "a browser would still send it: {answer:?}");
        clock.advance(idle);
        assert!(browser.authorize(&[]).await.body.contains("type=\"password\""), "it signs no one in");
        let page = browser.call("/logout", None).await;
        assert!(browser.sign_out(&page.form(), "sign_out").await.body.contains("You are signed out"));
        let refresh = issued["refresh_token"].as_str().unwrap();
        assert_eq!(browser.refresh(refresh, &[]).await.json()["error"], "invalid_grant");
    }
}

/// A page of the author's: it says how its tick starts, and takes what became of it.
#[post("/mine")]
async fn mine(oauth: OAuthService, http: HttpRequest, form: web::Form<Mine>) -> Result<HttpResponse, Error> {
    let pending = oauth.pending(&http, &form.request).await?;
    let Some(ticked) = &form.ticked else { return Ok(HttpResponse::Ok().json(pending.remember())) };
    let pending = if ticked == "as it was" { pending } else { pending.remembering(ticked == "yes") };
    pending.finish(&http, SignIn::done(json!({ "sub": "ada" })), AuthTime::Now).await
}

#[derive(serde::Deserialize)]
struct Mine {
    request: String,
    ticked: Option<String>,
}

#[tokio::test]
async fn a_page_of_the_author_s_lets_the_user_choose_as_the_built_in_one_does() {
    let clock = Clock::by_hand();
    let at = |remember| {
        start_with(
            |builder| with(remember, &clock)(builder),
            |app| {
                app.service(mine);
            },
        )
    };
    let request = [("client_id", Some("other")), ("redirect_uri", Some("https://other.example/cb"))];
    let post = async |browser: &Browser, ticked: Option<&str>| {
        let form = browser.authorize(&[&request[..], &[("prompt", Some("login"))]].concat()).await.form();
        let fields = [("request", Some(form.as_str())), ("ticked", ticked)];
        Answer::to(browser.http.post(format!("{}/mine", browser.base)).form(&fields)).await
    };
    let server = at(Remember::Asked);
    let browser = Browser::new(&server);
    let lasts = Some(REFRESH);
    for (ticked, expected, then) in
        [("as it was", None, false), ("yes", lasts, true), ("as it was", lasts, true), ("no", None, false)]
    {
        assert_eq!(kept(&post(&browser, Some(ticked)).await), expected, "{ticked}");
        assert_eq!(post(&browser, None).await.json(), then, "{ticked}");
    }
    for (remember, expected) in [(Remember::Never, None), (Remember::Always, lasts)] {
        let server = at(remember);
        let browser = Browser::new(&server);
        assert_eq!(post(&browser, None).await.json(), Value::Null, "no choice of the user's");
        assert_eq!(kept(&post(&browser, Some("yes")).await), expected);
    }
}
