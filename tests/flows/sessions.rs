//! Sign-in sessions, consent, and signing out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth_runtime::states::WithReload;
use oauth_runtime::{Builder, Client, Clock, Keys, Login, OAuthService, Question, SecondFactor, SignIn, SigningKey};
use oauth_tests::{Answer, Browser, SECRET, Server, builder, free_port, handlers, serve, start, without_cookies};
use serde_json::{Value, json};

const OTHER: &[(&str, Option<&str>)] =
    &[("client_id", Some("other")), ("redirect_uri", Some("https://other.example/cb"))];

fn reloading(builder: Builder) -> Builder<WithReload> {
    builder
        .keys(Keys::new(SigningKey::generate().unwrap()))
        .scope("openid", "Know who you are")
        .reload(async |subject: &str| Some(json!({ "role": if subject == "admin" { "admin" } else { "user" } })))
        .client(
            Client::public("shop")
                .redirect_uri("https://shop.example/cb")
                .post_logout_redirect_uri("https://shop.example/bye?x=1"),
        )
        .client(
            Client::public("guest")
                .name("Guest Book")
                .redirect_uri("https://guest.example/cb")
                .third_party()
                .allow_scopes("notes:read notes:write"),
        )
        .client(Client::public("posed").redirect_uri("http://127.0.0.1/posed").third_party())
        .client(Client::confidential("web").secret(SECRET).redirect_uri("http://127.0.0.1/web"))
}

async fn signed_in(server: &Server) -> Browser {
    let browser = Browser::new(server);
    assert!(browser.sign_in(&[], "admin", "admin123").await.redirect().contains_key("code"));
    browser
}

async fn asks(browser: &Browser, changes: &[(&str, Option<&str>)]) -> Answer {
    browser.authorize(&[OTHER, changes].concat()).await
}

pub(crate) fn claims(jwt: &Value) -> Value {
    let payload = jwt.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

async fn redeemed(browser: &Browser, client: &str, redirect_uri: &str, answer: &Answer) -> Value {
    let changes = [("client_id", Some(client)), ("redirect_uri", Some(redirect_uri))];
    let answer = browser.redeem(&answer.redirect()["code"], &changes).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// What a browser sends of the cookies that an answer sets.
fn cookies(answer: &Answer) -> String {
    let set = answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
    set.map(|cookie| cookie.split(';').next().unwrap()).collect::<Vec<_>>().join("; ")
}

/// The `Set-Cookie` of this kind, if there is one.
fn cookie<'a>(answer: &'a Answer, kind: &str) -> Option<&'a str> {
    let cookies = answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
    cookies.into_iter().find(|cookie| cookie.contains(&format!("oauth-{kind}-")))
}

#[tokio::test]
async fn who_is_signed_in_is_not_asked_again_and_has_the_claims_of_now() {
    let server = start(reloading);
    let browser = signed_in(&server).await;
    let answer = asks(&browser, &[("scope", Some("openid")), ("state", Some("s"))]).await;
    assert_eq!(answer.redirect()["state"], "s");
    let issued = redeemed(&browser, "other", "https://other.example/cb", &answer).await;
    let me = browser.call("/me", issued["access_token"].as_str()).await.json();
    // What `authenticate` knew of permissions, `reload` does not.
    assert_eq!((me["sub"].as_str(), me["claims"].get("permissions")), (Some("admin"), None));
    let id_token = claims(&issued["id_token"]);
    assert_eq!(id_token["amr"], json!(["pwd"]));
    assert_eq!(id_token["sid"], claims(&issued["access_token"])["sid"]);
    // A client that authenticates at /token needs no page either, wherever it is.
    let web = [("client_id", Some("web")), ("redirect_uri", Some("http://127.0.0.1:9/web"))];
    assert!(browser.authorize(&web).await.redirect().contains_key("code"));
}

#[tokio::test]
async fn without_reload_no_one_stays_signed_in() {
    let server = start(|builder| builder);
    let browser = signed_in(&server).await;
    assert!(asks(&browser, &[]).await.body.contains("type=\"password\""));
    assert_eq!(browser.call("/logout", None).await.status, 404);
    let server = start(|builder| reloading(builder).sessions(false));
    let browser = signed_in(&server).await;
    assert!(asks(&browser, &[]).await.body.contains("type=\"password\""), "by choice");
}

