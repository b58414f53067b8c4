//! What the pages say, and where they lead.

use std::time::Duration;

use actix_web::{Error, HttpRequest, HttpResponse, get, web};
use oauth_runtime::states::WithReload;
use oauth_runtime::{
    AuthTime, BuildError, Builder, Client, Clock, Login, OAuthService, Question, SecondFactor, SignIn, Texts,
};
use oauth_tests::{Answer, Browser, builder, start, start_with};
use serde_json::{Value, json};

/// A third party's, on https.
const GUEST: &[(&str, Option<&str>)] =
    &[("client_id", Some("guest")), ("redirect_uri", Some("https://guest.example/cb")), ("state", Some("xyz"))];

fn with_guest(builder: Builder) -> Builder<WithReload> {
    builder
        .name("Notes")
        .scope("a:last", "Read it all")
        .scope("offline_access", "Stay with you")
        .audience("https://api.example")
        .resource("https://files.example")
        .reload(async |_: &str| Some(json!({})))
        .client(
            Client::public("guest")
                .name("Guest <Book>")
                .redirect_uri("https://guest.example/cb")
                .third_party()
                .allow_scopes("a:last offline_access notes:read notes:write")
                .allow_resources(["https://api.example", "https://files.example"]),
        )
        .client(Client::public("known").redirect_uri("https://known.example/cb"))
        .language(
            Texts::german().describe("notes:read", "Ihre Notizen lesen").describe("https://files.example", "Dateien"),
        )
}

/// Each of these, and in this order.
fn in_order(page: &Answer, parts: &[&str]) {
    let mut rest = page.body.as_str();
    for part in parts {
        let (_, after) = rest.split_once(part).unwrap_or_else(|| panic!("{part} of {parts:?}: {page:?}"));
        rest = after;
    }
}

#[tokio::test]
async fn c40_the_consent_page_names_account_scopes_resources_and_lasting_access() {
    let server = start(with_guest);
    let browser = Browser::new(&server);
    let asked =
        [("scope", Some("a:last notes:write offline_access notes:read")), ("resource", Some("https://files.example"))];
    let page = browser.sign_in(&[GUEST, &asked].concat(), "admin", "admin123").await;
    in_order(
        &page,
        &[
            "<h1>Allow access?",
            "Guest &#60;Book&#62;",
            "admin",
            "will be able to:",
            "Read your notes",
            "Write your notes",
            "Read it all",
            "<li>Stay with you</li>",
            "This access is valid at:",
            "https://files.example",
            "value=\"allow\"",
        ],
    );
    assert_eq!(page.body.matches("Stay with you").count(), 1, "said once: {page:?}");

    let german = [("ui_locales", Some("de")), ("scope", Some("notes:read"))];
    let page = browser.authorize(&[GUEST, &german, &asked[1..]].concat()).await;
    in_order(&page, &["kann dann:", "Ihre Notizen lesen", "Dieser Zugriff gilt bei:", "Dateien", "value=\"allow\""]);
    assert!(!page.body.contains("Stay with you") && !page.body.contains("Abwesenheit"), "no refresh tokens: {page:?}");

    let own = [("resource", Some("https://api.example")), ("scope", Some("notes:read"))];
    let page = browser.authorize(&[GUEST, &own].concat()).await;
    assert!(!page.body.contains("valid at"), "the service itself goes without saying: {page:?}");
    let both = browser.authorize_url(&[GUEST, &own, &asked[1..]].concat());
    in_order(&Answer::to(browser.http.get(both)).await, &["valid at", "<bdi>Notes<", "<bdi>https://files.example"]);
}

#[tokio::test]
async fn c40_lasting_access_is_said_where_no_scope_says_it() {
    let server = start(|builder| {
        builder
            .reload(async |_: &str| Some(json!({})))
            .client(Client::public("guest").redirect_uri("https://guest.example/cb").third_party())
            .client(
                Client::public("brief").redirect_uri("https://brief.example/cb").third_party().without_refresh_tokens(),
            )
    });
    let page = Browser::new(&server).sign_in(GUEST, "admin", "admin123").await;
    in_order(&page, &["will be able to:", "Keep this access while you are away, until you end it", "value=\"allow\""]);
    let brief = [("client_id", Some("brief")), ("redirect_uri", Some("https://brief.example/cb"))];
    let page = Browser::new(&server).sign_in(&brief, "admin", "admin123").await;
    assert!(page.body.contains("value=\"allow\"") && !page.body.contains("able to"), "{page:?}");
}

