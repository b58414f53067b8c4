//! An `App` in which nothing is left open, and a policy over a whole `App`, over the wire.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, Responder, get, guard, post, rt};
use oauth_runtime::{OAuthService, policy, public, require_claim, require_token, testing};
use oauth_tests::{Answer, builder, free_port};
use serde_json::json;

/// How many handlers without a guard have run.
#[derive(Clone, Default)]
struct Ran(Arc<AtomicUsize>);

impl Ran {
    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    fn note(&self) -> &'static str {
        self.0.fetch_add(1, Ordering::SeqCst);
        "open to everyone"
    }
}

#[require_token]
#[get("/me")]
async fn me() -> impl Responder {
    "me"
}

#[require_claim(role = "admin")]
#[post("/me")]
async fn change() -> impl Responder {
    "changed"
}

#[require_token]
#[get("/notes/{id}", name = "one note")]
async fn note(id: web::Path<String>) -> impl Responder {
    id.into_inner()
}

/// actix-web names the resource with the mark of a raw word.
#[require_token]
#[get("/type")]
async fn r#type() -> impl Responder {
    "type"
}

#[public]
#[get("/")]
async fn welcome() -> impl Responder {
    "welcome"
}

#[get("/forgotten")]
async fn forgotten(ran: Data<Ran>) -> impl Responder {
    ran.note()
}

#[post("/only-post")]
async fn forgotten_post(ran: Data<Ran>) -> impl Responder {
    ran.note()
}

#[require_token]
#[get("/only-post")]
async fn beside_forgotten() -> impl Responder {
    "guarded"
}

/// As a WebSocket begins.
#[get("/socket")]
async fn socket(ran: Data<Ran>, _: HttpRequest, _: Payload) -> HttpResponse {
    let _ = ran.note();
    HttpResponse::SwitchingProtocols().upgrade("websocket").finish()
}

/// Shares its path's end with a guarded route, and its name.
mod other {
    use super::*;

    #[get("/me")]
    pub(super) async fn me(ran: Data<Ran>) -> impl Responder {
        ran.note()
    }
}

mod ends {
    use super::*;
    use actix_web::{delete, get, patch, post};

    #[require_token]
    #[get("/reports")]
    pub(super) async fn reports() -> impl Responder {
        "guarded"
    }

    #[post("/reports")]
    pub(super) async fn forgotten(ran: Data<Ran>) -> impl Responder {
        ran.note()
    }

    #[require_token]
    #[post("")]
    pub(super) async fn users() -> impl Responder {
        "guarded"
    }

    #[require_token]
    #[get("/items/{id}")]
    pub(super) async fn item() -> impl Responder {
        "guarded"
    }

    #[delete("/items/{id}")]
    pub(super) async fn forgotten_item(ran: Data<Ran>) -> impl Responder {
        ran.note()
    }

    #[require_token]
    #[delete("/{id}")]
    pub(super) async fn thing() -> impl Responder {
        "guarded"
    }

    #[require_token]
    #[patch("/{id}")]
    pub(super) async fn other() -> impl Responder {
        "guarded"
    }

    #[delete("/{id}")]
    pub(super) async fn forgotten_other(ran: Data<Ran>) -> impl Responder {
        ran.note()
    }
}

/// Answers for itself that it is not there.
async fn missing(ran: Data<Ran>) -> impl Responder {
    HttpResponse::NotFound().body(ran.note())
}

async fn audited(ran: Data<Ran>) -> impl Responder {
    ran.note()
}

#[require_token]
async fn routed() -> impl Responder {
    "routed"
}

async fn health(ran: Data<Ran>) -> impl Responder {
    ran.note()
}