#[tokio::test]
async fn prompt_max_age_and_acr_values_decide_whether_a_session_is_enough() {
    let clock = Clock::by_hand();
    let server = start(|builder| reloading(builder).clock(clock.clone()));
    let browser = Browser::new(&server);
    let none = ("prompt", Some("none"));
    assert_eq!(asks(&browser, &[none]).await.redirect()["error"], "login_required");
    let browser = signed_in(&server).await;
    clock.advance(Duration::from_secs(100));
    let first = asks(&browser, &[none, ("scope", Some("openid"))]).await;
    let first = claims(&redeemed(&browser, "other", "https://other.example/cb", &first).await["id_token"]);
    let age = clock.now().seconds() - first["auth_time"].as_u64().unwrap();
    assert!((99..=100).contains(&age), "the time of the sign-in, not of the request: {age}");

    assert!(asks(&browser, &[none, ("max_age", Some("101"))]).await.redirect().contains_key("code"));
    for (name, value) in [("max_age", "50"), ("max_age", "0"), ("acr_values", "strong")] {
        let refused = asks(&browser, &[none, (name, Some(value))]).await;
        assert_eq!(refused.redirect()["error"], "login_required", "{name}={value}");
        let asked = asks(&browser, &[(name, Some(value))]).await;
        assert!(asked.body.contains("type=\"password\""), "{name}={value}");
        assert!(asked.body.contains("value=\"admin\""), "the name is there already: {asked:?}");
    }
    for prompt in ["login", "select_account", "login consent"] {
        assert!(asks(&browser, &[("prompt", Some(prompt))]).await.body.contains("type=\"password\""), "{prompt}");
    }
    // Signed in again, the sign-in is of now.
    let form = asks(&browser, &[("max_age", Some("50")), ("scope", Some("openid"))]).await.form();
    let again = browser.login(&form, "admin", "admin123").await;
    let again = claims(&redeemed(&browser, "other", "https://other.example/cb", &again).await["id_token"]);
    assert_eq!(again["auth_time"].as_u64(), Some(clock.now().seconds()));
    assert_eq!(again["sid"], first["sid"], "what the user signs out of is all of it");
    assert!(asks(&browser, &[("max_age", Some("0"))]).await.body.contains("type=\"password\""), "in the same second");
}

#[tokio::test]
async fn a_hint_of_another_user_is_no_match_and_a_forged_one_is_refused() {
    let server = start(reloading);
    let browser = signed_in(&server).await;
    let own = asks(&browser, &[("scope", Some("openid"))]).await;
    let own = redeemed(&browser, "other", "https://other.example/cb", &own).await["id_token"].clone();
    let stranger = Browser::new(&server);
    let theirs = stranger.sign_in(&[OTHER, &[("scope", Some("openid"))]].concat(), "user", "user123").await;
    let theirs = redeemed(&stranger, "other", "https://other.example/cb", &theirs).await["id_token"].clone();
    let none = ("prompt", Some("none"));
    assert!(asks(&browser, &[none, ("id_token_hint", own.as_str())]).await.redirect().contains_key("code"));
    let other = asks(&browser, &[none, ("id_token_hint", theirs.as_str())]).await.redirect();
    assert_eq!(other["error"], "login_required");
    assert_eq!(asks(&browser, &[("id_token_hint", Some("x.y.z"))]).await.redirect()["error"], "invalid_request");
    // Not of a key of ours, or not any more: it proves nothing.
    let own = own.as_str().unwrap();
    let forged = format!("{}AAAA", &own[..own.len() - 4]);
    let other = asks(&browser, &[none, ("id_token_hint", Some(&forged))]).await.redirect();
    assert_eq!(other["error"], "login_required");
    let access = browser.issued(&[]).await["access_token"].clone();
    let refused = asks(&browser, &[none, ("id_token_hint", access.as_str())]).await.redirect();
    assert_eq!(refused["error"], "login_required", "an access token is no ID token");
}

