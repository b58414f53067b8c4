//! What is asked after the password, signing in elsewhere, and the language of the pages.

use std::time::Duration;

use actix_web::{Error, HttpRequest, HttpResponse, get, post, web};
use oauth_runtime::{
    AuthTime, BuildError, Builder, Client, Clock, Login, OAuthService, Question, SecondFactor, SignIn, Texts,
};
use oauth_tests::{Answer, Browser, builder, free_port, handlers, serve, start};
use serde::Deserialize;
use serde_json::{Value, json};

const CODE: &str = "314159";

/// Asks which way, then for a code; `user` needs neither unless the client wants `strong`.
fn asking(builder: Builder) -> Builder {
    builder
        .authenticate(async |login: Login| match oauth_tests::users(&login) {
            None => SignIn::refused(),
            Some(user) if login.username == "user" && login.acr_values.is_empty() => SignIn::done(user),
            Some(_) => {
                SignIn::ask(Question::choice("Where shall the code go?", [("sms", "To ...42"), ("mail", "To a..@b")]))
            }
        })
        .second_factor(async |factor: SecondFactor| match factor.remembered.as_str() {
            None => SignIn::ask(Question::code("Enter the code").remember(&*factor.answer)),
            Some(way) if &*factor.answer == CODE => {
                SignIn::done(json!({ "sub": "admin", "role": "admin", "way": way })).amr("pwd").amr("otp").acr("strong")
            }
            Some(_) => SignIn::refused(),
        })
}

async fn answer(browser: &Browser, form: &str, text: &str) -> Answer {
    let fields = [("request", form), ("answer", text)];
    Answer::to(browser.http.post(format!("{}/verify", browser.base)).form(&fields)).await
}

fn claims(answer: &Answer) -> Value {
    crate::sessions::claims(&answer.json()["access_token"])
}

#[tokio::test]
async fn one_more_thing_is_asked_until_it_is_enough() {
    let server = start(asking);
    let browser = Browser::new(&server);
    let choice = browser.sign_in(&[("state", Some("s"))], "admin", "admin123").await;
    assert!(choice.status == 200 && choice.is_page(), "{choice:?}");
    assert!(choice.body.contains("Where shall the code go?") && choice.body.contains("value=\"mail\""), "{choice:?}");
    assert!(!choice.body.contains("admin123"), "{choice:?}");
    for wrong in ["", "fax"] {
        assert_eq!(answer(&browser, &choice.form(), wrong).await.status, 400, "{wrong:?}");
    }
    let asked = answer(&browser, &choice.form(), "mail").await;
    assert!(asked.body.contains("one-time-code"), "{asked:?}");
    let wrong = answer(&browser, &asked.form(), "271828").await;
    assert!(wrong.status == 401 && wrong.body.contains("That is incorrect."), "{wrong:?}");
    let done = answer(&browser, &wrong.form(), CODE).await;
    assert_eq!(done.redirect()["state"], "s");
    let claims = claims(&browser.redeem(&done.redirect()["code"], &[]).await);
    assert_eq!(
        (&claims["amr"], &claims["acr"], &claims["way"]),
        (&json!(["pwd", "otp"]), &json!("strong"), &json!("mail"))
    );
    let again = answer(&browser, &wrong.form(), CODE).await;
    assert!(again.status == 400 && again.is_page(), "the page is in the browser's history: {again:?}");
}