#[tokio::test]
async fn c06_the_sign_in_page_lists_what_is_asked_for_only_where_it_is_the_consent() {
    let server = start(with_guest);
    let scope = ("scope", Some("a:last notes:read"));
    let page =
        async |client: &[(&str, Option<&str>)]| Browser::new(&server).authorize(&[client, &[scope]].concat()).await;
    // Any program can be at loopback, and no other page will ask.
    in_order(&page(&[]).await, &["name=\"password\"", "able to:", "Read your notes", "Read it all", "<button"]);
    assert!(!page(GUEST).await.body.contains("Read your notes"), "the consent page will say it");
    let known = [("client_id", Some("known")), ("redirect_uri", Some("https://known.example/cb"))];
    assert!(!page(&known).await.body.contains("Read your notes"), "the author's own");
    assert!(!page(&[("prompt", Some("consent"))]).await.body.contains("Read your notes"), "the consent page will");
}

#[tokio::test]
async fn an_error_page_speaks_the_user_s_language_and_leads_back_to_the_client() {
    let clock = Clock::by_hand();
    let server = start(|builder| with_guest(builder).clock(clock.clone()));
    let browser = Browser::new(&server);
    let form = browser.authorize(&[GUEST, &[("ui_locales", Some("de"))]].concat()).await.form();
    let denied = "href=\"https://guest.example/cb?error=access_denied&#38;error_description=the+user+did+not+allow+it";
    let (back, without_state) = (format!("{denied}&#38;state=xyz&#38;iss="), format!("{denied}&#38;iss="));

    let elsewhere = Browser::new(&server).login(&form, "admin", "admin123").await;
    assert!(elsewhere.status == 403 && elsewhere.is_page(), "{elsewhere:?}");
    in_order(
        &elsewhere,
        &[
            "lang=\"de\"",
            "einem anderen Browser",
            &without_state,
            "Zurück zu",
            "Guest &#60;Book&#62;",
            "does not accept cookies",
        ],
    );

    clock.advance(Duration::from_secs(3601));
    let late = browser.login(&form, "admin", "admin123").await;
    assert_eq!(late.status, 400);
    in_order(&late, &["Diese Seite ist zu alt.", &back, "Fehler 400.", "lang=\"en\" dir=\"ltr\">the form is too old"]);

    // Where the client is not known, or its redirect URI is not one of its own, there is no link.
    for changes in [("client_id", "nobody"), ("redirect_uri", "https://evil.example/")] {
        let page = browser.authorize(&[GUEST, &[(changes.0, Some(changes.1))]].concat()).await;
        assert!(page.status == 400 && page.is_page() && !page.body.contains("<a "), "{page:?}");
        assert!(page.body.contains("The application sent a request that cannot be answered."), "{page:?}");
    }
    let forged = browser.login(&form[1..], "admin", "admin123").await;
    assert!(forged.status == 400 && !forged.body.contains("<a "), "{forged:?}");
}

#[tokio::test]
async fn a_client_that_is_gone_is_not_led_back_to() {
    let before = start(|builder| with_guest(builder).issuer("http://127.0.0.1:9"));
    let after = start(|builder| builder.issuer("http://127.0.0.1:9"));
    let browser = Browser::new(&before);
    let form = browser.authorize(GUEST).await.form();
    let page = Browser { base: after.base.clone(), ..browser }.login(&form, "admin", "admin123").await;
    assert!(page.status == 400 && page.is_page() && !page.body.contains("<a "), "{page:?}");
    assert!(page.body.contains("no client is registered"), "{page:?}");
}

#[tokio::test]
async fn every_page_can_lead_to_the_terms_and_the_privacy_notice() {
    let server = start(|builder| builder.terms("/terms").privacy("https://api.example/privacy?a&b"));
    let browser = Browser::new(&server);
    for page in [browser.authorize(&[]).await, browser.authorize(&[("client_id", Some("nobody"))]).await] {
        in_order(
            &page,
            &["<footer>", "<a href=\"/terms\"", "Terms", "href=\"https://api.example/privacy?a&#38;b\"", "Privacy"],
        );
    }
    for bad in ["", "terms", "//evil.example", "http://notes.example/", "javascript:alert(1)", "/a?b"] {
        let built = builder("http://127.0.0.1:9").terms(bad).build();
        assert!(matches!(built, Err(BuildError::Link { what: "terms", .. })), "{bad}: {built:?}");
    }
}

#[derive(serde::Deserialize)]
struct Pending {
    request: String,
}