#[tokio::test]
async fn c11_a_session_ends_by_idleness_age_sign_out_dismissal_and_restart() {
    let clock = Clock::by_hand();
    let dismissed = Arc::new(AtomicBool::new(false));
    let (listener, base) = free_port();
    let gone = Arc::clone(&dismissed);
    let oauth = reloading(builder(&base))
        .clock(clock.clone())
        .session_idle(Duration::from_secs(100))
        .session_lifetime(Duration::from_secs(250))
        .reload_blocking(move |_| (!gone.load(Ordering::SeqCst)).then(|| json!({})))
        .build()
        .unwrap();
    let routes = oauth.clone();
    let server = serve(listener, move |app| {
        app.configure(routes.routes()).configure(handlers);
    });
    let is_in = async |browser: &Browser| asks(browser, &[]).await.status == 303;
    clock.advance(Duration::from_secs(2));

    let browser = signed_in(&server).await;
    for _ in 0..2 {
        clock.advance(Duration::from_secs(99));
        assert!(is_in(&browser).await, "each use makes it last");
    }
    clock.advance(Duration::from_secs(52));
    assert!(!is_in(&browser).await, "250 seconds after the sign-in, whatever its use");
    let browser = signed_in(&server).await;
    clock.advance(Duration::from_secs(100));
    assert!(!is_in(&browser).await, "idle");

    let browser = signed_in(&server).await;
    clock.advance(Duration::from_secs(1));
    oauth.sign_out("user").await.unwrap();
    assert!(is_in(&browser).await, "someone else");
    oauth.sign_out("admin").await.unwrap();
    assert!(!is_in(&browser).await);
    clock.advance(Duration::from_secs(2));

    let browser = signed_in(&server).await;
    dismissed.store(true, Ordering::SeqCst);
    assert!(!is_in(&browser).await, "no such user any more");
    dismissed.store(false, Ordering::SeqCst);
    assert!(!is_in(&browser).await, "the session has ended with that");

    let browser = signed_in(&server).await;
    let cookie = Answer::to(browser.http.get(browser.authorize_url(OTHER))).await;
    assert_eq!(cookie.status, 303);
    let sealed = self::cookie(&cookie, "session").unwrap().split(';').next().unwrap().to_owned();
    // The same secret and another memory: what was ended there is not known here.
    clock.advance(Duration::from_secs(1));
    let restarted = reloading(builder(&base)).clock(clock.clone()).build().unwrap();
    let (listener, elsewhere) = free_port();
    let _second = serve(listener, move |app| {
        app.configure(restarted.routes());
    });
    let url = browser.authorize_url(OTHER).replace(&browser.base, &elsewhere);
    let http = without_cookies();
    let answer = Answer::to(http.get(url).header("cookie", sealed)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn c06_a_client_that_any_program_can_pose_as_is_not_let_in_by_a_session_alone() {
    let clock = Clock::by_hand();
    let server = start(|builder| reloading(builder).clock(clock.clone()));
    let browser = signed_in(&server).await;
    let scope = ("scope", Some("notes:read notes:write"));
    assert_eq!(browser.authorize(&[("prompt", Some("none"))]).await.redirect()["error"], "consent_required");
    let page = browser.authorize(&[scope, ("state", Some("s"))]).await;
    assert!(page.is_page(), "{page:?}");
    for text in ["demo", "127.0.0.1:7777", "Read your notes", "Write your notes", "admin"] {
        assert!(page.body.contains(text), "{text}: {page:?}");
    }
    assert!(page.header("content-security-policy").contains("form-action 'self' http://127.0.0.1:7777;"), "{page:?}");
    let form = page.form();

    let stranger = Browser::new(&server);
    stranger.authorize(&[]).await;
    assert_eq!(stranger.consent(&form, "allow").await.status, 403, "another browser's");
    assert_eq!(browser.consent(&form, "perhaps").await.status, 400);
    assert_eq!(browser.consent(&format!("{form}x"), "allow").await.status, 400);
    assert_eq!(browser.login(&form, "admin", "admin123").await.status, 400, "it is no sign-in form");
    let allowed = browser.consent(&form, "allow").await;
    assert_eq!(allowed.redirect()["state"], "s");
    let token = browser.redeem(&allowed.redirect()["code"], &[]).await.json();
    assert_eq!(token["scope"], "notes:read notes:write");
    let again = browser.consent(&form, "allow").await;
    assert!(again.status == 400 && again.is_page(), "once only: {again:?}");

    // It is asked again, each time: this client is never remembered.
    let denied = browser.consent(&browser.authorize(&[("state", Some("t"))]).await.form(), "deny").await.redirect();
    assert_eq!((denied["error"].as_str(), denied["state"].as_str()), ("access_denied", "t"));
    assert_eq!(denied["iss"], server.base);

    let form = browser.authorize(&[]).await.form();
    // A second more than ten minutes, for a store in its first one.
    clock.advance(Duration::from_secs(601));
    assert_eq!(browser.consent(&form, "allow").await.status, 400, "too old");
}

#[tokio::test]
async fn a_consent_page_is_worth_nothing_after_a_sign_out() {
    let (listener, base) = free_port();
    let clock = Clock::by_hand();
    let oauth = reloading(builder(&base)).clock(clock.clone()).build().unwrap();
    let routes = oauth.clone();
    let server = serve(listener, move |app| {
        app.configure(routes.routes());
    });
    clock.advance(Duration::from_secs(2));
    let browser = signed_in(&server).await;
    let form = browser.authorize(&[]).await.form();
    oauth.sign_out("admin").await.unwrap();
    assert_eq!(browser.consent(&form, "allow").await.status, 400);
    clock.advance(Duration::from_secs(2));

    let browser = signed_in(&server).await;
    let asked = browser.authorize(&[]).await;
    // With the cookies from before the sign-out, so that it is the store alone that decides.
    let cookies = cookies(&asked);
    let page = browser.call("/logout", None).await;
    let gone = browser.sign_out(&page.form(), "sign_out").await;
    assert_eq!(gone.status, 200);
    let http = without_cookies();
    let post = http.post(format!("{base}/consent")).header("cookie", cookies);
    let late = Answer::to(post.form(&[("request", asked.form()), ("decision", "allow".to_owned())])).await;
    assert!(late.status == 400 && late.body.contains("signed out"), "{late:?}");
}

#[tokio::test]
async fn c11_after_a_restart_the_pages_of_before_are_worth_nothing() {
    let clock = Clock::by_hand();
    let (listener, base) = free_port();
    let configured = || {
        reloading(builder(&base))
            .clock(clock.clone())
            .authenticate(async |login: Login| match oauth_tests::users(&login) {
                Some(user) if login.acr_values.is_empty() => SignIn::done(user),
                Some(_) => SignIn::ask(Question::code("Enter the code")),
                None => SignIn::refused(),
            })
            .second_factor(async |factor: SecondFactor| SignIn::done(json!({ "sub": factor.username })).acr("strong"))
            .build()
            .unwrap()
    };
    let (first, second) = (configured(), {
        clock.advance(Duration::from_secs(5));
        configured()
    });
    let server = serve(listener, move |app| {
        app.configure(first.routes());
    });
    let (listener, restarted) = free_port();
    let _restarted = serve(listener, move |app| {
        app.configure(second.routes());
    });
    // Both are of the moment in which the second one began: what it then spends, it did not spend before.
    let browser = signed_in(&server).await;
    let consent = browser.authorize(&[]).await;
    let stranger = Browser::new(&server);
    let begun = stranger.authorize(&[("acr_values", Some("strong"))]).await;
    let asked = stranger.login(&begun.form(), "admin", "admin123").await;
    let http = without_cookies();
    for (path, of, form, field) in [
        ("/consent", &consent, consent.form(), ("decision", "allow")),
        ("/verify", &begun, asked.form(), ("answer", "x")),
    ] {
        let post = async |base: &str| {
            let fields = [("request", form.as_str()), field];
            Answer::to(http.post(format!("{base}{path}")).header("cookie", cookies(of)).form(&fields)).await
        };
        let refused = post(&restarted).await;
        assert!(refused.status == 400 && refused.body.contains("too old"), "{path}: {refused:?}");
        assert_eq!(post(&base).await.status, 303, "{path}");
    }
}

#[tokio::test]
async fn a_page_of_the_server_s_own_origin_is_no_one_else_s() {
    let (listener, base) = free_port();
    let own = Client::public("own").redirect_uri(format!("{base}/app"));
    let oauth = reloading(builder(&base)).client(own).build().unwrap();
    let server = serve(listener, move |app| {
        app.configure(oauth.routes());
    });
    let browser = signed_in(&server).await;
    let at = async |uri: &str| {
        let asked = [("client_id", Some("own")), ("redirect_uri", Some(uri)), ("prompt", Some("none"))];
        browser.authorize(&asked).await.redirect().get("error").cloned()
    };
    assert_eq!(at(&format!("{base}/app")).await, None);
    // Any port matches on loopback, and behind another may be any program.
    assert_eq!(at("http://127.0.0.1:9/app").await.as_deref(), Some("consent_required"));
}

#[tokio::test]
async fn c06_what_is_allowed_to_a_third_party_is_remembered_until_it_asks_for_more() {
    let server = start(reloading);
    let browser = Browser::new(&server);
    let guest = |scope: &'static str| {
        [("client_id", Some("guest")), ("redirect_uri", Some("https://guest.example/cb")), ("scope", Some(scope))]
    };
    let page = browser.sign_in(&guest("notes:read"), "admin", "admin123").await;
    assert!(page.status == 200 && page.body.contains("Guest Book"), "after the password as well: {page:?}");
    let refused = browser.authorize(&[&guest("notes:read")[..], &[("prompt", Some("none"))]].concat()).await;
    assert_eq!(refused.redirect()["error"], "consent_required", "not allowed yet");
    let allowed = browser.consent(&page.form(), "allow").await;
    assert!(allowed.redirect().contains_key("code"));

    // On the server: another browser of theirs is not asked either.
    let elsewhere = Browser::new(&server);
    assert!(elsewhere.sign_in(&guest("notes:read"), "admin", "admin123").await.redirect().contains_key("code"));
    assert!(browser.authorize(&guest("notes:read")).await.redirect().contains_key("code"));
    assert!(browser.authorize(&guest("")).await.redirect().contains_key("code"), "less");
    let more = browser.authorize(&guest("notes:read notes:write")).await;
    assert!(more.status == 200 && more.body.contains("Write your notes"), "{more:?}");
    let denied = browser.consent(&more.form(), "deny").await;
    assert_eq!(denied.redirect()["error"], "access_denied");
    let again = browser.authorize(&guest("notes:read")).await;
    assert_eq!(again.status, 200, "c40: to deny takes back what was allowed before");
    assert!(browser.consent(&again.form(), "allow").await.redirect().contains_key("code"));
    let asked = browser.authorize(&[&guest("notes:read")[..], &[("prompt", Some("consent"))]].concat()).await;
    assert_eq!(asked.status, 200, "where the client wants it, the user is asked");

    // One that any program can pose as is asked for each time, whatever was allowed.
    let posed = [("client_id", Some("posed")), ("redirect_uri", Some("http://127.0.0.1:9/posed"))];
    let page = browser.sign_in(&posed, "admin", "admin123").await;
    assert!(browser.consent(&page.form(), "allow").await.redirect().contains_key("code"));
    assert_eq!(browser.authorize(&posed).await.status, 200);

    // Another user of the same browser has allowed nothing.
    let page = browser.sign_in(&guest("notes:read"), "user", "user123").await;
    assert_eq!(page.status, 200);
    let refused = browser.authorize(&[&guest("notes:read")[..], &[("prompt", Some("none"))]].concat()).await;
    assert_eq!(refused.redirect()["error"], "consent_required");
}

#[tokio::test]
async fn who_will_not_sign_in_is_sent_back_with_access_denied() {
    let server = start(|builder| builder);
    let browser = Browser::new(&server);
    let form = browser.authorize(&[("state", Some("s"))]).await.form();
    let fields = [("request", form.as_str()), ("cancel", "cancel")];
    let answer = Answer::to(browser.http.post(format!("{}/login", server.base)).form(&fields)).await.redirect();
    assert_eq!((answer["error"].as_str(), answer["state"].as_str()), ("access_denied", "s"));
}

#[tokio::test]
async fn c23_a_client_signs_its_user_out_and_all_that_the_session_gave_ends() {
    let server = start(reloading);
    let browser = Browser::new(&server);
    let shop = [("client_id", Some("shop")), ("redirect_uri", Some("https://shop.example/cb"))];
    let first = browser.sign_in(&[&shop[..], &[("scope", Some("openid"))]].concat(), "admin", "admin123").await;
    let first = redeemed(&browser, "shop", "https://shop.example/cb", &first).await;
    let second = asks(&browser, &[]).await;
    let second = redeemed(&browser, "other", "https://other.example/cb", &second).await;
    let unredeemed = asks(&browser, &[]).await.redirect()["code"].clone();
    let elsewhere = Browser::new(&server).issued(&[]).await;

    let hint = first["id_token"].as_str().unwrap();
    let query = |pairs: &[(&str, &str)]| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        format!("{}/logout?{}", server.base, query.extend_pairs(pairs).finish())
    };
    let bye = ("post_logout_redirect_uri", "https://shop.example/bye?x=1");
    for wrong in [
        vec![("id_token_hint", hint), ("post_logout_redirect_uri", "https://shop.example/bye")],
        vec![("id_token_hint", hint), ("post_logout_redirect_uri", "https://evil.example/")],
        vec![("id_token_hint", hint), ("client_id", "other"), bye],
        vec![("client_id", "nobody"), bye],
        vec![bye],
        vec![("id_token_hint", "x.y.z"), bye],
    ] {
        let answer = Answer::to(browser.http.get(query(&wrong))).await;
        assert!(answer.status == 400 && answer.is_page(), "{wrong:?}: {answer:?}");
    }
    assert_eq!(asks(&browser, &[]).await.status, 303, "nothing has ended by that");

    let url = query(&[("id_token_hint", hint), bye, ("state", "a b")]);
    let answer = Answer::to(browser.http.get(url.clone())).await;
    assert_eq!((answer.status, answer.header("location")), (303, "https://shop.example/bye?x=1&state=a+b"));
    assert!(cookie(&answer, "session").unwrap().contains("Max-Age=0"));
    assert!(asks(&browser, &[]).await.body.contains("type=\"password\""));
    for (issued, client) in [(&first, "shop"), (&second, "other")] {
        let token = issued["refresh_token"].as_str().unwrap();
        let refused = browser.refresh(token, &[("client_id", Some(client))]).await;
        assert_eq!((refused.status, refused.json()["error"].as_str()), (400, Some("invalid_grant")));
        assert_eq!(browser.call("/me", issued["access_token"].as_str()).await.status, 401);
    }
    let changes = [("client_id", Some("other")), ("redirect_uri", Some("https://other.example/cb"))];
    assert_eq!(browser.redeem(&unredeemed, &changes).await.json()["error"], "invalid_grant");
    assert_eq!(browser.call("/me", elsewhere["access_token"].as_str()).await.status, 200, "another session");

    // There is no session left, and saying so again does no harm.
    assert_eq!(Answer::to(browser.http.get(url)).await.status, 303);
}