#[tokio::test]
async fn c17_codes_cannot_be_guessed_and_a_form_is_good_in_its_browser_for_ten_minutes() {
    let clock = Clock::by_hand();
    let server = start(|builder| asking(builder).clock(clock.clone()));
    let browser = Browser::new(&server);
    let form = browser.sign_in(&[], "admin", "admin123").await.form();
    let form = answer(&browser, &form, "sms").await.form();
    let stranger = Browser::new(&server);
    stranger.authorize(&[]).await;
    assert_eq!(answer(&stranger, &form, CODE).await.status, 403);
    assert_eq!(answer(&browser, &format!("{form}x"), CODE).await.status, 400);
    assert_eq!(browser.login(&form, "admin", "admin123").await.status, 400, "it is no sign-in form");
    let mut statuses = Vec::new();
    for guess in 0..8 {
        statuses.push(answer(&browser, &form, &format!("00000{guess}")).await.status);
    }
    assert_eq!(statuses, [401, 401, 401, 401, 401, 401, 429, 429]);
    let refused = answer(&browser, &form, CODE).await;
    assert_eq!((refused.status, refused.header("retry-after").is_empty()), (429, false), "not even with the right one");
    // A new page is no new chance.
    let fresh = browser.sign_in(&[], "admin", "admin123").await.form();
    let fresh = answer(&browser, &fresh, "sms").await;
    assert_eq!(fresh.status, 429);
    clock.advance(Duration::from_secs(10));
    assert_eq!(answer(&browser, &form, CODE).await.status, 303, "one is let through when the delay is over");
    let form = browser.sign_in(&[], "user", "user123").await;
    assert_eq!(form.status, 303, "no one else is held up");

    let form = Browser::new(&server).sign_in(&[], "admin", "admin123").await;
    assert_eq!(form.status, 200);
    clock.advance(Duration::from_secs(602));
    let browser = Browser::new(&server);
    let form = browser.sign_in(&[], "admin", "admin123").await.form();
    clock.advance(Duration::from_secs(602));
    let old = answer(&browser, &form, "sms").await;
    assert!(old.status == 400 && old.body.contains("too old"), "{old:?}");
}

#[tokio::test]
async fn acr_values_reach_the_author_and_what_was_met_reaches_the_token() {
    let server = start(asking);
    let browser = Browser::new(&server);
    let plain = browser.sign_in(&[], "user", "user123").await.redirect();
    let claims_of_plain = claims(&browser.redeem(&plain["code"], &[]).await);
    assert_eq!(claims_of_plain.get("acr"), None);
    let asked = browser.sign_in(&[("acr_values", Some("strong"))], "user", "user123").await;
    assert_eq!(asked.status, 200, "step-up: {asked:?}");
    let asked = answer(&browser, &asked.form(), "sms").await;
    let done = answer(&browser, &asked.form(), CODE).await.redirect();
    assert_eq!(claims(&browser.redeem(&done["code"], &[]).await)["acr"], "strong");
    let cancelled = browser.sign_in(&[], "admin", "admin123").await.form();
    let fields = [("request", cancelled.as_str()), ("cancel", "cancel")];
    let cancelled = Answer::to(browser.http.post(format!("{}/verify", server.base)).form(&fields)).await;
    assert_eq!(cancelled.redirect()["error"], "access_denied");
}

#[tokio::test]
async fn a_question_that_cannot_be_asked_is_an_error_of_the_server() {
    let nobody_listens = start(|builder| {
        builder.authenticate(async |_: Login| -> SignIn<Value> { SignIn::ask(Question::code("Enter the code")) })
    });
    let answer = Browser::new(&nobody_listens).sign_in(&[], "admin", "admin123").await;
    assert!(answer.status == 500 && answer.is_page(), "{answer:?}");
    let no_text = start(|builder| {
        asking(builder).authenticate(async |_: Login| -> SignIn<Value> { SignIn::ask(Question::code("")) })
    });
    assert_eq!(Browser::new(&no_text).sign_in(&[], "admin", "admin123").await.status, 500);
    let too_much = start(|builder| {
        asking(builder).authenticate(async |_: Login| -> SignIn<Value> {
            SignIn::ask(Question::code("?").remember("x".repeat(20_000)))
        })
    });
    assert_eq!(Browser::new(&too_much).sign_in(&[], "admin", "admin123").await.status, 500);
}

#[derive(Deserialize)]
struct Elsewhere {
    request: String,
    #[serde(default)]
    who: String,
    ago: Option<u64>,
}

#[get("/my/page")]
async fn my_page(oauth: OAuthService, http: HttpRequest, form: web::Query<Elsewhere>) -> Result<HttpResponse, Error> {
    let pending = oauth.pending(&http, &form.request).await?;
    Ok(HttpResponse::Ok().json(json!({
        "client": pending.client_name(), "to": pending.returns_to(), "scopes": pending.scopes(),
        "login_hint": pending.login_hint(), "acr": pending.acr_values(), "language": pending.language(),
        "prompt": pending.prompt(), "max_age": pending.max_age().map(|age| age.as_secs()), "hint": pending.hint(),
        "resources": pending.resources(),
    })))
}

