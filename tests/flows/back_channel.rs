//! Clients that learn of a sign-out (OpenID Connect Back-Channel Logout 1.0).

use std::collections::VecDeque;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth_runtime::{Client, Clock, Event, EventKind, Keys, OAuthService, SignatureAlgorithm, SigningKey};
use oauth_tests::keys::rsa;
use oauth_tests::{
    Answer, Browser, Changes, PATIENCE, REDIRECT, SECRET, Server, builder, free_port, serve, serve_service,
};
use serde_json::{Value, json};

/// No answer.
const NEVER: u16 = 0;

/// A client's server.
#[derive(Clone)]
struct Told {
    /// What it answers, 200 where nothing is said.
    answers: Arc<Mutex<VecDeque<u16>>>,
    tell: Sender<(String, String)>,
}

async fn told(told: web::Data<Told>, http: actix_web::HttpRequest, body: String) -> HttpResponse {
    let kind = http.headers().get("content-type").unwrap().to_str().unwrap().to_owned();
    told.tell.send((kind, body)).unwrap();
    let status = told.answers.lock().unwrap().pop_front().unwrap_or(200);
    if status == NEVER {
        std::future::pending::<()>().await;
    }
    HttpResponse::build(StatusCode::from_u16(status).unwrap()).insert_header(("location", "/elsewhere")).finish()
}

struct Set {
    oauth: OAuthService,
    clock: Clock,
    browser: Browser,
    posts: Receiver<(String, String)>,
    answers: Arc<Mutex<VecDeque<u16>>>,
    events: Receiver<Event>,
    /// How often the function of clients fails from now on.
    fails: Arc<AtomicUsize>,
    _servers: [Server; 2],
}

fn set() -> Set {
    let clock = Clock::by_hand();
    let (tell, posts) = channel();
    let answers = Arc::new(Mutex::new(VecDeque::new()));
    let (listener, rp) = free_port();
    let data = Told { answers: Arc::clone(&answers), tell };
    let client = serve(listener, move |app| {
        app.app_data(web::Data::new(data.clone()))
            .route("/told", web::post().to(told))
            .route("/other", web::post().to(told));
    });
    let (listener, base) = free_port();
    let (sender, events) = channel();
    let fails = Arc::new(AtomicUsize::new(0));
    let (failing, told_at) = (Arc::clone(&fails), format!("{rp}/told"));
    let oauth = builder(&base)
        .scope("openid", "Know who you are")
        .clients(async move |id: &str| match failing.try_update(SeqCst, SeqCst, |left| left.checked_sub(1)) {
            Ok(_) => Err("the database is away"),
            Err(_) => Ok((id == "row").then(|| {
                let client = Client::confidential("row").secret(SECRET).redirect_uri(REDIRECT);
                client.backchannel_logout_uri(told_at.as_str())
            })),
        })
        .client(
            Client::confidential("shop")
                .secret(SECRET)
                .redirect_uri(REDIRECT)
                .post_logout_redirect_uri("https://shop.example/bye")
                .backchannel_logout_uri(format!("{rp}/told")),
        )
        .client(
            Client::public("partner")
                .redirect_uri("https://partner.example/cb")
                .third_party()
                .backchannel_logout_uri(format!("{rp}/other")),
        )
        .reload(async |_: &str| Some(json!({ "role": "admin" })))
        .clock(clock.clone())
        .on_event(move |event| {
            let _ = sender.send(event.clone());
        })
        .build()
        .unwrap();
    let server = serve_service(listener, &oauth);
    let browser = Browser::new(&server);
    Set { oauth, clock, browser, posts, answers, events, fails, _servers: [client, server] }
}

const SHOP: Changes<'static> = &[("client_id", Some("shop")), ("scope", Some("openid"))];

/// What the client got: its ID token, decoded.
async fn signed_in(browser: &Browser) -> (Value, String) {
    let answer = browser.authorize(SHOP).await;
    let answer = if answer.is_page() { browser.login(&answer.form(), "admin", "admin123").await } else { answer };
    redeemed(browser, &answer.redirect()["code"]).await
}

async fn redeemed(browser: &Browser, code: &str) -> (Value, String) {
    let more: &[(&str, Option<&str>)] = &[("client_id", Some("shop")), ("client_secret", Some(SECRET))];
    let issued = browser.redeem(code, more).await.json();
    let token = issued["id_token"].as_str().unwrap().to_owned();
    (part(&token, 1), token)
}