#[tokio::test]
async fn a_link_from_anywhere_signs_out_only_users_who_agree() {
    let server = start(reloading);
    let browser = signed_in(&server).await;
    let stranger = Browser::new(&server);
    let theirs = stranger.sign_in(&[OTHER, &[("scope", Some("openid"))]].concat(), "user", "user123").await;
    let theirs = redeemed(&stranger, "other", "https://other.example/cb", &theirs).await["id_token"].clone();
    let hinted = format!("/logout?id_token_hint={}", theirs.as_str().unwrap());
    // Of a key that is gone: the client still knows where the browser goes, and the user says whether.
    let own = asks(&browser, &[("scope", Some("openid"))]).await;
    let own = redeemed(&browser, "other", "https://other.example/cb", &own).await["id_token"].clone();
    let own = own.as_str().unwrap();
    let forged = format!("/logout?id_token_hint={}AAAA", &own[..own.len() - 4]);
    for path in
        [&*forged, "/logout", "/logout?client_id=shop&post_logout_redirect_uri=https://shop.example/bye?x%3D1", &hinted]
    {
        let page = browser.call(path, None).await;
        assert!(page.status == 200 && page.is_page() && page.body.contains("name=\"request\""), "{path}: {page:?}");
        assert_eq!(asks(&browser, &[]).await.status, 303, "{path}");
    }
    let page = browser.call("/logout", None).await;
    let post = async |browser: &Browser, form: &str| browser.sign_out(form, "sign_out").await;
    assert_eq!(post(&stranger, &page.form()).await.status, 403, "another browser's form");
    assert_eq!(post(&browser, "forged").await.status, 400);
    assert_eq!(asks(&browser, &[]).await.status, 303);
    let gone = post(&browser, &page.form()).await;
    assert!(gone.status == 200 && gone.is_page(), "{gone:?}");
    assert_eq!(asks(&browser, &[]).await.status, 200);
    // RP-Initiated Logout §2: by POST as well
    let posted = Answer::to(browser.http.post(format!("{}/logout", server.base)).form(&[("client_id", "shop")])).await;
    assert_eq!(posted.status, 200);
}

