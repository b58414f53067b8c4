//! The application's own pages, which the session of a browser opens.

mod attacked;
mod users;

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Responder, get, post};
use oauth_runtime::states::WithReload;
use oauth_runtime::{AccessToken, Builder, Claims, OAuthService, policy, require_claim, testing};
use oauth_tests::{Answer, Browser, Server, builder, free_port, handlers, serve};
use reqwest::Method;
use serde_json::json;

#[get("/notes")]
async fn notes(Claims(user): Claims) -> impl Responder {
    format!("the notes of {} ({})", user["sub"], user["role"])
}

#[post("/notes")]
async fn add(body: String, _user: Claims) -> impl Responder {
    HttpResponse::SeeOther().insert_header(("location", format!("/app/notes?added={body}"))).finish()
}

/// It is opened by the pages alone.
#[get("/plain")]
async fn plain() -> impl Responder {
    "plain"
}

#[require_claim(role = "admin")]
#[get("/admin")]
async fn admin(user: Claims) -> impl Responder {
    user.0["sub"].to_string()
}

#[require_claim(role = "admin")]
#[post("/admin")]
async fn administer() -> impl Responder {
    "done"
}

#[require_claim(scope = "notes:read")]
#[get("/scoped")]
async fn scoped() -> impl Responder {
    "scoped"
}

#[require_claim(not(scope = "notes:read"))]
#[get("/unscoped")]
async fn unscoped() -> impl Responder {
    "unscoped"
}

#[require_claim(any(role = "admin", scope = "notes:read"))]
#[get("/either")]
async fn either() -> impl Responder {
    "either"
}

#[require_claim(acr = "mfa")]
#[get("/strong")]
async fn strong() -> impl Responder {
    "strong"
}

#[require_claim(acr = "mfa")]
#[post("/strong")]
async fn strengthen() -> impl Responder {
    "strong"
}

#[require_claim(fresh = "5m")]
#[get("/fresh")]
async fn fresh() -> impl Responder {
    "fresh"
}

#[get("/token")]
async fn token(token: AccessToken) -> impl Responder {
    token.subject().to_owned()
}

#[get("/cached")]
async fn cached(_user: Claims) -> impl Responder {
    HttpResponse::Ok().insert_header(("cache-control", "public, max-age=60")).body("cached")
}

#[require_claim(role = ["admin", "user"])]
#[get("/outside")]
async fn outside() -> impl Responder {
    "outside"
}

fn pages(oauth: &OAuthService) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static + use<> {
    let oauth = oauth.clone();
    move |app| {
        let staff = web::scope("/staff").wrap(oauth.require(policy!(role = "admin"))).service(plain);
        let pages = web::scope("/app").wrap(oauth.pages());
        let pages = pages.service(notes).service(add).service(plain).service(admin).service(administer).service(scoped);
        let pages = pages
            .service(unscoped)
            .service(strong)
            .service(strengthen)
            .service(fresh)
            .service(token)
            .service(cached)
            .service(either);
        app.configure(oauth.routes()).configure(handlers).service(pages.service(staff)).service(outside);
    }
}

fn reloading(builder: Builder) -> Builder<WithReload> {
    builder.reload(async |subject: &str| Some(json!({ "role": subject })))
}

fn start(change: impl FnOnce(Builder<WithReload>) -> Builder<WithReload>) -> (Server, OAuthService) {
    let (listener, base) = free_port();
    let oauth = change(reloading(builder(&base))).build().unwrap();
    (serve(listener, pages(&oauth)), oauth)
}