fn part(jwt: &str, number: usize) -> Value {
    let part = jwt.split('.').nth(number).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

impl Set {
    /// The next logout token.
    fn told(&self) -> String {
        let (kind, body) = self.posts.recv_timeout(PATIENCE).unwrap();
        assert_eq!(kind, "application/x-www-form-urlencoded");
        body.strip_prefix("logout_token=").expect("and nothing else").to_owned()
    }

    fn event(&self, kinds: &[EventKind]) -> Event {
        loop {
            let event = self.events.recv_timeout(PATIENCE).unwrap();
            if kinds.contains(&event.kind) {
                return event;
            }
        }
    }
}

async fn sign_out(browser: &Browser) {
    let page = Answer::to(browser.http.get(format!("{}/logout", browser.base))).await;
    assert_eq!(browser.sign_out(&page.form(), "sign_out").await.status, 200);
}

#[tokio::test]
async fn a_client_is_told_that_the_session_of_its_user_ended() {
    let set = set();
    let (id_token, _) = signed_in(&set.browser).await;
    sign_out(&set.browser).await;
    let token = set.told();
    let (header, claims) = (part(&token, 0), part(&token, 1));
    assert_eq!(header["typ"], "logout+jwt");
    let base = set.browser.base.as_str();
    for (name, expected) in [
        ("iss", json!(base)),
        ("aud", json!("shop")),
        ("sub", json!("admin")),
        ("sid", id_token["sid"].clone()),
        ("events", json!({ "http://schemas.openid.net/event/backchannel-logout": {} })),
    ] {
        assert_eq!(claims[name], expected, "{claims}");
    }
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 120);
    assert!(claims["jti"].as_str().unwrap().len() >= 20 && claims.get("nonce").is_none(), "{claims}");
    let metadata = Answer::to(set.browser.http.get(format!("{base}/.well-known/openid-configuration"))).await.json();
    let keys = Answer::to(set.browser.http.get(metadata["jwks_uri"].as_str().unwrap())).await.json();
    let keys: jsonwebtoken::jwk::JwkSet = serde_json::from_value(keys).unwrap();
    let key = jsonwebtoken::DecodingKey::from_jwk(keys.find(header["kid"].as_str().unwrap()).unwrap()).unwrap();
    let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::ES256);
    rules.set_audience(&["shop"]);
    jsonwebtoken::decode::<Value>(&token, &key, &rules).unwrap();
    let told = set.event(&[EventKind::LogoutTold, EventKind::LogoutNotTold]);
    assert_eq!((told.kind, told.client.as_deref()), (EventKind::LogoutTold, Some("shop")));
}

#[tokio::test]
async fn every_way_in_which_a_session_ends_is_told_once_and_to_its_own_clients() {
    let set = set();
    // By the application.
    signed_in(&set.browser).await;
    set.oauth.sign_out("admin").await.unwrap();
    assert_eq!(part(&set.told(), 1)["sub"], "admin");
    // What begins in the same second is ended, too.
    set.clock.advance(Duration::from_secs(2));
    // Of two sessions of one user, one is ended by its name.
    let (first, _) = signed_in(&set.browser).await;
    let other = Browser::at(&set.browser.base);
    let (second, _) = signed_in(&other).await;
    assert_ne!(first["sid"], second["sid"]);
    let session = second["sid"].as_str().unwrap();
    assert!(set.oauth.revoke_grant("admin", session).await.unwrap());
    assert_eq!(part(&set.told(), 1)["sid"], second["sid"]);
    // Another user signs in with the same browser.
    let page = set.browser.authorize(&[SHOP, &[("prompt", Some("login"))]].concat()).await;
    let answer = set.browser.login(&page.form(), "user", "user123").await;
    let (third, _) = redeemed(&set.browser, &answer.redirect()["code"]).await;
    let told = part(&set.told(), 1);
    assert_eq!((&told["sub"], &told["sid"]), (&json!("admin"), &first["sid"]));
    // All that is kept of the user goes.
    set.oauth.forget("user").await.unwrap();
    assert_eq!(part(&set.told(), 1)["sid"], third["sid"]);
    // Each was told once; the partner, by whom no one signed in, of nothing.
    for _ in 0..4 {
        assert_eq!(set.event(&[EventKind::LogoutTold, EventKind::LogoutNotTold]).kind, EventKind::LogoutTold);
    }
    assert!(set.posts.try_recv().is_err());
}

#[tokio::test]
async fn a_sign_in_without_an_id_token_is_none_that_the_client_knows_the_session_of() {
    let set = set();
    let code =
        set.browser.sign_in(&[("client_id", Some("shop"))], "admin", "admin123").await.redirect()["code"].clone();
    let more: &[(&str, Option<&str>)] = &[("client_id", Some("shop")), ("client_secret", Some(SECRET))];
    assert_eq!(set.browser.redeem(&code, more).await.status, 200);
    sign_out(&set.browser).await;
    set.clock.advance(Duration::from_secs(2));
    // Told after: what was first would have come first.
    let (id_token, _) = signed_in(&set.browser).await;
    set.oauth.sign_out("admin").await.unwrap();
    assert_eq!(part(&set.told(), 1)["sid"], id_token["sid"]);
}