#[tokio::test]
async fn the_cookie_is_the_browsers_alone_and_nothing_in_it_can_be_read_or_changed() {
    let server = start(reloading);
    let browser = Browser::new(&server);
    let answer = browser.sign_in(&[], "admin", "admin123").await;
    let set = cookie(&answer, "session").unwrap();
    assert!(set.contains("; Path=/; HttpOnly; SameSite=Lax") && !set.contains("Max-Age"), "{set}");
    let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
    assert!(!String::from_utf8_lossy(&URL_SAFE_NO_PAD.decode(value).unwrap()).contains("admin"));
    let http = without_cookies();
    let with =
        async |cookie: String| Answer::to(http.get(browser.authorize_url(OTHER)).header("cookie", cookie)).await.status;
    assert_eq!(with(format!("{name}={value}")).await, 303);
    assert_eq!(with(format!("{name}={value}; {name}={value}")).await, 200, "two of them: someone else set one");
    let changed = if value.ends_with('A') { "B" } else { "A" };
    assert_eq!(with(format!("{name}={}{changed}", &value[..value.len() - 1])).await, 200);
    let code = asks(&browser, &[]).await.redirect()["code"].clone();
    assert_eq!(with(format!("{name}={code}")).await, 200, "a code is no session");
    assert_eq!(browser.redeem(value, &[]).await.json()["error"], "invalid_grant", "a session is no code");
    assert_eq!(browser.refresh(value, &[]).await.json()["error"], "invalid_grant", "nor a refresh token");

    let (listener, base) = free_port();
    let oauth: OAuthService = reloading(builder("https://notes.example")).direct_peers().build().unwrap();
    let _server = serve(listener, move |app| {
        app.configure(oauth.routes());
    });
    let http = without_cookies();
    let page = Answer::to(http.get(browser.authorize_url(OTHER).replace(&browser.base, &base))).await;
    let id = cookie(&page, "browser").unwrap().split(';').next().unwrap().to_owned();
    let fields = [("request", page.form()), ("username", "admin".into()), ("password", "admin123".into())];
    let answer = Answer::to(http.post(format!("{base}/login")).header("cookie", id).form(&fields)).await;
    let set = cookie(&answer, "session").unwrap();
    assert!(set.starts_with("__Host-oauth-session-") && set.contains("; Secure"), "{set}");
}

