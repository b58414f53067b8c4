//! Devices without a browser (RFC 8628): what they ask, the page on which their user decides, and what they get.

use std::time::Duration;

use actix_web::{Error, HttpRequest, HttpResponse, post, web};
use oauth_runtime::states::WithReload;
use oauth_runtime::{AuthTime, Builder, Client, Clock, GrantType, OAuthService, SignIn};
use oauth_tests::{Answer, Browser, SECRET, Server, builder, changed, free_port, handlers, serve, start};
use serde_json::{Value, json};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

fn with_devices(builder: Builder) -> Builder<WithReload> {
    builder
        .client(Client::public("tv").name("Notes for TV").device())
        .client(Client::public("radio").device().without_refresh_tokens())
        .client(Client::confidential("kiosk").secret(SECRET).device())
        .client(
            Client::public("partner")
                .redirect_uri("https://partner.example/cb")
                .device()
                .third_party()
                .allow_scopes("notes:read"),
        )
        .reload_blocking(|_| Some(json!({ "role": "admin", "permissions": ["read"] })))
        .refresh_tokens(true)
        .sessions(true)
}

/// A service with devices, and its clock.
fn server() -> (Server, Clock) {
    service(builder).0
}

/// The same for another builder, and the service itself.
fn service(builder: impl FnOnce(&str) -> Builder) -> ((Server, Clock), OAuthService) {
    let (listener, base) = free_port();
    let clock = Clock::by_hand();
    let oauth = with_devices(builder(&base)).clock(clock.clone()).build().unwrap();
    let routes = oauth.clone();
    let server = serve(listener, move |app| {
        app.configure(routes.routes()).configure(handlers).service(own_page);
    });
    ((server, clock), oauth)
}

/// What a device got to show.
struct Device<'a> {
    browser: Browser,
    clock: &'a Clock,
    client: &'static str,
    answer: Value,
}

impl<'a> Device<'a> {
    async fn asks((server, clock): &'a (Server, Clock), client: &'static str, more: &[(&str, &str)]) -> Device<'a> {
        let browser = Browser::new(server);
        let form = [&[("client_id", client)], more].concat();
        let answer = browser.post("/device_authorization", changed(&form, &[])).await;
        assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{answer:?}");
        Device { browser, clock, client, answer: answer.json() }
    }

    fn user_code(&self) -> &str {
        self.answer["user_code"].as_str().unwrap()
    }

    fn code(&self) -> &str {
        self.answer["device_code"].as_str().unwrap()
    }

    /// Asks, as soon as it may.
    async fn polls(&self) -> Answer {
        self.clock.advance(Duration::from_secs(5));
        self.polls_at_once(&[]).await
    }

    async fn polls_at_once(&self, changes: &[(&str, Option<&str>)]) -> Answer {
        let form = [("grant_type", GRANT), ("client_id", self.client), ("device_code", self.code())];
        self.browser.post("/token", changed(&form, changes)).await
    }

    async fn waits(&self) {
        refused(&self.polls().await, "authorization_pending");
    }

    async fn gets(&self) -> Value {
        let answer = self.polls().await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }
}

fn refused(answer: &Answer, error: &str) {
    assert_eq!((answer.status, &answer.json()["error"]), (400, &json!(error)), "{answer:?}");
    assert_eq!(answer.header("cache-control"), "no-store");
}

/// Opens the page, and types a code.
async fn types(browser: &Browser, code: &str) -> Answer {
    let page = Answer::to(browser.http.get(format!("{}/device", browser.base))).await;
    assert!(page.status == 200 && page.is_page(), "{page:?}");
    sends(browser, &page.form(), code).await
}

async fn sends(browser: &Browser, form: &str, code: &str) -> Answer {
    browser.post("/device", changed(&[("request", form), ("user_code", code)], &[])).await
}

/// The consent page of a user who types this code and signs in.
pub(crate) async fn asked(browser: &Browser, code: &str, user: &str) -> Answer {
    let page = types(browser, code).await;
    assert!(page.body.contains("name=\"password\""), "{page:?}");
    let page = browser.login(&page.form(), user, &format!("{user}123")).await;
    assert!(page.status == 200 && page.body.contains("value=\"allow\""), "{page:?}");
    page
}