#[tokio::test]
async fn one_that_fails_is_told_again_and_one_that_refuses_or_redirects_is_not() {
    for (answers, told, reason) in
        [(vec![500, 429, 204], 3, None), (vec![400], 1, Some("refused")), (vec![302], 1, Some("refused"))]
    {
        let set = set();
        set.answers.lock().unwrap().extend(&answers);
        signed_in(&set.browser).await;
        set.oauth.sign_out("admin").await.unwrap();
        let tokens: Vec<Value> = (0..told).map(|_| part(&set.told(), 1)).collect();
        let event = set.event(&[EventKind::LogoutTold, EventKind::LogoutNotTold]);
        let kind = if reason.is_some() { EventKind::LogoutNotTold } else { EventKind::LogoutTold };
        assert_eq!((event.kind, event.reason), (kind, reason), "{answers:?}");
        assert!(tokens.windows(2).all(|two| two[0]["jti"] != two[1]["jti"]), "each is made anew: {tokens:?}");
    }
}

/// The service signs with a key of another algorithm meanwhile.
#[tokio::test]
async fn a_client_whose_algorithm_no_key_has_any_more_is_not_told() {
    let keys = Keys::new(SigningKey::generate().unwrap());
    let (listener, base) = free_port();
    let (sender, events) = channel();
    let oauth = builder(&base)
        .keys(keys.clone())
        .scope("openid", "Know who you are")
        .client(
            Client::confidential("shop")
                .secret(SECRET)
                .redirect_uri(REDIRECT)
                .id_token_algorithm(SignatureAlgorithm::Es256)
                .backchannel_logout_uri("http://127.0.0.1:9/told"),
        )
        .reload(async |_: &str| Some(json!({ "role": "admin" })))
        .on_event(move |event| {
            let _ = sender.send(event.clone());
        })
        .build()
        .unwrap();
    let server = serve_service(listener, &oauth);
    signed_in(&Browser::new(&server)).await;
    keys.promote(&keys.add(rsa()).unwrap()).unwrap();
    oauth.sign_out("admin").await.unwrap();
    let is_of_it = |event: &Event| matches!(event.kind, EventKind::LogoutTold | EventKind::LogoutNotTold);
    let event = std::iter::from_fn(|| events.recv_timeout(PATIENCE).ok()).find(is_of_it).unwrap();
    assert_eq!((event.kind, event.reason), (EventKind::LogoutNotTold, Some("no_key")));
}

#[tokio::test]
async fn c42_a_client_is_told_after_a_moment_in_which_no_one_knew_it() {
    let set = set();
    let asks: Changes<'_> = &[("client_id", Some("row")), ("scope", Some("openid"))];
    let code = set.browser.sign_in(asks, "admin", "admin123").await.redirect()["code"].clone();
    let more: Changes<'_> = &[("client_id", Some("row")), ("client_secret", Some(SECRET))];
    assert_eq!(set.browser.redeem(&code, more).await.status, 200);
    set.oauth.client_changed("row");
    set.fails.store(1, SeqCst);
    set.oauth.sign_out("admin").await.unwrap();
    assert_eq!(part(&set.told(), 1)["aud"], "row");
    assert_eq!(set.fails.load(SeqCst), 0, "the first try did not learn where to post");
    let event = set.event(&[EventKind::LogoutTold, EventKind::LogoutNotTold]);
    assert_eq!((event.kind, event.client.as_deref()), (EventKind::LogoutTold, Some("row")));
}

#[tokio::test]
async fn a_client_that_does_not_answer_holds_up_no_sign_out() {
    let set = set();
    signed_in(&set.browser).await;
    set.answers.lock().unwrap().push_back(NEVER);
    set.oauth.sign_out("admin").await.unwrap();
    assert_eq!(set.browser.authorize(SHOP).await.status, 200, "it is done before the client has answered");
    set.told();
}