#[tokio::test]
async fn c41_a_form_of_one_kind_is_none_of_another() {
    let server = start(|builder| {
        builder
            .reload_blocking(|subject: &str| Some(json!({ "sub": subject })))
            .second_factor(async |_: SecondFactor| None::<Value>)
            .client(Client::public("third").redirect_uri("https://third.example/cb").third_party())
    });
    let browser = Browser::new(&server);
    let sign_in = browser.authorize(&[]).await.form();
    let third = browser
        .sign_in(
            &[("client_id", Some("third")), ("redirect_uri", Some("https://third.example/cb"))],
            "admin",
            "admin123",
        )
        .await;
    let consent = third.form();
    let sign_out = browser.call("/logout", None).await.form();
    for (name, form) in [("sign-in", &sign_in), ("consent", &consent), ("sign-out", &sign_out)] {
        for path in ["/login", "/verify", "/consent", "/logout"] {
            let own = matches!((name, path), ("sign-in", "/login") | ("consent", "/consent") | ("sign-out", "/logout"));
            if own {
                continue;
            }
            for more in [
                "&cancel=1",
                "&decision=allow",
                "&decision=deny",
                "&answer=123456",
                "&username=admin&password=admin123",
            ] {
                let form = url::form_urlencoded::byte_serialize(form.as_bytes()).collect::<String>();
                let answer = browser.post(path, format!("request={form}{more}")).await;
                assert!(
                    answer.status == 400 && answer.is_page() && answer.body.contains("not a form"),
                    "{name} at {path}{more}: {answer:?}"
                );
            }
        }
    }
}