fn ends(answer: &Answer, title: &str) {
    assert!(answer.status == 200 && answer.is_page() && answer.body.contains(title), "{answer:?}");
}

const ALLOWED: &str = "<h1>Your device can continue</h1>";
const DENIED: &str = "<h1>Nothing was allowed</h1>";

#[tokio::test]
async fn c53_a_device_gets_tokens_once_its_user_has_allowed_it() {
    let server = server();
    let device = Device::asks(&server, "tv", &[("scope", "notes:read unknown")]).await;
    let code = device.user_code();
    let letters = |part: &str| part.len() == 4 && part.bytes().all(|letter| b"BCDFGHJKLMNPQRSTVWXZ".contains(&letter));
    assert!(code.split_once('-').is_some_and(|(first, second)| letters(first) && letters(second)), "{code}");
    let page = format!("{}/device", server.0.base);
    let complete = format!("{page}?user_code={code}");
    assert_eq!(
        device.answer,
        json!({
            "device_code": device.code(), "user_code": code, "verification_uri": page,
            "verification_uri_complete": complete, "expires_in": 600, "interval": 5,
        })
    );
    device.waits().await;
    let phone = Browser::new(&server.0);
    // In any case, with whatever stands between.
    let form = types(&phone, &format!(" {} ", code.to_lowercase().replace('-', " "))).await;
    assert!(form.body.contains("to continue to <strong><bdi>Notes for TV</bdi>"), "{form:?}");
    assert!(form.body.contains(code) && !form.body.contains("You will then be sent"), "{form:?}");
    device.waits().await;
    let page = phone.login(&form.form(), "admin", "admin123").await;
    for shown in
        ["Notes for TV", code, "Read your notes", "127.0.0.1", " UTC from ", "only if you just began it yourself"]
    {
        assert!(page.body.contains(shown), "{shown}: {page:?}");
    }
    assert!(!page.header("content-security-policy").contains("http"), "it leads nowhere: {page:?}");
    device.waits().await;
    ends(&phone.consent(&page.form(), "allow").await, ALLOWED);

    let issued = device.gets().await;
    assert_eq!((&issued["scope"], &issued["token_type"]), (&json!("notes:read"), &json!("Bearer")), "{issued}");
    let token = issued["access_token"].as_str().unwrap();
    let me = phone.call("/me", Some(token)).await.json();
    assert_eq!((&me["sub"], &me["client_id"], &me["claims"]["role"]), (&json!("admin"), &json!("tv"), &json!("admin")));
    let refreshed = phone.refresh(issued["refresh_token"].as_str().unwrap(), &[("client_id", Some("tv"))]).await;
    assert_eq!((refreshed.status, &refreshed.json()["scope"]), (200, &json!("notes:read")), "{refreshed:?}");
}

#[tokio::test]
async fn c53_a_link_fills_the_field_in_and_sends_nothing() {
    let server = server();
    let device = Device::asks(&server, "tv", &[]).await;
    let phone = Browser::new(&server.0);
    let complete = device.answer["verification_uri_complete"].as_str().unwrap();
    let page = Answer::to(phone.http.get(complete)).await;
    assert!(page.status == 200 && page.is_page(), "{page:?}");
    assert!(page.body.contains(&format!("value=\"{}\"", device.user_code())), "{page:?}");
    assert!(page.body.contains("Does your device show exactly this code?"), "{page:?}");
    // A user who is signed in is asked all the same, though the client is the author's own.
    phone.sign_in(&[], "admin", "admin123").await;
    let page = sends(&phone, &page.form(), device.user_code()).await;
    assert!(page.body.contains("value=\"allow\"") && page.body.contains(device.user_code()), "{page:?}");
    ends(&phone.consent(&page.form(), "allow").await, ALLOWED);
    assert_eq!(device.gets().await.get("scope"), None);
    // And so at the next device.
    let device = Device::asks(&server, "tv", &[]).await;
    let page = types(&phone, device.user_code()).await;
    assert!(page.body.contains("value=\"allow\""), "{page:?}");
}