fn application(app: &mut ServiceConfig, oauth: &OAuthService, ran: &Ran) {
    let audit =
        web::scope("/audit").route("/log", web::get().to(audited)).wrap(oauth.require(policy!(role = "auditor")));
    app.app_data(Data::new(ran.clone())).configure(oauth.routes());
    app.service(me)
        .service(r#type)
        .service(change)
        .service(welcome)
        .service(forgotten)
        .service(beside_forgotten)
        .service(forgotten_post);
    app.service(socket).service(web::scope("/api").service(note)).service(audit);
    app.service(web::scope("/other").service(other::me));
    app.route("/routed", web::get().to(routed)).route("/health", web::get().to(health));
    app.route("/undecided", web::get().to(health)).route("/any", web::to(health)).route("/missing", web::to(missing));
    app.route("/pages/secret", web::get().to(health)).route("/pages/{name}", web::get().to(health));
    app.service(ends::reports).service(ends::forgotten).service(ends::item).service(ends::forgotten_item);
    app.service(web::scope("/users").service(ends::users)).service(web::scope("/things").service(ends::thing));
    app.service(web::scope("/others").service(ends::other).service(ends::forgotten_other));
}

struct Running {
    base: String,
    oauth: OAuthService,
    ran: Ran,
}

fn start(
    closed: impl Fn(&OAuthService) -> oauth_runtime::Closed + Clone + Send + 'static,
    application: impl Fn(&mut ServiceConfig, &OAuthService, &Ran) + Clone + Send + 'static,
) -> Running {
    let (listener, base) = free_port();
    let oauth = builder(&base).build().unwrap();
    let (service, ran) = (oauth.clone(), Ran::default());
    let noted = ran.clone();
    std::thread::spawn(move || {
        rt::System::new().block_on(async move {
            let app = move || {
                let (application, oauth, ran) = (application.clone(), service.clone(), noted.clone());
                App::new().configure(move |app| application(app, &oauth, &ran)).wrap(closed(&service))
            };
            HttpServer::new(app).workers(1).listen(listener).unwrap().run().await.unwrap();
        });
    });
    Running { base, oauth, ran }
}

impl Running {
    async fn ask(&self, method: &str, path: &str, token: Option<&testing::Token>) -> Answer {
        let http = reqwest::Client::new();
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = http.request(method, format!("{}{path}", self.base));
        let request = match token {
            Some(token) => request.bearer_auth(token.clone().mint()),
            None => request,
        };
        Answer::to(request).await
    }
}

#[tokio::test]
async fn c26_a_route_without_a_guard_is_refused_before_its_handler_runs() {
    let running = start(OAuthService::closed, application);
    let token = testing::token(&running.oauth, &json!({})).subject("alice").claim("role", "admin");
    for (method, path, status) in [
        ("GET", "/", 200),
        ("GET", "/me", 200),
        ("POST", "/me", 200),
        ("GET", "/api/notes/7", 200),
        ("GET", "/forgotten", 500),
        ("GET", "/socket", 500),
        ("GET", "/health", 500),
        ("GET", "/audit/log", 500),
        ("GET", "/routed", 500),
        ("GET", "/nowhere", 404),
        ("DELETE", "/me", 405),
        ("PUT", "/api/notes/7", 405),
        ("POST", "/only-post", 405),
        ("GET", "/only-post", 200),
        ("GET", "/.well-known/oauth-authorization-server", 200),
        ("GET", "/jwks.json", 404),
        ("DELETE", "/token", 405),
        ("POST", "/token", 400),
    ] {
        for token in [None, Some(&token)] {
            let answer = running.ask(method, path, token).await;
            let needs_token = ["/me", "/api/notes/7", "/only-post"].contains(&path) && status == 200;
            let expected = if needs_token && token.is_none() { 401 } else { status };
            assert_eq!(answer.status, expected, "{method} {path} {}: {answer:?}", token.is_some());
        }
    }
    for (path, status) in [("/me", 404), ("/forgotten", 500), ("/any", 500), ("/token", 204)] {
        let preflight = reqwest::Client::new().request(reqwest::Method::OPTIONS, format!("{}{path}", running.base));
        let preflight = preflight.header("origin", "https://a.example").header("access-control-request-method", "GET");
        assert_eq!(Answer::to(preflight).await.status, status, "a preflight of {path}");
    }
    assert_eq!(running.ran.count(), 0, "none of them ran");
}

/// The router reads what is percent-encoded, and so does what looks before it.
#[tokio::test]
async fn c26_a_route_that_is_spelt_otherwise_is_refused_all_the_same() {
    let closed = |oauth: &OAuthService| oauth.closed().public(["/pages/{name}"]);
    let running = start(closed, application);
    let token = testing::token(&running.oauth, &json!({})).claim("role", "admin");
    for (method, path, status) in [
        ("GET", "/%66orgotten", 500),
        ("GET", "/forgotten/", 404),
        ("GET", "//forgotten", 404),
        ("GET", "/FORGOTTEN", 404),
        ("GET", "/%6dissing", 500),
        ("GET", "/missing", 500),
        ("GET", "/pages/secret", 500),
        ("GET", "/pages/%73ecret", 500),
        ("GET", "/pages/a", 200),
        ("OPTIONS", "/any", 500),
        ("PATCH", "/any", 500),
        // A route's pattern is not any that ends so.
        ("POST", "/reports", 405),
        ("POST", "/users", 200),
        ("DELETE", "/items/7", 405),
        ("DELETE", "/things/7", 200),
        ("GET", "/%6de", 200),
        ("POST", "/%74oken", 400),
    ] {
        let ran = running.ran.count();
        let answer = running.ask(method, path, Some(&token)).await;
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
        let may_run = usize::from(path == "/pages/a");
        assert_eq!(running.ran.count(), ran + may_run, "{method} {path} ran");
    }
}

#[tokio::test]
async fn c26_what_the_map_cannot_see_is_named_and_an_answer_that_nothing_decided_is_withheld() {
    let closed = |oauth: &OAuthService| {
        oauth.closed().public(["GET /health", "/static/*"]).guarded(["/audit/*", "/routed", "/undecided", "/missing"])
    };
    let running = start(closed, application);
    let admin = testing::token(&running.oauth, &json!({})).claim("role", "admin");
    let auditor = testing::token(&running.oauth, &json!({})).claim("role", "auditor");
    for (path, token, status) in [
        ("/health", None, 200),
        ("/routed", None, 401),
        ("/routed", Some(&admin), 200),
        ("/audit/log", None, 401),
        ("/audit/log", Some(&admin), 403),
        ("/audit/log", Some(&auditor), 200),
        ("/audit/nothing", Some(&auditor), 404),
        ("/static/none.css", None, 404),
    ] {
        assert_eq!(running.ask("GET", path, token).await.status, status, "{path}");
    }
    let ran = running.ran.count();
    let answer = running.ask("GET", "/undecided", Some(&admin)).await;
    assert_eq!((answer.status, answer.body.contains("open to everyone")), (500, false), "{answer:?}");
    let answer = running.ask("GET", "/missing", Some(&admin)).await;
    assert_eq!((answer.status, answer.body.as_str()), (404, ""));
    // The route's end and its handler's name are those of a guarded one: the net holds what it says.
    let answer = running.ask("GET", "/other/me", Some(&admin)).await;
    assert_eq!((answer.status, answer.body.contains("open to everyone")), (500, false), "{answer:?}");
    // And so are the method and the text of one in another scope.
    let answer = running.ask("DELETE", "/others/7", Some(&admin)).await;
    assert_eq!((answer.status, answer.body.contains("open to everyone")), (500, false), "{answer:?}");
    assert_eq!(running.ran.count(), ran + 4);
}

#[tokio::test]
async fn c26_a_policy_over_the_whole_app_is_for_a_route_at_an_address_of_the_servers_too() {
    async fn shadow(ran: Data<Ran>) -> impl Responder {
        ran.note()
    }
    let (listener, base) = free_port();
    let oauth = builder(&base).build().unwrap();
    let (service, ran) = (oauth.clone(), Ran::default());
    let noted = ran.clone();
    std::thread::spawn(move || {
        rt::System::new().block_on(async move {
            let app = move || {
                App::new()
                    .app_data(Data::new(noted.clone()))
                    .service(web::resource("/verify").guard(guard::Get()).to(shadow))
                    .service(web::resource("/revoke").to(shadow))
                    .configure(service.routes())
                    .wrap(service.require(policy!(role = "admin")))
            };
            HttpServer::new(app).workers(1).listen(listener).unwrap().run().await.unwrap();
        });
    });
    let running = Running { base, oauth, ran };
    for (method, path) in [("GET", "/verify"), ("POST", "/revoke"), ("GET", "/revoke")] {
        assert_eq!(running.ask(method, path, None).await.status, 401, "{method} {path}");
    }
    assert_eq!(running.ran.count(), 0);
    let admin = testing::token(&running.oauth, &json!({})).claim("role", "admin");
    assert_eq!(running.ask("GET", "/verify", Some(&admin)).await.status, 200);
    assert_eq!(running.ask("POST", "/token", None).await.status, 400, "the server's own passes");
    assert_eq!(running.ask("GET", "/token", None).await.status, 405, "whatever it says");
    assert_eq!(running.ask("GET", "/.well-known/oauth-authorization-server", None).await.status, 200);
}

/// Of two scopes with one prefix actix-web's list of routes shows what is in the first, though its guard may refuse.
#[tokio::test]
async fn c26_a_route_behind_a_scope_that_asks_for_more_than_a_path_is_decided_by_its_guard() {
    let application = |app: &mut ServiceConfig, oauth: &OAuthService, ran: &Ran| {
        let asks = || guard::Header("x-old", "1");
        app.app_data(Data::new(ran.clone())).configure(oauth.routes());
        app.service(web::scope("/s").guard(asks()).service(welcome));
        app.service(web::scope("/s").service(me).service(note).service(forgotten));
        app.service(web::scope("/t").guard(asks()).service(welcome));
        app.service(web::scope("/t").service(other::me));
        app.default_service(web::to(health));
    };
    let running = start(OAuthService::closed, application);
    let token = token_of(&running);
    for (method, path, status, ran) in [
        ("GET", "/s/me", 200, 0),
        ("GET", "/s/%6de", 200, 0),
        ("GET", "/s/notes/7", 200, 0),
        // Nothing that is guarded ends so.
        ("GET", "/s/forgotten", 404, 0),
        ("PUT", "/s/notes/7", 404, 0),
        ("GET", "/nowhere", 404, 0),
        // What ends as a guarded route runs, and the net holds what it says.
        ("GET", "/t/me", 500, 1),
        ("GET", "/nowhere/me", 404, 1),
    ] {
        let before = running.ran.count();
        let answer = running.ask(method, path, Some(&token)).await;
        assert_eq!((answer.status, running.ran.count() - before), (status, ran), "{method} {path}: {answer:?}");
        assert!(!answer.body.contains("open to everyone"), "{answer:?}");
        if status == 200 {
            assert_eq!(running.ask(method, path, None).await.status, 401, "{method} {path}");
        }
    }
    let long = format!("/{}/me", "x".repeat(2000));
    assert_eq!(running.ask("GET", &long, Some(&token)).await.status, 404);
    let named = start(|oauth| oauth.closed().guarded(["/s/*"]), application);
    assert_eq!(named.ask("GET", "/s/me", Some(&token_of(&named))).await.status, 200);
}

/// The pages of an application need no guard of their own, which closed() cannot know.
#[tokio::test]
async fn c26_a_page_below_pages_is_named_as_guarded_or_has_a_guard() {
    let oauth = builder("http://127.0.0.1:9").reload(async |_: &str| Some(json!({ "role": "user" }))).build().unwrap();
    let session = testing::session(&oauth, "ada").await;
    for (closed, plain) in [(oauth.closed(), 500), (oauth.closed().guarded(["/app/*"]), 200)] {
        let pages = web::scope("/app").wrap(oauth.pages()).service(forgotten).service(me);
        let app = App::new().configure(oauth.routes()).app_data(Data::new(Ran::default())).service(pages);
        let app = actix_web::test::init_service(app.wrap(closed)).await;
        for (path, expected) in [("/app/forgotten", plain), ("/app/me", 200)] {
            let request = || actix_web::test::TestRequest::get().uri(path);
            let with = request().insert_header(session.clone()).to_request();
            assert_eq!(actix_web::test::call_service(&app, with).await.status().as_u16(), expected, "{path}");
            let without = actix_web::test::call_service(&app, request().to_request()).await.status().as_u16();
            assert_eq!(without, if expected == 200 { 401 } else { expected }, "{path}");
        }
    }
}

fn token_of(running: &Running) -> testing::Token {
    testing::token(&running.oauth, &json!({}))
}

#[tokio::test]
async fn what_closed_leaves_open_is_public_in_the_table_as_well() {
    let oauth = testing::service();
    let app = App::new()
        .configure(oauth.routes())
        .route("/health", web::get().to(health))
        .route("/open", web::get().to(health))
        .route("/any", web::to(health))
        .route("/static/{file:.*}", web::get().to(missing))
        .route("/files/{file:.*}", web::get().to(missing))
        .app_data(Data::new(Ran::default()))
        .wrap(oauth.closed().public(["/health", "/any", "/static/*"]));
    let routes = testing::coverage(app).await;
    let table = routes.to_string();
    let lines =
        |path: &str| table.lines().filter(|line| line.split_whitespace().any(|word| word == path)).collect::<Vec<_>>();
    for path in ["/health", "/any", "/static/{file:.*}"] {
        let lines = lines(path);
        assert!(!lines.is_empty() && lines.iter().all(|line| line.ends_with("public")), "{path}: {table}");
    }
    for path in ["/open", "/files/{file:.*}"] {
        let lines = lines(path);
        assert!(!lines.is_empty() && !lines.iter().any(|line| line.ends_with("public")), "{path}: {table}");
    }
}