/// Two clients with sessions of one user, in browsers of their own: the one never answers, the other does.
#[tokio::test]
async fn c47_a_client_that_never_answers_holds_up_no_other_and_many_endings_are_all_told() {
    let (tell, posts) = channel::<&'static str>();
    let (listener, rp) = free_port();
    let clients = serve(listener, move |app| {
        let (silent, answers) = (tell.clone(), tell.clone());
        let silent = move || {
            silent.send("silent").unwrap();
            std::future::pending::<HttpResponse>()
        };
        let answers = move || {
            answers.send("answers").unwrap();
            std::future::ready(HttpResponse::Ok().finish())
        };
        app.route("/silent", web::post().to(silent)).route("/answers", web::post().to(answers));
    });
    let (listener, base) = free_port();
    let client = |id: &str| Client::confidential(id).secret(SECRET).redirect_uri(REDIRECT);
    let client = |id: &str| client(id).backchannel_logout_uri(format!("{rp}/{id}"));
    let oauth = builder(&base)
        .scope("openid", "Know who you are")
        .client(client("silent"))
        .client(client("answers"))
        .reload(async |_: &str| Some(json!({ "role": "admin" })))
        .build()
        .unwrap();
    let server = serve_service(listener, &oauth);
    let session = async |client: &'static str| {
        let browser = Browser::new(&server);
        let asks: Changes<'_> = &[("client_id", Some(client)), ("scope", Some("openid"))];
        let code = browser.sign_in(asks, "admin", "admin123").await.redirect()["code"].clone();
        let more: Changes<'_> = &[("client_id", Some(client)), ("client_secret", Some(SECRET))];
        assert_eq!(browser.redeem(&code, more).await.status, 200);
    };
    for _ in 0..40 {
        session("silent").await;
    }
    for _ in 0..50 {
        session("answers").await;
    }
    oauth.sign_out("admin").await.unwrap();
    let mut told = std::collections::BTreeMap::new();
    while told.get("answers") != Some(&50) {
        *told.entry(posts.recv_timeout(PATIENCE).unwrap()).or_insert(0) += 1;
    }
    assert!(
        told.get("silent").copied().unwrap_or_default() <= 4,
        "each of its places is taken for five seconds: {told:?}"
    );
    drop(clients);
}

#[tokio::test]
async fn a_logout_token_is_no_token_of_any_other_kind() {
    let set = set();
    let (_, id_token) = signed_in(&set.browser).await;
    set.oauth.sign_out("admin").await.unwrap();
    let token = set.told();
    assert_eq!(set.browser.call("/me", Some(&token)).await.status, 401);
    let hinted = async |hint: &str| {
        let more: Changes<'_> = &[("id_token_hint", Some(hint)), ("prompt", Some("none"))];
        set.browser.authorize(&[SHOP, more].concat()).await.redirect().get("error").cloned()
    };
    set.clock.advance(Duration::from_secs(2));
    signed_in(&set.browser).await;
    assert_eq!(hinted(&id_token).await, None, "it names who is signed in");
    let forged = format!("{}.{}", id_token.rsplit_once('.').unwrap().0, "A".repeat(86));
    for hint in [forged, token] {
        assert_eq!(hinted(&hint).await.as_deref(), Some("login_required"), "it proves nothing of them");
    }
}

#[tokio::test]
async fn the_metadata_says_so_where_a_client_has_one() {
    let set = set();
    let metadata = |browser: &Browser| browser.http.get(format!("{}/.well-known/openid-configuration", browser.base));
    let with = Answer::to(metadata(&set.browser)).await.json();
    assert_eq!(with["backchannel_logout_supported"], true);
    assert_eq!(with["backchannel_logout_session_supported"], true);
    let server = oauth_tests::start(|builder| builder.scope("openid", "Know who you are"));
    let without = Answer::to(metadata(&Browser::new(&server))).await.json();
    assert!(without.get("backchannel_logout_supported").is_none());
}

#[test]
fn a_uri_that_cannot_be_used_is_refused_when_the_service_is_built() {
    let shop = |uri: &str| Client::public("shop").redirect_uri("https://shop.example/cb").backchannel_logout_uri(uri);
    let base = || builder("http://127.0.0.1:8000");
    let openid = || base().scope("openid", "Know who you are");
    let reloading = || openid().reload(async |_: &str| Some(json!({})));
    let good = "https://shop.example/told?by=us";
    assert!(reloading().client(shop(good)).build().is_ok());
    assert!(reloading().client(shop("http://127.0.0.1:9/told")).build().is_ok());
    for (why, built) in [
        ("add .scope(\"openid\"", base().reload(async |_: &str| Some(json!({}))).client(shop(good)).build()),
        ("add .reload(..)", openid().client(shop(good)).build()),
        ("add .reload(..)", reloading().sessions(false).client(shop(good)).build()),
        ("write an https URL", reloading().client(shop("http://shop.example/told")).build()),
        ("write an https URL", reloading().client(shop("https://shop.example/told#part")).build()),
        ("write an https URL", reloading().client(shop("https://me:secret@shop.example/told")).build()),
        ("write an https URL", reloading().client(shop("/told")).build()),
        (
            "write an https URL",
            reloading().issuer("https://id.example").direct_peers().client(shop("http://127.0.0.1:9/told")).build(),
        ),
    ] {
        let error = built.err().unwrap().to_string();
        assert!(error.contains(why), "{error}");
    }
}