#[tokio::test]
async fn c53_a_form_of_the_page_is_taken_from_its_own_browser_and_page_alone() {
    let server = server();
    let device = Device::asks(&server, "tv", &[]).await;
    let (phone, stranger) = (Browser::new(&server.0), Browser::new(&server.0));
    let page = Answer::to(phone.http.get(format!("{}/device", phone.base))).await;
    let fields = changed(&[("request", page.form().as_str()), ("user_code", device.user_code())], &[]);
    assert_eq!(stranger.post("/device", fields.clone()).await.status, 403);
    assert_eq!(phone.post_from_elsewhere("/device", fields).await.status, 403);
    assert_eq!(sends(&phone, "x", device.user_code()).await.status, 400);
    let page = asked(&phone, device.user_code(), "admin").await;
    assert_eq!(stranger.consent(&page.form(), "allow").await.status, 403);
    device.waits().await;
}

#[tokio::test]
async fn who_asks_too_soon_has_to_slow_down() {
    let server = server();
    let device = Device::asks(&server, "tv", &[]).await;
    device.waits().await;
    refused(&device.polls_at_once(&[]).await, "slow_down");
    refused(&device.polls().await, "slow_down");
    server.1.advance(Duration::from_secs(10));
    device.waits().await;
    refused(&device.polls().await, "slow_down");
    let phone = Browser::new(&server.0);
    let page = asked(&phone, device.user_code(), "admin").await;
    ends(&phone.consent(&page.form(), "allow").await, ALLOWED);
    assert_eq!(device.polls_at_once(&[]).await.status, 200, "what is decided it learns at once");
}

#[tokio::test]
async fn c53_a_device_learns_that_it_was_denied() {
    let server = server();
    let device = Device::asks(&server, "tv", &[]).await;
    let phone = Browser::new(&server.0);
    // Who leaves before it is known who they are has decided nothing.
    let page = types(&phone, device.user_code()).await;
    let left = phone.post("/login", changed(&[("request", page.form().as_str()), ("cancel", "cancel")], &[])).await;
    assert!(left.status == 303 && left.header("location").starts_with(&format!("{}/device?", phone.base)), "{left:?}");
    let back = Answer::to(phone.http.get(left.header("location"))).await;
    ends(&back, DENIED);
    device.waits().await;
    let page = asked(&phone, device.user_code(), "admin").await;
    ends(&phone.consent(&page.form(), "deny").await, DENIED);
    refused(&device.polls().await, "access_denied");
    refused(&device.polls().await, "access_denied");
    let again = phone.consent(&page.form(), "allow").await;
    assert!(again.status == 400 && again.is_page(), "{again:?}");
    refused(&device.polls().await, "access_denied");
    let page = types(&phone, device.user_code()).await;
    assert!(page.status == 400 && page.body.contains("No device is waiting with this code"), "it is used: {page:?}");
}

#[tokio::test]
async fn c11_a_code_that_comes_twice_ends_what_it_gave() {
    let server = server();
    let device = Device::asks(&server, "tv", &[]).await;
    let phone = Browser::new(&server.0);
    let page = asked(&phone, device.user_code(), "admin").await;
    ends(&phone.consent(&page.form(), "allow").await, ALLOWED);
    let issued = device.gets().await;
    let token = issued["access_token"].as_str();
    assert_eq!(phone.call("/me", token).await.status, 200);
    refused(&device.polls().await, "invalid_grant");
    assert_eq!(phone.call("/me", token).await.status, 401);
    let refreshed = phone.refresh(issued["refresh_token"].as_str().unwrap(), &[("client_id", Some("tv"))]).await;
    refused(&refreshed, "invalid_grant");
}

#[tokio::test]
async fn c11_however_many_ask_at_once_there_is_one_answer() {
    let server = server();
    let device = Device::asks(&server, "tv", &[]).await;
    let phone = Browser::new(&server.0);
    let page = asked(&phone, device.user_code(), "admin").await;
    ends(&phone.consent(&page.form(), "allow").await, ALLOWED);
    let answers = futures_util::future::join_all((0..20).map(|_| device.polls_at_once(&[]))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        refused(answer, "invalid_grant");
    }
}

