//! What a client asks for of its user (`id_token_hint`, `prompt`, `max_age`, `acr_values`) holds on every way to a code.

use std::time::Duration;

use actix_web::{Error, HttpRequest, HttpResponse, post, web};
use oauth_runtime::states::WithReload;
use oauth_runtime::{AuthTime, Builder, Client, Clock, Keys, Login, OAuthService, Question, SecondFactor, SignIn};
use oauth_tests::{Answer, Browser, Server, builder, free_port, handlers, serve, start};
use serde::Deserialize;
use serde_json::{Value, json};

const SHOP: &[(&str, Option<&str>)] =
    &[("client_id", Some("shop")), ("redirect_uri", Some("https://shop.example/cb")), ("scope", Some("openid"))];

fn whole(builder: Builder) -> Builder<WithReload> {
    builder
        .keys(Keys::generate().unwrap())
        .scope("openid", "Know who you are")
        .client(Client::public("shop").redirect_uri("https://shop.example/cb"))
        .client(Client::public("guest").redirect_uri("https://guest.example/cb").third_party())
        .reload(async |subject: &str| Some(json!({ "sub": subject })))
}

/// The users of a built-in page; `user` is asked for a code as well.
fn with_factor(builder: Builder) -> Builder<WithReload> {
    whole(builder)
        .authenticate(async |login: Login| match oauth_tests::users(&login) {
            Some(_) if login.username == "user" => SignIn::ask(Question::code("Enter the code")),
            Some(user) => SignIn::done(user).amr("pwd").acr("one"),
            None => SignIn::refused(),
        })
        .second_factor(async |factor: SecondFactor| SignIn::done(json!({ "sub": factor.username })).acr("two"))
}

async fn asks(browser: &Browser, changes: &[(&str, Option<&str>)]) -> Answer {
    browser.authorize(&[SHOP, changes].concat()).await
}

async fn verify(browser: &Browser, asked: &Answer) -> Answer {
    let fields = [("request", asked.form()), ("answer", "314159".to_owned())];
    Answer::to(browser.http.post(format!("{}/verify", browser.base)).form(&fields)).await
}

async fn redeemed(browser: &Browser, code: &str) -> Value {
    browser.redeem(code, &SHOP[..2]).await.json()
}

async fn id_token_of_admin(server: &Server) -> String {
    let browser = Browser::new(server);
    let page = asks(&browser, &[]).await;
    let code = browser.login(&page.form(), "admin", "admin123").await.redirect()["code"].clone();
    redeemed(&browser, &code).await["id_token"].as_str().unwrap().to_owned()
}

async fn is_signed_in(browser: &Browser) -> bool {
    asks(browser, &[("prompt", Some("none"))]).await.redirect().contains_key("code")
}

#[tokio::test]
async fn c39_with_a_hint_no_other_user_signs_in() {
    let server = start(with_factor);
    let hint = id_token_of_admin(&server).await;
    let forged = format!("{}AAAA", &hint[..hint.len() - 4]);
    for hint in [hint.as_str(), &forged] {
        let browser = Browser::new(&server);
        let page = asks(&browser, &[("id_token_hint", Some(hint))]).await;
        let asked = browser.login(&page.form(), "user", "user123").await;
        let refused = verify(&browser, &asked).await.redirect();
        assert_eq!(refused["error"], "login_required", "{refused:?}");
        assert!(!is_signed_in(&browser).await, "no session begins for another user");

        // Who is signed in as another one signs in as the one that is meant.
        let plain = browser.login(&asks(&browser, &[]).await.form(), "user", "user123").await;
        assert!(verify(&browser, &plain).await.redirect().contains_key("code"));
        let page = asks(&browser, &[("id_token_hint", Some(hint)), ("state", Some("s"))]).await;
        assert!(page.body.contains("type=\"password\""), "{page:?}");
        let answer = browser.login(&page.form(), "admin", "admin123").await.redirect();
        assert!(answer.contains_key("code") && answer["state"] == "s", "{answer:?}");
    }
}