/// What a browser says when a person follows a link of the same site.
const SHOWN: [(&str, &str); 3] =
    [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document"), ("sec-fetch-site", "same-origin")];

async fn send(browser: &Browser, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = browser.http.request(method, format!("{}{path}", browser.base));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::to(request).await
}

/// A person opens a page.
async fn visit(browser: &Browser, path: &str) -> Answer {
    send(browser, Method::GET, path, &SHOWN).await
}

/// A script of the page asks.
async fn fetch(browser: &Browser, path: &str) -> Answer {
    send(browser, Method::GET, path, &[("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")]).await
}

/// Follows the answer of a page to the sign-in page.
async fn sign_in_page(browser: &Browser, answer: &Answer) -> Answer {
    assert!(answer.status == 303 && answer.header("location").starts_with("/login?page="), "{answer:?}");
    let page = browser.follow(answer).await;
    assert!(page.status == 200 && page.is_page(), "{page:?}");
    page
}

/// Signs in on the way to a page; where the browser is sent then.
async fn sign_in_for(browser: &Browser, path: &str, name: &str) -> String {
    let page = sign_in_page(browser, &visit(browser, path).await).await;
    let answer = browser.login(&page.form(), name, &format!("{name}123")).await;
    assert_eq!(answer.status, 303, "{answer:?}");
    answer.header("location").to_owned()
}

async fn signed_in(server: &Server, name: &str) -> Browser {
    let browser = Browser::new(server);
    assert_eq!(sign_in_for(&browser, "/app/notes", name).await, "/app/notes");
    browser
}

#[tokio::test]
async fn a_page_leads_to_the_sign_in_and_back_and_asks_again_after_a_sign_out() {
    let (server, _) = start(|builder| builder);
    let browser = Browser::new(&server);
    let asked = visit(&browser, "/app/notes?q=a%20b&page=2").await;
    assert_eq!(asked.header("cache-control"), "no-store");
    assert!(!asked.header("location").contains("notes"), "it is sealed: {asked:?}");
    assert_eq!(sign_in_for(&browser, "/app/notes?q=a%20b&page=2", "admin").await, "/app/notes?q=a%20b&page=2");
    let page = visit(&browser, "/app/notes?q=a%20b&page=2").await;
    assert_eq!((page.status, &*page.body), (200, "the notes of \"admin\" (\"admin\")"));
    assert_eq!((page.header("cache-control"), page.header("vary")), ("no-store", "Cookie"));
    // Who is signed in is not asked.
    let login = browser.call("/login", None).await;
    assert_eq!((login.status, login.header("location")), (303, "/"));

    let form = browser.call("/logout", None).await.form();
    assert_eq!(browser.sign_out(&form, "sign_out").await.status, 200);
    sign_in_page(&browser, &visit(&browser, "/app/notes").await).await;
    assert_eq!(fetch(&browser, "/app/notes").await.status, 401);
}

#[tokio::test]
async fn who_is_not_signed_in_is_sent_to_sign_in_and_a_script_is_told() {
    let (server, _) = start(|builder| builder);
    let browser = Browser::new(&server);
    let html = ("accept", "text/html,application/xhtml+xml");
    for (method, headers, status) in [
        (Method::GET, &SHOWN[..], 303),
        (Method::HEAD, &SHOWN, 303),
        // A browser that says nothing of itself.
        (Method::GET, &[html], 303),
        (Method::GET, &[("accept", "*/*")], 401),
        (Method::GET, &[("accept", "application/json")], 401),
        (Method::GET, &[html, ("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")], 401),
        (Method::GET, &[html, ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")], 401),
        (Method::GET, &[html, ("connection", "upgrade"), ("upgrade", "websocket")], 401),
        (Method::GET, &[html, ("authorization", "Bearer x")], 401),
        (Method::POST, &SHOWN, 401),
        (Method::POST, &[], 401),
        (Method::DELETE, &[], 401),
        (Method::OPTIONS, &[("origin", "https://evil.example"), ("access-control-request-method", "POST")], 401),
    ] {
        let answer = send(&browser, method.clone(), "/app/notes", headers).await;
        assert_eq!(answer.status, status, "{method} {headers:?} {answer:?}");
        assert_eq!(answer.header("cache-control"), "no-store");
        if status == 401 && !answer.is_page() {
            assert!(!answer.challenge()["realm"].is_empty());
        }
    }
    // What was posted is lost: the page says so, and leads to where the form was.
    let from = format!("{}/app/notes?x=1", server.base);
    let lost = send(&browser, Method::POST, "/app/notes", &[&SHOWN[..], &[("referer", &*from)]].concat()).await;
    assert!(lost.is_page() && lost.body.contains("not accepted"), "{lost:?}");
    let (_, rest) = lost.body.split_once("href=\"/login?page=").unwrap();
    let page = browser.call(&format!("/login?page={}", rest.split('"').next().unwrap()), None).await;
    let back = browser.login(&page.form(), "user", "user123").await;
    assert_eq!(back.header("location"), "/app/notes?x=1");
}

#[tokio::test]
async fn the_session_is_used_by_pages_of_this_origin_alone() {
    let (server, _) = start(|builder| builder);
    let browser = signed_in(&server, "admin").await;
    // So that nothing is said which a row does not say.
    let cookies = sent_cookies(&server).await;
    let own = server.base.as_str();
    let evil = "https://evil.example";
    let (socket, upgrade) = (("upgrade", "websocket"), ("connection", "upgrade"));
    let frame = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")];
    let link = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    let image = [("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")];
    let from = |site: &'static str| ("sec-fetch-site", site);
    type Row<'a> = (Method, Vec<(&'a str, &'a str)>, u16);
    let rows: Vec<Row<'_>> = vec![
        // Neither of the two, `null` and `same-site` are refused.
        (Method::POST, vec![], 403),
        (Method::POST, vec![("origin", "null")], 403),
        (Method::POST, vec![("origin", evil)], 403),
        (Method::POST, vec![("origin", own)], 303),
        (Method::POST, vec![from("same-origin")], 303),
        (Method::POST, vec![from("same-origin"), ("origin", evil)], 303),
        (Method::POST, vec![from("same-site"), ("origin", own)], 403),
        (Method::POST, vec![from("cross-site"), ("origin", own)], 403),
        (Method::POST, vec![from("none")], 403),
        (Method::POST, vec![from("")], 403),
        (Method::POST, vec![from("cross-site"), link[0], link[1]], 403),
        (Method::PUT, vec![], 403),
        (Method::DELETE, vec![("origin", evil)], 403),
        (Method::PATCH, vec![from("same-site")], 403),
        (Method::from_bytes(b"MADEUP").unwrap(), vec![], 403),
        // A WebSocket begins with GET.
        (Method::GET, vec![socket, upgrade], 403),
        (Method::GET, vec![socket, upgrade, ("origin", "null")], 403),
        (Method::GET, vec![socket, upgrade, ("origin", evil)], 403),
        (Method::GET, vec![socket, upgrade, from("cross-site"), ("origin", own)], 403),
        (Method::GET, vec![socket, upgrade, from("same-site")], 403),
        (Method::GET, vec![socket, upgrade, ("origin", own)], 200),
        (Method::GET, vec![socket, upgrade, from("same-origin")], 200),
        // A link leads here, and nothing else of another site.
        (Method::GET, vec![], 200),
        // It enters, and no handler has the method.
        (Method::HEAD, vec![], 404),
        (Method::GET, vec![("origin", evil)], 403),
        (Method::GET, vec![from("none"), link[0], link[1]], 200),
        (Method::GET, vec![from("cross-site"), link[0], link[1]], 200),
        (Method::GET, vec![from("same-site"), link[0], link[1]], 200),
        (Method::GET, vec![from("cross-site")], 403),
        (Method::GET, vec![from("cross-site"), frame[0], frame[1]], 403),
        (Method::GET, vec![from("same-site"), frame[0], frame[1]], 403),
        (Method::GET, vec![from("same-origin"), frame[0], frame[1]], 200),
        (Method::GET, vec![from("cross-site"), image[0], image[1]], 403),
        (Method::GET, vec![from("cross-site"), image[0], link[1]], 403),
        (Method::GET, vec![from("cross-site"), link[0], image[1]], 403),
        (Method::GET, vec![from("same-site"), image[0], image[1]], 403),
        (Method::GET, vec![from("same-origin"), image[0], image[1]], 200),
        (Method::HEAD, vec![from("cross-site"), image[0], image[1]], 403),
        // With a token the session is not looked at, and the token is what decides.
        (Method::GET, vec![from("same-origin"), ("authorization", "Bearer x")], 401),
        (Method::GET, vec![from("same-origin"), ("authorization", "Basic YTpi")], 401),
        (Method::GET, vec![from("same-origin"), ("authorization", "")], 401),
        (Method::POST, vec![from("same-origin"), ("authorization", "Bearer x")], 401),
    ];
    let bare = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    for (method, headers, status) in rows {
        let mut request = bare.request(method.clone(), format!("{own}/app/notes")).header("cookie", &cookies);
        for (name, value) in &headers {
            request = request.header(*name, *value);
        }
        let answer = Answer::to(request).await;
        assert_eq!(answer.status, status, "{method} {headers:?} {answer:?}");
        if status == 403 {
            assert!(!answer.headers.contains_key("www-authenticate"), "{answer:?}");
        }
    }
    assert_eq!(visit(&browser, "/app/notes").await.status, 200);
}

/// The cookies of a browser that is signed in, for what is sent by hand.
async fn sent_cookies(server: &Server) -> String {
    let browser = Browser::new(server);
    let page = browser.call("/login", None).await;
    let answer = browser.login(&page.form(), "admin", "admin123").await;
    let set = answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
    set.map(|cookie| cookie.split(';').next().unwrap()).collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn a_token_decides_as_ever_and_the_session_opens_nothing_else() {
    let (server, oauth) = start(|builder| builder);
    let browser = signed_in(&server, "user").await;
    let good = testing::token(&oauth, &json!({ "sub": "ada", "role": "admin" })).scope("notes:read").mint();
    for (path, of_session, of_token) in [
        ("/app/notes", 200, 200),
        ("/app/plain", 200, 200),
        ("/app/admin", 403, 200),
        ("/app/scoped", 403, 200),
        ("/app/token", 403, 200),
        ("/app/staff/plain", 403, 200),
        // Outside of the pages a cookie is nothing.
        ("/outside", 401, 200),
        ("/me", 401, 200),
        ("/admin", 401, 200),
    ] {
        assert_eq!(fetch(&browser, path).await.status, of_session, "{path}");
        assert_eq!(browser.call(path, Some(&good)).await.status, of_token, "{path}");
    }
    // It asks for no `Sec-Fetch-Site`: no browser adds a token by itself.
    let bare = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let post = bare.post(format!("{}/app/notes", server.base)).bearer_auth(&good).body("x");
    assert_eq!(Answer::to(post).await.header("location"), "/app/notes?added=x");
}

#[tokio::test]
async fn a_guard_that_names_a_scope_refuses_a_session() {
    let (server, _) = start(|builder| builder);
    let browser = signed_in(&server, "admin").await;
    for path in ["/app/scoped", "/app/unscoped", "/app/either", "/app/token"] {
        let answer = fetch(&browser, path).await;
        assert_eq!((answer.status, answer.json()["error"].as_str()), (403, Some("access_denied")), "{path}");
        assert!(!answer.headers.contains_key("www-authenticate"), "{answer:?}");
        let page = visit(&browser, path).await;
        assert!(page.status == 403 && page.is_page(), "{page:?}");
    }
}

#[tokio::test]
async fn a_user_who_may_not_sees_a_page_with_a_way_to_another_account() {
    let (server, _) = start(|builder| builder);
    let browser = signed_in(&server, "user").await;
    for path in ["/app/admin", "/app/staff/plain"] {
        let answer = fetch(&browser, path).await;
        assert_eq!((answer.status, answer.json()["error"].as_str()), (403, Some("access_denied")), "{path}");
        assert!(!answer.headers.contains_key("www-authenticate"), "{answer:?}");
    }
    let page = visit(&browser, "/app/admin?x=1").await;
    assert!(page.status == 403 && page.is_page() && page.body.contains("Use another account"), "{page:?}");
    let (_, rest) = page.body.split_once("href=\"/login?page=").unwrap();
    let sign_in = browser.call(&format!("/login?page={}", rest.split('"').next().unwrap()), None).await;
    assert_eq!(sign_in.status, 200, "though someone is signed in: {sign_in:?}");
    let back = browser.login(&sign_in.form(), "admin", "admin123").await;
    assert_eq!(back.header("location"), "/app/admin?x=1");
    assert_eq!(visit(&browser, "/app/admin?x=1").await.body, "\"admin\"");
    let posted = send(&browser, Method::POST, "/app/admin", &SHOWN).await;
    assert_eq!(posted.body, "done");
}

#[tokio::test]
async fn nothing_leads_a_browser_to_another_host() {
    let (server, _) = start(|builder| builder);
    let browser = Browser::new(&server);
    // A location is another's wherever it is not a path.
    let wholly_below = serve_all();
    let everywhere = Browser::new(&wholly_below);
    for target in
        ["//evil.example/x", "/\\evil.example", "/%09/evil.example", "/%5cevil.example", "/./\\evil", "///evil.example"]
    {
        let head = format!("GET {target} HTTP/1.1\r\nhost: x\r\naccept: text/html\r\nconnection: close\r\n\r\n",);
        let answer = raw(&wholly_below, &head);
        let Some(location) = location(&answer) else {
            assert!(answer.starts_with("HTTP/1.1 4"), "{target}: {answer}");
            continue;
        };
        let page = everywhere.call(&location, None).await;
        let back = everywhere.login(&page.form(), "user", "user123").await;
        let back = back.header("location").to_owned();
        let resolved = url::Url::parse("https://here.example/a").unwrap().join(&back).unwrap();
        assert_eq!(resolved.host_str(), Some("here.example"), "{target} leads to {back}");
        let form = everywhere.call("/logout", None).await.form();
        everywhere.sign_out(&form, "sign_out").await;
    }
    // What is not sealed here leads nowhere.
    for page in ["//evil.example", "https://evil.example", "/app", "x", ""] {
        let answer = browser.call(&format!("/login?page={page}"), None).await;
        let is_refused = answer.status == 400 && answer.is_page();
        // An empty parameter is an absent one.
        assert!(is_refused || (page.is_empty() && answer.status == 200), "{page}: {answer:?}");
    }
    // Too long for the way back: without its query, or to the root.
    let long = "x".repeat(2000);
    assert_eq!(sign_in_for(&browser, &format!("/app/notes?q={long}"), "user").await, "/app/notes");
    let other = Browser::new(&server);
    assert_eq!(sign_in_for(&other, &format!("/app/{long}"), "user").await, "/");
    // Another service's.
    let (elsewhere, _) = start(|builder| builder);
    let foreign = visit(&Browser::new(&elsewhere), "/app/notes").await;
    assert_eq!(browser.follow(&foreign).await.status, 400);
}

/// Pages over all that there is.
fn serve_all() -> Server {
    let (listener, base) = free_port();
    let oauth = reloading(builder(&base)).build().unwrap();
    serve(listener, move |app| {
        let all = web::scope("").wrap(oauth.pages()).default_service(web::to(async || "all"));
        app.configure(oauth.routes()).service(all);
    })
}

fn raw(server: &Server, head: &str) -> String {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(server.base.trim_start_matches("http://")).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn location(answer: &str) -> Option<String> {
    answer.lines().find_map(|line| line.strip_prefix("location: ")).map(str::to_owned)
}