/// A sign-up page that ends the authorization that it began in.
#[get("/sign-up")]
async fn sign_up(oauth: OAuthService, http: HttpRequest, query: web::Query<Pending>) -> Result<HttpResponse, Error> {
    let pending = oauth.pending(&http, &query.request).await?;
    assert_eq!(pending.client_name(), "Guest <Book>");
    pending.finish(&http, SignIn::done(json!({ "sub": "newcomer" })), AuthTime::Now).await
}

#[tokio::test]
async fn a_link_of_the_sign_in_page_carries_the_request_to_a_page_that_ends_it() {
    let linked = |builder: Builder| {
        let german = Texts::german().describe("/sign-up", "Konto anlegen");
        with_guest(builder).link("Forgot <password>?", "/forgot").link("Create an account", "/sign-up").language(german)
    };
    let server = start_with(linked, |app| {
        app.service(sign_up);
    });
    let browser = Browser::new(&server);
    let first = browser.authorize(GUEST).await;
    let again = browser.login(&first.form(), "admin", "wrong").await;
    for page in [&first, &again] {
        let request = page.form();
        let forgot = format!("<a href=\"/forgot?request={request}\"><bdi>Forgot &#60;password&#62;?</bdi></a>");
        let create = format!("<a href=\"/sign-up?request={request}\"><bdi>Create an account</bdi></a>");
        in_order(page, &["</form>", &forgot, &create]);
    }
    let german = browser.authorize(&[GUEST, &[("ui_locales", Some("de"))]].concat()).await;
    in_order(&german, &["</form>", "Forgot", "Konto anlegen</bdi></a>"]);

    let request = again.form();
    let elsewhere = Browser::new(&server).call(&format!("/sign-up?request={request}"), None).await;
    assert_eq!(elsewhere.status, 403, "another browser");
    let consent = browser.call(&format!("/sign-up?request={request}"), None).await;
    in_order(&consent, &["Guest &#60;Book&#62;", "newcomer", "value=\"allow\""]);
    let code = browser.consent(&consent.form(), "allow").await.redirect();
    assert!(code.contains_key("code") && code["state"] == "xyz", "{code:?}");

    for path in ["", "forgot", "//evil.example", "https://evil.example/", "/a?b=c", "/a/../b", "/a#b", "javascript:x"] {
        let built = builder("http://127.0.0.1:9").link("Forgot password?", path).build();
        assert!(matches!(built, Err(BuildError::SignInLink { .. })), "{path}: {built:?}");
    }
    assert!(matches!(builder("http://127.0.0.1:9").link("", "/a").build(), Err(BuildError::SignInLink { .. })));
}

#[tokio::test]
async fn the_second_factor_names_the_account_and_offers_another_way() {
    let server = start(|builder| {
        builder
            .authenticate(async |_: Login| -> SignIn<Value> {
                let recovery = Question::code("Enter a recovery code").remember("recovery");
                SignIn::ask(
                    Question::code("Enter the code of your app").of("user-1").or("Use a <recovery> code", recovery),
                )
            })
            .second_factor(async |factor: SecondFactor| {
                assert_eq!(factor.subject.as_deref(), Some("user-1"), "of the same user");
                match (factor.remembered.as_str(), &*factor.answer) {
                    (None, "111111") | (Some("recovery"), "recover-me") => SignIn::done(json!({ "sub": "user-1" })),
                    _ => SignIn::refused(),
                }
            })
    });
    let browser = Browser::new(&server);
    let page = browser.sign_in(&[], "ada", "x").await;
    in_order(&page, &["Signing in as <strong><bdi>ada</bdi></strong>", "Use a &#60;recovery&#62; code</button>"]);
    let answer = async |form: &str, field: &str, value: &str| {
        let fields = [("request", form), (field, value)];
        Answer::to(browser.http.post(format!("{}/verify", server.base)).form(&fields)).await
    };
    // To look for another way is no answer: it may be done more often than one may be wrong.
    for _ in 0..8 {
        let other = answer(&page.form(), "other", "0").await;
        assert!(other.status == 200 && other.body.contains("Enter a recovery code"), "{other:?}");
    }
    for none in ["1", "-1", "x", "0 "] {
        assert_eq!(answer(&page.form(), "other", none).await.status, 400, "{none}");
    }
    let other = answer(&page.form(), "other", "0").await;
    assert_eq!(answer(&other.form(), "answer", "111111").await.status, 401, "the code of the app is none of recovery");
    assert_eq!(answer(&page.form(), "answer", "recover-me").await.status, 401);
    let code = answer(&other.form(), "answer", "recover-me").await.redirect()["code"].clone();
    assert_eq!(browser.redeem(&code, &[]).await.status, 200);
    assert_eq!(answer(&other.form(), "answer", "recover-me").await.status, 400, "once");
}