#[tokio::test]
async fn c39_acr_values_hold_on_the_built_in_pages() {
    let server = start(with_factor);
    let browser = Browser::new(&server);
    let two = ("acr_values", Some("two three"));
    let answer = browser.login(&asks(&browser, &[two]).await.form(), "admin", "admin123").await.redirect();
    assert_eq!(answer["error"], "unmet_authentication_requirements", "{answer:?}");
    assert!(!is_signed_in(&browser).await);
    let asked = browser.login(&asks(&browser, &[two]).await.form(), "user", "user123").await;
    let code = verify(&browser, &asked).await.redirect()["code"].clone();
    let issued = redeemed(&browser, &code).await;
    assert_eq!(crate::sessions::claims(&issued["id_token"])["acr"], "two");

    // Once the author says which there are, what else is asked for is no requirement (RFC 9470 §4 is of those).
    let server = start(|builder| with_factor(builder).acr_values(["one", "two"]));
    let browser = Browser::new(&server);
    for (asked, error) in [("gold", None), ("gold two", Some("unmet_authentication_requirements")), ("gold one", None)]
    {
        let page = asks(&browser, &[("prompt", Some("login")), ("acr_values", Some(asked))]).await;
        let answer = browser.login(&page.form(), "admin", "admin123").await.redirect();
        assert_eq!(answer.get("error").map(String::as_str), error, "{asked}: {answer:?}");
    }
    let metadata = browser.call("/.well-known/openid-configuration", None).await.json();
    assert_eq!(metadata["acr_values_supported"], json!(["one", "two"]));
}

#[derive(Deserialize)]
struct Mine {
    request: String,
    sub: String,
    acr: Option<String>,
    ago: Option<u64>,
    shown: Option<String>,
}

/// A page of the author's: its answer, sent by a test.
#[post("/mine")]
async fn mine(oauth: OAuthService, http: HttpRequest, form: web::Form<Mine>) -> Result<HttpResponse, Error> {
    let pending = oauth.pending(&http, &form.request).await?;
    match form.sub.as_str() {
        "denies" => return pending.deny(&http).await,
        "is refused" => return pending.finish(&http, SignIn::<Value>::refused(), AuthTime::Now).await,
        _ => {}
    }
    let user = SignIn::done(json!({ "sub": form.sub })).amr("hwk");
    let user = match &form.acr {
        Some(acr) => user.acr(acr),
        None => user,
    };
    let user = match &form.shown {
        Some(name) => user.shown_as(name),
        None => user,
    };
    let at = form.ago.map_or(AuthTime::Now, |seconds| AuthTime::Ago(Duration::from_secs(seconds)));
    pending.finish(&http, user, at).await
}

struct Own {
    server: Server,
    oauth: OAuthService,
    clock: Clock,
}

fn own(change: impl FnOnce(Builder<WithReload>) -> Builder<WithReload>) -> Own {
    let (listener, base) = free_port();
    let clock = Clock::by_hand();
    let oauth = change(whole(builder(&base)).clock(clock.clone())).build().unwrap();
    let service = oauth.clone();
    let server = serve(listener, move |app| {
        app.configure(service.routes()).configure(handlers).service(mine);
    });
    clock.advance(Duration::from_secs(86_400));
    Own { server, oauth, clock }
}

/// Users sign in on the author's page.
fn elsewhere() -> Own {
    let (listener, base) = free_port();
    let clock = Clock::by_hand();
    let oauth = OAuthService::builder().untyped_claims().issuer(&base).clock(clock.clone()).sign_in_at("/welcome");
    let oauth = whole(oauth).build().unwrap();
    let service = oauth.clone();
    let server = serve(listener, move |app| {
        app.configure(service.routes()).configure(handlers).service(mine);
    });
    // It has run for a while: what is older than the store's memory is not taken.
    clock.advance(Duration::from_secs(86_400));
    Own { server, oauth, clock }
}

impl Own {
    async fn begin(&self, browser: &Browser, changes: &[(&str, Option<&str>)]) -> String {
        let sent = asks(browser, changes).await;
        sent.header("location").split_once("?request=").unwrap_or_else(|| panic!("{sent:?}")).1.to_owned()
    }

    async fn finish(&self, browser: &Browser, request: &str, more: &[(&str, &str)]) -> Answer {
        let fields = [&[("request", request)], more].concat();
        Answer::to(browser.http.post(format!("{}/mine", self.server.base)).form(&fields)).await
    }
}