#[post("/my/page")]
async fn my_sign_in(oauth: OAuthService, http: HttpRequest, form: web::Form<Elsewhere>) -> Result<HttpResponse, Error> {
    let pending = oauth.pending(&http, &form.request).await?;
    match form.who.as_str() {
        "" => pending.deny(&http).await,
        "nobody" => pending.finish(&http, SignIn::<Value>::refused(), AuthTime::Now).await,
        "nameless" => pending.finish(&http, SignIn::done(json!({ "role": "admin" })), AuthTime::Now).await,
        "client" => pending.finish(&http, SignIn::done(json!({ "sub": "demo" })), AuthTime::Now).await,
        who => {
            let user = SignIn::done(json!({ "sub": who, "role": "admin" })).amr("hwk").acr("passkey");
            pending
                .finish(&http, user, form.ago.map_or(AuthTime::Now, |ago| AuthTime::Ago(Duration::from_secs(ago))))
                .await
        }
    }
}

/// What the browser takes along to the author's page.
fn sealed(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{answer:?}");
    answer.header("location").split_once("?request=").unwrap().1.to_owned()
}

#[tokio::test]
async fn an_author_signs_users_in_by_his_own_means() {
    let (listener, base) = free_port();
    let oauth = OAuthService::builder()
        .untyped_claims()
        .issuer(&base)
        .client(Client::public("other").name("Other").redirect_uri("https://other.example/cb"))
        .client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"))
        .scope("notes:read", "Read your notes")
        .language(Texts { scopes: [("notes:read".into(), "Notizen lesen".into())].into(), ..Texts::german() })
        .sign_in_at("/my/page")
        .reload(async |_: &str| Some(json!({ "role": "admin" })))
        .build()
        .unwrap();
    let server = serve(listener, move |app| {
        app.configure(oauth.routes()).configure(handlers).service(my_page).service(my_sign_in);
    });
    let browser = Browser::new(&server);
    let other =
        [("client_id", Some("other")), ("redirect_uri", Some("https://other.example/cb")), ("state", Some("s"))];
    let more = [
        ("login_hint", Some("ada")),
        ("acr_values", Some("passkey")),
        ("ui_locales", Some("de-AT")),
        ("scope", Some("notes:read")),
        ("prompt", Some("select_account")),
        ("max_age", Some("300")),
        ("resource", Some(&*base)),
    ];
    let sent = browser.authorize(&[&other[..], &more].concat()).await;
    let request = sealed(&sent);
    assert!(sent.header("location").starts_with("/my/page?request="), "{sent:?}");
    let seen = Answer::to(browser.http.get(format!("{base}/my/page?request={request}"))).await.json();
    let expected = json!({ "client": "Other", "to": "other.example", "scopes": ["Notizen lesen"],
        "login_hint": "ada", "acr": ["passkey"], "language": "de", "prompt": ["select_account"], "max_age": 300, "hint": null,
        "resources": [base] });
    assert_eq!(seen, expected);

    let post = async |browser: &Browser, request: &str, who: &str| {
        Answer::to(browser.http.post(format!("{base}/my/page")).form(&[("request", request), ("who", who)])).await
    };
    assert_eq!(post(&Browser::new(&server), &request, "ada").await.status, 403, "another browser");
    assert_eq!(post(&browser, "forged", "ada").await.status, 400);
    for (who, status) in [("nameless", 500), ("client", 500)] {
        let answer = post(&browser, &request, who).await;
        assert!(answer.status == status && answer.is_page(), "{who}: {answer:?}");
    }
    for who in ["", "nobody"] {
        assert_eq!(post(&browser, &request, who).await.redirect()["error"], "access_denied", "{who}");
    }
    let done = post(&browser, &request, "ada").await.redirect();
    assert_eq!(done["state"], "s");
    let changes = [("client_id", Some("other")), ("redirect_uri", Some("https://other.example/cb"))];
    let claims = claims(&browser.redeem(&done["code"], &changes).await);
    assert_eq!((&claims["sub"], &claims["amr"], &claims["acr"]), (&json!("ada"), &json!(["hwk"]), &json!("passkey")));
    // The session is one like any other; a client that could be any program asks.
    assert!(browser.authorize(&other).await.redirect().contains_key("code"));
    let asked = browser.authorize(&[]).await;
    assert!(asked.status == 200 && asked.body.contains("value=\"allow\""), "{asked:?}");
    let sent = Browser::new(&server);
    let request = sealed(&sent.authorize(&[]).await);
    let asked = post(&sent, &request, "ada").await;
    assert!(asked.status == 200 && asked.body.contains("value=\"allow\""), "{asked:?}");
    assert!(sent.consent(&asked.form(), "allow").await.redirect().contains_key("code"));
    let request = sealed(&sent.authorize(&[("prompt", Some("login"))]).await);
    assert_eq!(sent.login(&request, "ada", "x").await.status, 400, "there is no password to be had here");

    for path in ["", "my/page", "https://evil.example/", "//evil.example"] {
        let built = OAuthService::builder()
            .untyped_claims()
            .issuer(&base)
            .client(Client::public("a").redirect_uri("https://a.example/"));
        assert!(matches!(built.sign_in_at(path).build(), Err(BuildError::SignInAt { .. })), "{path}");
    }
}