#[tokio::test]
async fn c10_c53_codes_expire_after_ten_minutes() {
    let server = server();
    let device = Device::asks(&server, "tv", &[]).await;
    let phone = Browser::new(&server.0);
    let page = asked(&phone, device.user_code(), "admin").await;
    server.1.advance(Duration::from_secs(594));
    device.waits().await;
    server.1.advance(Duration::from_secs(1));
    let late = phone.consent(&page.form(), "allow").await;
    assert!(late.status == 400 && late.is_page(), "{late:?}");
    assert_eq!(types(&phone, device.user_code()).await.status, 400);
    refused(&device.polls_at_once(&[]).await, "expired_token");
    // What was allowed and not asked for in time has gone as well.
    let device = Device::asks(&server, "tv", &[]).await;
    let page = types(&phone, device.user_code()).await;
    ends(&phone.consent(&page.form(), "allow").await, ALLOWED);
    server.1.advance(Duration::from_secs(600));
    refused(&device.polls_at_once(&[]).await, "expired_token");
}

#[tokio::test]
async fn c11_a_code_is_good_for_its_own_client_alone() {
    let server = server();
    let device = Device::asks(&server, "tv", &[]).await;
    let phone = Browser::new(&server.0);
    refused(&device.polls_at_once(&[("client_id", Some("radio"))]).await, "invalid_grant");
    refused(&device.polls_at_once(&[("client_id", Some("demo"))]).await, "unauthorized_client");
    refused(&device.polls_at_once(&[("client_id", Some("none"))]).await, "invalid_client");
    refused(&device.polls_at_once(&[("device_code", Some("x"))]).await, "invalid_grant");
    refused(&device.polls_at_once(&[("device_code", None)]).await, "invalid_request");
    let as_code = [("grant_type", Some("authorization_code")), ("code", Some(device.code())), ("device_code", None)];
    refused(&device.polls_at_once(&as_code).await, "unauthorized_client");
    let page = asked(&phone, device.user_code(), "admin").await;
    ends(&phone.consent(&page.form(), "allow").await, ALLOWED);
    refused(&device.polls_at_once(&[("client_id", Some("radio"))]).await, "invalid_grant");
    assert_eq!(device.polls().await.status, 200, "none of that was in its way");
}

#[tokio::test]
async fn c42_a_sign_out_ends_what_waits() {
    let (server, oauth) = service(builder);
    let phone = Browser::new(&server.0);
    for is_allowed in [true, false] {
        let device = Device::asks(&server, "tv", &[]).await;
        let page = asked(&phone, device.user_code(), "admin").await;
        if is_allowed {
            ends(&phone.consent(&page.form(), "allow").await, ALLOWED);
        }
        server.1.advance(Duration::from_secs(2));
        oauth.sign_out("admin").await.unwrap();
        server.1.advance(Duration::from_secs(2));
        if is_allowed {
            refused(&device.polls().await, "invalid_grant");
        } else {
            assert_eq!(phone.consent(&page.form(), "allow").await.status, 400);
            device.waits().await;
        }
    }
}

#[tokio::test]
async fn c42_what_waited_in_a_memory_that_is_gone_has_expired() {
    let (server, oauth) = service(builder);
    let device = Device::asks(&server, "tv", &[]).await;
    let phone = Browser::new(&server.0);
    let page = asked(&phone, device.user_code(), "admin").await;
    oauth.renew().await.unwrap();
    assert_eq!(phone.consent(&page.form(), "allow").await.status, 400);
    assert_eq!(types(&phone, device.user_code()).await.status, 400);
    refused(&device.polls().await, "expired_token");
}

/// A page of the author's own, which says whose code it is.
#[post("/own/page")]
async fn own_page(oauth: OAuthService, http: HttpRequest, form: web::Form<Own>) -> Result<HttpResponse, Error> {
    let pending = oauth.pending(&http, &form.request).await?;
    if pending.user_code().as_deref() != Some(&form.code) {
        return pending.deny(&http).await;
    }
    pending.finish(&http, SignIn::done(json!({ "sub": "ada" })), AuthTime::Now).await
}

#[derive(serde::Deserialize)]
struct Own {
    request: String,
    code: String,
}