#[tokio::test]
async fn c39_prompt_max_age_acr_and_hint_hold_for_a_page_of_the_author_s() {
    let own = elsewhere();
    let ada = ("sub", "ada");
    let first = Browser::new(&own.server);
    let code = own.finish(&first, &own.begin(&first, &[]).await, &[ada]).await.redirect()["code"].clone();
    let hint = redeemed(&first, &code).await["id_token"].as_str().unwrap().to_owned();
    let login = ("prompt", Some("login"));
    let (none, unmet, required) = (None, Some("unmet_authentication_requirements"), Some("login_required"));
    type Case<'a> = (&'a [(&'a str, Option<&'a str>)], &'a [(&'a str, &'a str)], Option<&'a str>);
    let cases: &[Case] = &[
        (&[], &[ada, ("ago", "7200")], none),
        (&[login], &[ada, ("ago", "7200")], required),
        (&[login], &[ada, ("ago", "1")], required),
        (&[login], &[ada], none),
        (&[("prompt", Some("select_account"))], &[ada, ("ago", "1")], required),
        (&[("max_age", Some("0"))], &[ada, ("ago", "1")], required),
        (&[("max_age", Some("0"))], &[ada], none),
        (&[("max_age", Some("300"))], &[ada, ("ago", "300")], required),
        (&[("max_age", Some("300"))], &[ada, ("ago", "299")], none),
        (&[("acr_values", Some("two"))], &[ada], unmet),
        (&[("acr_values", Some("two"))], &[ada, ("acr", "one")], unmet),
        (&[("acr_values", Some("one two"))], &[ada, ("acr", "two")], none),
        (&[("id_token_hint", Some(&hint))], &[("sub", "bob")], required),
        (&[("id_token_hint", Some(&hint))], &[ada], none),
        // The session of it would have ended by now.
        (&[], &[ada, ("ago", "1209600")], required),
    ];
    for (asked, answer, error) in cases {
        let browser = Browser::new(&own.server);
        let request = own.begin(&browser, asked).await;
        let redirect = own.finish(&browser, &request, answer).await.redirect();
        assert_eq!(redirect.get("error").map(String::as_str), *error, "{asked:?} {answer:?}: {redirect:?}");
        assert_eq!(is_signed_in(&browser).await, error.is_none(), "{asked:?} {answer:?}");
    }
}

#[tokio::test]
async fn c39_tokens_say_when_and_how_a_page_of_the_author_s_authenticated() {
    let own = elsewhere();
    let browser = Browser::new(&own.server);
    let request = own.begin(&browser, &[]).await;
    let code = own.finish(&browser, &request, &[("sub", "ada"), ("ago", "7200")]).await.redirect()["code"].clone();
    let issued = redeemed(&browser, &code).await;
    for token in ["id_token", "access_token"] {
        let claims = crate::sessions::claims(&issued[token]);
        assert_eq!((&claims["auth_time"], &claims["amr"]), (&json!(own.clock.now().seconds() - 7200), &json!(["hwk"])));
    }
    // The session's end counts from then as well: 14 days.
    own.clock.advance(Duration::from_secs(14 * 86_400 - 7_200 - 1));
    assert!(!is_signed_in(&browser).await, "idle for a day");

    // Who was signed out since they were authenticated has to be authenticated again.
    let browser = Browser::new(&own.server);
    own.oauth.sign_out("ada").await.unwrap();
    own.clock.advance(Duration::from_secs(10));
    let request = own.begin(&browser, &[]).await;
    let refused = own.finish(&browser, &request, &[("sub", "ada"), ("ago", "11")]).await;
    assert!(refused.status == 400 && refused.body.contains("signed out since"), "{refused:?}");
    assert!(own.finish(&browser, &request, &[("sub", "ada"), ("ago", "9")]).await.redirect().contains_key("code"));
}

/// No name was typed on our pages there, and a `sub` says nothing to its user.
#[tokio::test]
async fn pages_show_a_user_by_the_name_that_the_author_says() {
    let own = elsewhere();
    let longest = "a".repeat(256);
    let cases = [
        (None, Some("9d3f4a22")),
        (Some("Ada & Co"), Some("Ada &#38; Co")),
        (Some(longest.as_str()), Some(longest.as_str())),
        (Some(""), None),
        (Some(&"a".repeat(257)), None),
        (Some("Ada\u{7}"), None),
        // Six bytes each in JSON: too many for a cookie.
        (Some(&"\u{1}".repeat(256)), None),
    ];
    for (name, shown) in cases {
        let browser = Browser::new(&own.server);
        let request = own.begin(&browser, &[]).await;
        let fields: Vec<_> = [("sub", "9d3f4a22")].into_iter().chain(name.map(|name| ("shown", name))).collect();
        let answer = own.finish(&browser, &request, &fields).await;
        assert_eq!(answer.status, if shown.is_some() { 303 } else { 500 }, "{name:?}: {answer:?}");
        assert_eq!(is_signed_in(&browser).await, shown.is_some(), "{name:?}");
        if let Some(shown) = shown {
            let page = browser.call("/logout", None).await;
            assert!(page.body.contains(shown), "{name:?}: {page:?}");
        }
    }
}