#[tokio::test]
async fn the_pages_speak_the_language_that_is_asked_for() {
    let german = Texts { scopes: [("notes:read".into(), "Ihre Notizen lesen".into())].into(), ..Texts::german() };
    let server = start(|builder| builder.language(german).reload(async |_: &str| Some(json!({}))));
    let browser = Browser::new(&server);
    let scope = ("scope", Some("notes:read notes:write"));
    // All languages of a browser, in the order of its user.
    let many = format!("de{}", " xx-Latn-YY".repeat(40));
    for locales in ["de", "DE", "de-CH-1996", "fr de", &many] {
        let page = browser.authorize(&[scope, ("ui_locales", Some(locales))]).await;
        for text in ["lang=\"de\"", "Anmelden", "Passwort", "Ihre Notizen lesen", "Write your notes"] {
            assert!(page.body.contains(text), "{locales} {text}: {page:?}");
        }
    }
    for locales in ["en", "fr", "d", ""] {
        let page = browser.authorize(&[scope, ("ui_locales", Some(locales))]).await;
        assert!(page.body.contains("lang=\"en\"") && page.body.contains("Read your notes"), "{locales}: {page:?}");
    }
    // It stays through the steps; errors have it from the browser.
    let form = browser.authorize(&[("ui_locales", Some("de"))]).await.form();
    let wrong = browser.login(&form, "admin", "wrong").await;
    assert!(wrong.body.contains("Der Benutzername oder das Passwort ist falsch."), "{wrong:?}");
    assert!(browser.login(&wrong.form(), "admin", "admin123").await.redirect().contains_key("code"));
    let consent = browser.authorize(&[("ui_locales", Some("de"))]).await;
    assert!(consent.body.contains("Zugriff erlauben?") && consent.body.contains("Ablehnen"), "{consent:?}");
    for (accept, language) in
        [("fr;q=0.9, de;q=0.8, en;q=0.1", "de"), ("en, de", "en"), ("de;q=0, *", "en"), ("\u{e9}", "en")]
    {
        let url = browser.authorize_url(&[("client_id", Some("nobody"))]);
        let header = reqwest::header::HeaderValue::from_bytes(accept.as_bytes()).unwrap();
        let page = Answer::to(browser.http.get(url).header("accept-language", header)).await;
        assert!(page.body.contains(&format!("<html lang=\"{language}\" dir=\"ltr\">")), "{accept}: {page:?}");
    }
    let page = Answer::to(browser.http.get(format!("{}/logout", server.base)).header("accept-language", "de")).await;
    assert!(page.body.contains("Abmelden?"), "{page:?}");

    let broken =
        builder("http://127.0.0.1:9").language(Texts { to_continue: "weiter".into(), ..Texts::german() }).build();
    let Err(BuildError::Language { language, why }) = broken else { panic!("{broken:?}") };
    assert!(language == "de" && why.contains("to_continue") && why.contains("{client}"), "{why}");
}
