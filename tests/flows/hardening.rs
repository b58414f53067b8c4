//! What a review found: each with the attack that it was.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::web;
use oauth_runtime::{Client, Clock, Keys, Login, Question, SecondFactor, SignIn, SigningKey, policy};
use oauth_tests::{Answer, Browser, PATIENCE, SECRET, builder, free_port, handlers, serve, start, without_cookies};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

#[tokio::test]
async fn a_handler_of_any_method_is_not_reached_by_what_looks_like_a_preflight() {
    let (listener, base) = free_port();
    let oauth = builder(&base).build().unwrap();
    let ran = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&ran);
    let server = serve(listener, move |app| {
        let ran = Arc::clone(&counted);
        let wipe = move || {
            ran.fetch_add(1, Ordering::SeqCst);
            async { "wiped" }
        };
        let scope = web::scope("/all").wrap(oauth.require(policy!(role = "admin")));
        app.configure(oauth.routes())
            .service(scope.service(web::resource("/wipe").to(wipe.clone())).default_service(web::to(wipe)));
    });
    let browser = Browser::new(&server);
    for path in ["/all/wipe", "/all/else"] {
        let request = browser.http.request(reqwest::Method::OPTIONS, format!("{base}{path}"));
        let request = request.header("origin", "x").header("access-control-request-method", "x").body("{}");
        assert_eq!(Answer::to(request).await.status, 401, "{path}");
    }
    assert_eq!(ran.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn c11_a_sign_in_that_is_under_way_does_not_survive_a_sign_out() {
    let (listener, base) = free_port();
    let clock = Clock::by_hand();
    let (begun, may_end) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let signals = (Arc::clone(&begun), Arc::clone(&may_end));
    let oauth = builder(&base)
        .clock(clock.clone())
        .authenticate(async move |login: Login| {
            signals.0.add_permits(1);
            let _permit = signals.1.acquire().await;
            match &*login.password {
                "ask" => SignIn::ask(Question::code("?")),
                _ => SignIn::done(json!({ "sub": login.username })),
            }
        })
        .second_factor(async |factor: SecondFactor| SignIn::done(json!({ "sub": factor.username })))
        .reload(async |_: &str| Some(json!({})))
        .build()
        .unwrap();
    let routes = oauth.clone();
    let server = serve(listener, move |app| {
        app.configure(routes.routes());
    });
    clock.advance(Duration::from_secs(5));
    let browser = Browser::new(&server);
    let form = browser.authorize(&[]).await.form();
    let late = tokio::spawn({
        let browser = browser.clone();
        async move { browser.login(&form, "ada", "old").await }
    });
    begun.acquire().await.unwrap().forget();
    oauth.sign_out("ada").await.unwrap();
    clock.advance(Duration::from_secs(2));
    may_end.add_permits(1);
    let late = late.await.unwrap();
    assert!(late.status == 400 && late.is_page(), "{late:?}");

    // The password was right before the sign-out, the code comes after it.
    let browser = Browser::new(&server);
    let asked = browser.sign_in(&[], "ada", "ask").await.form();
    oauth.sign_out("ada").await.unwrap();
    clock.advance(Duration::from_secs(2));
    let fields = [("request", asked.as_str()), ("answer", "1")];
    let late = Answer::to(browser.http.post(format!("{base}/verify")).form(&fields)).await;
    assert!(late.status == 400 && late.is_page(), "{late:?}");
    // Begun after it, all is well.
    assert_eq!(Browser::new(&server).sign_in(&[], "ada", "new").await.status, 303);
}

#[tokio::test]
async fn c17_a_name_is_not_locked_from_one_address_nor_guessed_by_another_spelling() {
    let address = |request: &actix_web::HttpRequest| {
        request.headers().get("x-test-address").and_then(|value| value.to_str().ok()?.parse().ok())
    };
    let server = start(|builder| builder.clock(Clock::by_hand()).client_address(address));
    let from = async |address: &str, name: &str, password: &str| {
        let browser = Browser::new(&server);
        let form = browser.authorize(&[]).await.form();
        let fields = [("request", form.as_str()), ("username", name), ("password", password)];
        let request = browser.http.post(format!("{}/login", server.base)).header("x-test-address", address);
        Answer::to(request.form(&fields)).await.status
    };
    let mut statuses = Vec::new();
    for guess in 0..14 {
        statuses.push(from("192.0.2.1", if guess % 2 == 0 { "admin" } else { " Ad min " }, "wrong").await);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 11, "{statuses:?}");
    assert_eq!(from("192.0.2.1", "admin", "admin123").await, 429, "any user there");
    assert_eq!(from("198.51.100.7", "admin", "admin123").await, 303, "its owner, elsewhere");
}

#[tokio::test]
async fn c23_what_was_revoked_asks_the_author_s_database_nothing() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let server = start(|builder| {
        builder.reload_blocking(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            Some(json!({ "sub": "ada" }))
        })
    });
    let browser = Browser::new(&server);
    let issued = browser.issued(&[]).await;
    let token = issued["refresh_token"].as_str().unwrap();
    assert_eq!(browser.post("/revoke", format!("client_id=demo&token={token}")).await.status, 200);
    for _ in 0..5 {
        assert_eq!(browser.refresh(token, &[]).await.json()["error"], "invalid_grant");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_cookie_of_somebody_else_s_does_not_hide_ours() {
    let server = start(|builder| builder);
    let http = without_cookies();
    let page = Answer::to(http.get(Browser::new(&server).authorize_url(&[]))).await;
    let own = page.header("set-cookie").split(';').next().unwrap();
    let both = [b"x=\xe9; ", own.as_bytes()].concat();
    let cookie = reqwest::header::HeaderValue::from_bytes(&both).unwrap();
    let fields = [("request", page.form()), ("username", "admin".into()), ("password", "admin123".into())];
    let answer = Answer::to(http.post(format!("{}/login", server.base)).header("cookie", cookie).form(&fields)).await;
    assert_eq!(answer.status, 303, "{answer:?}");
}

#[tokio::test]
async fn c01_a_request_may_be_posted() {
    let server = start(|builder| builder);
    let browser = Browser::new(&server);
    let url = browser.authorize_url(&[("state", Some("s"))]);
    let (_, query) = url.split_once('?').unwrap();
    let page = browser.post("/authorize", query.to_owned()).await;
    assert_eq!(browser.login(&page.form(), "admin", "admin123").await.redirect()["state"], "s");
    let bad = browser.post("/authorize", query.replace("S256", "plain")).await;
    assert_eq!(bad.redirect()["error"], "invalid_request");
    assert!(browser.post("/authorize", "client_id=nobody").await.is_page());
}

#[tokio::test]
async fn c22_a_client_in_its_own_name_is_no_one_at_userinfo() {
    let server = start(|builder| {
        builder
            .keys(Keys::new(SigningKey::generate().unwrap()))
            .scope("openid", "Know who you are")
            .client(Client::confidential("job").secret(SECRET).scope("openid"))
    });
    let browser = Browser::new(&server);
    let issued = browser.post_as("/token", "job", SECRET, &[("grant_type", "client_credentials")]).await.json();
    assert_eq!(browser.call("/userinfo", issued["access_token"].as_str()).await.status, 403);
}

#[tokio::test]
async fn claims_that_no_guard_would_read_are_the_server_s_error() {
    let server = start(|builder| builder.reload(async |_: &str| Some(json!({ "list": "x".repeat(8000) }))));
    let browser = Browser::new(&server);
    let issued: Value = browser.issued(&[]).await;
    let answer = browser.refresh(issued["refresh_token"].as_str().unwrap(), &[]).await;
    assert_eq!((answer.status, answer.json()["error"].as_str()), (500, Some("server_error")), "{answer:?}");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    use std::io::{Read as _, Write as _};

    let server = serve(free_port().0, {
        let oauth = builder("http://127.0.0.1:9").build().unwrap();
        move |app| {
            app.configure(oauth.routes()).configure(handlers);
        }
    });
    let address = server.base.trim_start_matches("http://").to_owned();
    let status = tokio::task::spawn_blocking(move || {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = "POST /token HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9000\r\n\r\na";
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        String::from_utf8_lossy(&answer[9..]).into_owned()
    });
    assert_eq!(status.await.unwrap(), "408");
}
