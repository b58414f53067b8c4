//! What was tried on the pages, and held or was mended.

use std::time::Duration;

use actix_web::{Responder, web};
use oauth_runtime::{Claims, Clock, OAuthService, require_claim, testing};
use oauth_tests::{Answer, Browser, builder, free_port, serve};
use serde_json::json;

use super::{
    Method, SHOWN, fetch, notes, reloading, send, sent_cookies, serve_all, sign_in_for, signed_in, start, visit,
};

/// A browser takes such a name for one without a prefix, which a sibling host may set for this one.
#[tokio::test]
async fn c30_a_session_that_a_sibling_host_planted_opens_nothing() {
    let (server, _) = start(|builder| builder);
    let cookies = sent_cookies(&server).await;
    let session = cookies.split("; ").find(|cookie| cookie.contains("oauth-session")).unwrap();
    let bare = reqwest::Client::new();
    let with = async |cookie: String| {
        let value = reqwest::header::HeaderValue::from_bytes(cookie.as_bytes()).unwrap();
        Answer::to(bare.get(format!("{}/app/plain", server.base)).header("cookie", value)).await.status
    };
    assert_eq!(with(session.to_owned()).await, 200);
    assert_eq!(with(format!("a=b;\t {session} ")).await, 200, "blanks are between cookies");
    for space in ['\u{2000}', '\u{a0}', '\u{3000}', '\u{85}', '\u{1680}'] {
        assert_eq!(with(format!("{space}{session}")).await, 401, "{space:?}");
    }
    // Of two none is known to be the user's own.
    let other = sent_cookies(&server).await;
    let other = other.split("; ").find(|cookie| cookie.contains("oauth-session")).unwrap();
    assert_eq!(with(format!("{session}; {other}")).await, 401);
}

#[tokio::test]
async fn where_a_request_comes_from_is_said_once_and_exactly() {
    let (server, _) = start(|builder| builder);
    let cookies = sent_cookies(&server).await;
    let own = server.base.as_str();
    let (suffixed, upper) = (format!("{own}.evil.example"), own.to_uppercase());
    let bare = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    for headers in [
        &[("origin", suffixed.as_str())][..],
        &[("origin", upper.as_str())],
        &[("origin", own), ("origin", "https://evil.example")],
        &[("sec-fetch-site", "same-origin, cross-site")],
        &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
    ] {
        for method in [Method::POST, Method::GET] {
            let request = bare.request(method.clone(), format!("{own}/app/notes")).header("cookie", &cookies);
            let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
            assert_eq!(Answer::to(request).await.status, 403, "{method} {headers:?}");
        }
    }
}

#[tokio::test]
async fn the_answer_to_a_token_is_one_users_as_well() {
    let (server, oauth) = start(|builder| builder);
    let browser = signed_in(&server, "user").await;
    let good = testing::token(&oauth, &json!({ "sub": "ada", "role": "admin" })).mint();
    for (path, cached) in [("/app/plain", "private"), ("/app/cached", "public, max-age=60")] {
        let answer = browser.call(path, Some(&good)).await;
        assert_eq!((answer.status, answer.header("cache-control")), (200, cached), "{path}");
        assert_eq!(answer.header("vary"), "Authorization, Cookie", "{path}");
    }
}

#[tokio::test]
async fn pages_over_all_there_is_leave_the_sign_in_open() {
    let server = serve_all();
    let browser = Browser::new(&server);
    assert_eq!(sign_in_for(&browser, "/anything", "user").await, "/anything");
    assert_eq!(visit(&browser, "/anything").await.body, "all");
    let metadata = browser.call("/.well-known/oauth-authorization-server", None).await;
    assert_eq!(metadata.json()["issuer"], server.base);
}

#[tokio::test]
async fn another_site_s_form_leads_back_to_nothing_of_its_choice() {
    let (server, _) = start(|builder| builder);
    let browser = Browser::new(&server);
    let evil = ("referer", "https://evil.example/app/delete-all");
    let lost = send(&browser, Method::POST, "/app/notes", &[&SHOWN[..], &[evil]].concat()).await;
    let (_, rest) = lost.body.split_once("href=\"/login?page=").unwrap();
    let page = browser.call(&format!("/login?page={}", rest.split('"').next().unwrap()), None).await;
    assert_eq!(browser.login(&page.form(), "user", "user123").await.header("location"), "/");
}