#[tokio::test]
async fn c53_who_signs_in_on_a_page_of_the_author_s_is_asked_as_well() {
    let own = |base: &str| {
        let builder = OAuthService::builder().untyped_claims().issuer(base).sign_in_at("/own/page");
        builder.scope("notes:read", "Read your notes")
    };
    let (server, _) = service(own);
    let device = Device::asks(&server, "tv", &[]).await;
    let phone = Browser::new(&server.0);
    let signs_in = async |code: &str| {
        let sent = types(&phone, device.user_code()).await;
        let request = sent.header("location").split_once("/own/page?request=").unwrap().1;
        phone.post("/own/page", changed(&[("request", request), ("code", code)], &[])).await
    };
    let left = signs_in("another").await;
    assert_eq!(left.redirect()["error"], "access_denied");
    device.waits().await;
    let page = signs_in(device.user_code()).await;
    assert!(page.body.contains("value=\"allow\"") && page.body.contains(device.user_code()), "{page:?}");
    device.waits().await;
    ends(&phone.consent(&page.form(), "allow").await, ALLOWED);
    assert_eq!(phone.call("/me", device.gets().await["access_token"].as_str()).await.json()["sub"], "ada");
}

#[tokio::test]
async fn c53_a_denied_device_takes_nothing_from_its_client() {
    let server = server();
    let phone = Browser::new(&server.0);
    let partner: &[(&str, Option<&str>)] = &[
        ("client_id", Some("partner")),
        ("redirect_uri", Some("https://partner.example/cb")),
        ("scope", Some("notes:read")),
    ];
    let page = phone.sign_in(partner, "admin", "admin123").await;
    assert!(phone.consent(&page.form(), "allow").await.redirect().contains_key("code"));
    let device = Device::asks(&server, "partner", &[("scope", "notes:read")]).await;
    let page = types(&phone, device.user_code()).await;
    ends(&phone.consent(&page.form(), "deny").await, DENIED);
    assert!(phone.authorize(partner).await.redirect().contains_key("code"), "it was allowed that before");
    // And what a device was allowed, a browser was not.
    let device = Device::asks(&server, "partner", &[("scope", "notes:read notes:write")]).await;
    let page = types(&phone, device.user_code()).await;
    assert!(page.body.contains("value=\"allow\""), "{page:?}");
}

#[tokio::test]
async fn c53_the_first_of_two_users_decides() {
    let server = server();
    let device = Device::asks(&server, "tv", &[]).await;
    let (first, second) = (Browser::new(&server.0), Browser::new(&server.0));
    let one = asked(&first, device.user_code(), "admin").await;
    let other = asked(&second, device.user_code(), "user").await;
    ends(&first.consent(&one.form(), "allow").await, ALLOWED);
    for decision in ["allow", "deny"] {
        let late = second.consent(&other.form(), decision).await;
        assert!(late.status == 400 && late.is_page(), "{decision}: {late:?}");
    }
    ends(&first.consent(&one.form(), "allow").await, ALLOWED);
    let token = device.gets().await["access_token"].as_str().unwrap().to_owned();
    assert_eq!(first.call("/me", Some(&token)).await.json()["sub"], "admin");
}

#[tokio::test]
async fn c43_what_a_client_may_have_holds_for_its_devices() {
    let server = server();
    let phone = Browser::new(&server.0);
    let ask = async |form: &[(&str, &str)]| phone.post("/device_authorization", changed(form, &[])).await;
    refused(&ask(&[("client_id", "demo")]).await, "unauthorized_client");
    refused(&ask(&[("client_id", "none")]).await, "invalid_client");
    refused(&ask(&[("client_id", "kiosk")]).await, "invalid_client");
    refused(&ask(&[("scope", "notes:read")]).await, "invalid_client");
    refused(&ask(&[("client_id", "partner"), ("scope", "notes:write")]).await, "invalid_scope");
    refused(&ask(&[("client_id", "tv"), ("resource", "https://unknown.example")]).await, "invalid_target");
    let wrong = phone.post_as("/device_authorization", "kiosk", "wrong", &[]).await;
    assert_eq!(wrong.status, 401, "{wrong:?}");
    assert_eq!(Answer::to(phone.http.get(format!("{}/device_authorization", phone.base))).await.status, 405);

    let kiosk = phone.post_as("/device_authorization", "kiosk", SECRET, &[("scope", "notes:read")]).await.json();
    let page = asked(&phone, kiosk["user_code"].as_str().unwrap(), "admin").await;
    ends(&phone.consent(&page.form(), "allow").await, ALLOWED);
    let form = [("grant_type", GRANT), ("device_code", kiosk["device_code"].as_str().unwrap())];
    let issued = phone.post_as("/token", "kiosk", SECRET, &form).await;
    assert_eq!((issued.status, &issued.json()["scope"]), (200, &json!("notes:read")), "{issued:?}");
    assert!(issued.json()["refresh_token"].is_string(), "{issued:?}");

    let radio = Device::asks(&server, "radio", &[("scope", "notes:read")]).await;
    let page = types(&phone, radio.user_code()).await;
    assert!(!page.body.contains("while you are away"), "{page:?}");
    ends(&phone.consent(&page.form(), "allow").await, ALLOWED);
    assert_eq!(radio.gets().await.get("refresh_token"), None);
}