/// A sign-out is forgotten in time, and with the store's memory: a sign-in that may be from before it is not taken.
#[tokio::test]
async fn c42_a_session_of_the_author_s_is_taken_while_it_is_known_that_no_sign_out_ended_it() {
    let own = elsewhere();
    let finish = async |browser: &Browser, ago: Option<u64>| {
        let request = own.begin(browser, &[("state", Some("s"))]).await;
        let ago = ago.map(|seconds| seconds.to_string());
        let more: Vec<_> = [("sub", "ada")].into_iter().chain(ago.as_deref().map(|ago| ("ago", ago))).collect();
        own.finish(browser, &request, &more).await.redirect()
    };
    let refused = async |ago: u64| {
        let browser = Browser::new(&own.server);
        let answer = finish(&browser, Some(ago)).await;
        assert_eq!((answer["error"].as_str(), answer["state"].as_str()), ("login_required", "s"), "{ago}: {answer:?}");
        assert!(!is_signed_in(&browser).await, "{ago}");
    };
    let taken = async |ago: Option<u64>| {
        let answer = finish(&Browser::new(&own.server), ago).await;
        assert!(answer.contains_key("code"), "{ago:?}: {answer:?}");
    };
    own.oauth.sign_out("ada").await.unwrap();
    own.clock.advance(Duration::from_secs(26 * 3600));
    refused(27 * 3600).await;
    refused(25 * 3600).await;
    taken(Some(24 * 3600)).await;
    own.oauth.sign_out("ada").await.unwrap();
    own.oauth.renew().await.unwrap();
    own.clock.advance(Duration::from_secs(100));
    refused(200).await;
    refused(100).await;
    taken(Some(99)).await;
    taken(None).await;
}

/// A page on which a new user signs up takes the `request` of the sign-in page along.
#[tokio::test]
async fn a_page_of_the_author_s_ends_what_began_on_the_built_in_one() {
    let own = own(|builder| builder);
    let browser = Browser::new(&own.server);
    let form = asks(&browser, &[("state", Some("s"))]).await.form();
    let answer = own.finish(&browser, &form, &[("sub", "new")]).await.redirect();
    assert!(answer.contains_key("code") && answer["state"] == "s", "{answer:?}");
    let form = asks(&browser, &[("prompt", Some("login"))]).await.form();
    assert_eq!(
        own.finish(&browser, &form, &[("sub", "new"), ("ago", "60")]).await.redirect()["error"],
        "login_required"
    );
}

/// What was good when it was asked for stays good while the user reads the page.
#[tokio::test]
async fn c39_a_sign_in_does_not_grow_too_old_on_the_consent_page() {
    let own = own(|builder| builder);
    let browser = Browser::new(&own.server);
    browser.sign_in(&[], "admin", "admin123").await;
    own.clock.advance(Duration::from_secs(50));
    let guest = [("client_id", Some("guest")), ("redirect_uri", Some("https://guest.example/cb"))];
    let page = browser.authorize(&[&guest[..], &[("max_age", Some("60"))]].concat()).await;
    own.clock.advance(Duration::from_secs(300));
    assert!(browser.consent(&page.form(), "allow").await.redirect().contains_key("code"));
}

/// OpenID Connect Core §3.1.2.1: the parameter is required there, also where only one URI is registered.
#[tokio::test]
async fn c07_an_openid_request_names_its_redirect_uri() {
    let server = start(whole);
    let browser = Browser::new(&server);
    let no_uri = [SHOP[0], ("redirect_uri", None), ("state", Some("s"))];
    let refused = browser.authorize(&[&no_uri[..], &[SHOP[2]]].concat()).await;
    assert!(refused.header("location").starts_with("https://shop.example/cb?"), "{refused:?}");
    let refused = refused.redirect();
    assert_eq!((refused["error"].as_str(), refused["state"].as_str()), ("invalid_request", "s"));
    assert!(refused["error_description"].contains("redirect_uri"), "{refused:?}");
    assert_eq!(browser.authorize(&no_uri).await.status, 200, "OAuth 2.1 §4.1.1 lets it be left out");
}

#[tokio::test]
async fn c41_who_comes_back_to_a_page_of_the_author_s_and_leaves_takes_back_what_it_gave() {
    let own = elsewhere();
    for (leaves, is_redeemed) in [("denies", true), ("is refused", true), ("denies", false)] {
        let browser = Browser::new(&own.server);
        let request = own.begin(&browser, &[]).await;
        let code = own.finish(&browser, &request, &[("sub", "ada")]).await.redirect()["code"].clone();
        let issued = if is_redeemed { redeemed(&browser, &code).await } else { Value::Null };
        let left = own.finish(&browser, &request, &[("sub", leaves)]).await;
        assert_eq!(left.redirect()["error"], "access_denied", "{leaves}: {left:?}");
        if is_redeemed {
            let status = browser.call("/userinfo", issued["access_token"].as_str()).await.status;
            assert_eq!(status, 401, "{leaves}");
        } else {
            assert_eq!(redeemed(&browser, &code).await["error"], "invalid_grant");
        }
        let again = own.finish(&browser, &request, &[("sub", "ada")]).await;
        assert!(again.status == 400 && !again.body.contains("code="), "{leaves}: {again:?}");
    }
}