/// Signs the user out while it is answered.
#[actix_web::get("/leaving")]
async fn leaving(oauth: OAuthService, user: Claims) -> impl Responder {
    oauth.sign_out(user.0["sub"].as_str().unwrap()).await.unwrap();
    "gone"
}

#[tokio::test]
async fn a_session_that_ended_meanwhile_is_not_given_back() {
    const IDLE: Duration = Duration::from_secs(3_600);
    let clock = Clock::by_hand();
    let (listener, base) = free_port();
    let oauth = reloading(builder(&base)).session_idle(IDLE).clock(clock.clone()).build().unwrap();
    let server = serve(listener, move |app| {
        let pages = web::scope("/app").wrap(oauth.pages()).service(notes).service(leaving);
        app.configure(oauth.routes()).service(pages);
    });
    let browser = signed_in(&server, "user").await;
    clock.advance(IDLE / 2);
    let kept = fetch(&browser, "/app/notes").await;
    assert!(
        kept.status == 200 && kept.headers.contains_key("set-cookie"),
        "each use keeps it from being idle: {kept:?}"
    );
    clock.advance(IDLE / 2);
    let gone = fetch(&browser, "/app/leaving").await;
    assert!(gone.status == 200 && !gone.headers.contains_key("set-cookie"), "{gone:?}");
}

#[actix_web::get("/claims")]
async fn all_claims(user: Claims) -> impl Responder {
    web::Json(user.0)
}

#[require_claim(sid)]
#[actix_web::get("/sid")]
async fn sid() -> impl Responder {
    "has one"
}

#[derive(serde::Deserialize)]
struct Numbered {
    role: u8,
}

#[actix_web::get("/numbered")]
async fn numbered(user: Claims<Numbered>) -> impl Responder {
    user.0.role.to_string()
}

#[tokio::test]
async fn claims_of_a_session_are_the_users_alone_and_of_another_shape_are_a_refusal() {
    let (listener, base) = free_port();
    let oauth = reloading(builder(&base)).build().unwrap();
    let server = serve(listener, move |app| {
        let pages =
            web::scope("/app").wrap(oauth.pages()).service(notes).service(all_claims).service(sid).service(numbered);
        app.configure(oauth.routes()).service(pages);
    });
    let browser = signed_in(&server, "user").await;
    let claims = fetch(&browser, "/app/claims").await.json();
    assert_eq!((&claims["sub"], &claims["role"]), (&json!("user"), &json!("user")));
    assert!(claims.get("sid").is_none(), "which session it is a page need not know: {claims}");
    assert_eq!(fetch(&browser, "/app/sid").await.status, 403, "nor a guard");
    let refused = fetch(&browser, "/app/numbered").await;
    assert!(refused.status == 403 && !refused.is_page(), "{refused:?}");
    let shown = visit(&browser, "/app/numbered").await;
    assert!(shown.status == 403 && shown.is_page(), "{shown:?}");
}

#[tokio::test]
async fn a_token_that_is_refused_is_told_and_shown_no_page() {
    let (server, _) = start(|builder| builder);
    let browser = signed_in(&server, "user").await;
    let answer =
        send(&browser, Method::GET, "/app/plain", &[&SHOWN[..], &[("authorization", "Bearer x")]].concat()).await;
    assert!(answer.status == 401 && !answer.is_page(), "{answer:?}");
    assert_eq!(answer.challenge()["error"], "invalid_token");
}

#[tokio::test]
async fn a_service_without_sessions_has_no_sign_in_of_its_own() {
    let server = oauth_tests::start(|builder| builder);
    let answer = Browser::new(&server).call("/login", None).await;
    assert!((400..500).contains(&answer.status) && answer.is_page(), "{answer:?}");
}