#[tokio::test]
async fn c53_the_flow_is_off_unless_a_client_has_it() {
    let server = start(|builder| builder);
    let browser = Browser::new(&server);
    for path in ["/device", "/device_authorization"] {
        assert_eq!(Answer::to(browser.http.get(format!("{}{path}", browser.base))).await.status, 404, "{path}");
        assert_eq!(browser.post(path, "client_id=demo").await.status, 404, "{path}");
    }
    let metadata = browser.call("/.well-known/oauth-authorization-server", None).await.json();
    assert_eq!(metadata.get("device_authorization_endpoint"), None);
    assert!(!metadata["grant_types_supported"].as_array().unwrap().contains(&json!(GRANT)));
    let form = changed(&[("grant_type", GRANT), ("client_id", "demo"), ("device_code", "x")], &[]);
    refused(&browser.post("/token", form).await, "unsupported_grant_type");

    let both = Client::public("both").redirect_uri("http://127.0.0.1/callback");
    let server = start(|builder| builder.client(both.grants([GrantType::AuthorizationCode, GrantType::DeviceCode])));
    let browser = Browser::new(&server);
    let metadata = browser.call("/.well-known/oauth-authorization-server", None).await.json();
    assert_eq!(metadata["device_authorization_endpoint"], format!("{}/device_authorization", browser.base));
    assert!(metadata["grant_types_supported"].as_array().unwrap().contains(&json!(GRANT)));
    // Without sessions each device has its own sign-in.
    let page = asked(
        &browser,
        browser.post("/device_authorization", "client_id=both").await.json()["user_code"].as_str().unwrap(),
        "admin",
    )
    .await;
    ends(&browser.consent(&page.form(), "allow").await, ALLOWED);
}

#[tokio::test]
async fn c46_codes_cannot_be_guessed() {
    let server = server();
    let device = Device::asks(&server, "tv", &[]).await;
    let phone = Browser::new(&server.0);
    assert_eq!(types(&phone, "not a code").await.status, 400, "which is no guess");
    for _ in 0..10 {
        let wrong = types(&phone, "BBBB-BBBB").await;
        assert!(wrong.status == 400 && wrong.body.contains("No device is waiting with this code"), "{wrong:?}");
    }
    // One more is let through, and then the right one has to wait as well, in any browser.
    assert_eq!(types(&phone, "BBBB-BBBB").await.status, 400);
    let browser = Browser::new(&server.0);
    let held_up = types(&browser, device.user_code()).await;
    assert_eq!((held_up.status, held_up.header("retry-after")), (429, "2"), "{held_up:?}");
    assert!(held_up.body.contains("Too many attempts."), "{held_up:?}");
    server.1.advance(Duration::from_secs(2));
    assert!(types(&browser, device.user_code()).await.body.contains("name=\"password\""));
}

#[tokio::test]
async fn c47_devices_that_wait_are_bounded() {
    let server = server();
    let browser = Browser::new(&server.0);
    for _ in 0..30 {
        assert_eq!(browser.post("/device_authorization", "client_id=tv").await.status, 200);
    }
    assert_eq!(browser.post("/device_authorization", "client_id=tv").await.status, 200, "the gate's");
    let full = browser.post("/device_authorization", "client_id=tv").await;
    assert_eq!((full.status, full.header("retry-after")), (429, "2"), "{full:?}");
    assert_eq!(full.json()["error"], "temporarily_unavailable");
}
