//! Every term of the language over the wire, and what a client learns.

use actix_web::web::{self, ServiceConfig};
use actix_web::{Responder, get};
use oauth_runtime::{
    AccessToken, Claims, Client, Clock, OAuthService, Policy, Refusal, policy, public, require_claim, require_token,
    testing,
};
use oauth_tests::{Answer, Browser, Server, builder, free_port, serve, start_with};
use serde::Deserialize;
use serde_json::{Value, json};

/// A handler that answers its own name, under a policy.
macro_rules! guarded {
    ($($name:ident $path:literal ($($policy:tt)*);)*) => {
        $(
            #[require_claim($($policy)*)]
            #[get($path)]
            async fn $name() -> impl Responder {
                stringify!($name)
            }
        )*

        fn terms(app: &mut ServiceConfig) {
            $(app.service($name);)*
        }
    };
}

guarded! {
    equals "/equals" (role = "admin");
    differs "/differs" (role != "admin");
    below "/below" (level < 3);
    at_most "/at_most" (level <= 3);
    above "/above" (level > 3);
    at_least "/at_least" (level >= 3);
    one_of "/one_of" (role = ["editor", "admin"]);
    bare "/bare" (verified);
    not_bare "/not_bare" (not(suspended));
    not_guest "/not_guest" (not(role = "guest"));
    nested_claim "/nested_claim" (realm_access.roles = "admin");
    quoted "/quoted" ("https://example.com/role" = "admin");
    large "/large" (id = 18446744073709551615);
    range "/range" (level > 3, level < 9);
    scopes "/scopes" (scope = "notes:write notes:read");
    either_scope "/either_scope" (any(role = "admin", scope = "notes:write"));
    role_and_scope "/role_and_scope" (role = "admin", scope = "notes:write");
    fresh "/fresh" (fresh = "5m");
    acr "/acr" (acr = ["mfa", "passkey"]);
    step_up "/step_up" (scope = "notes:write", fresh = "1m", acr = "mfa");
    owner "/owner/{owner}" (sub = path.owner);
    not_owner "/not_owner/{owner}" (sub != path.owner);
    owners "/owners/{owner}" (owners = path.owner);
    number "/number/{id}" (user_id = path.id);
    tail "/tail/{tail:.*}" (folder = path.tail);
    any_in_all "/any_in_all" (all(a, any(b, all(c, d))));
    all_in_any "/all_in_any" (any(all(a, any(b, c)), d = 2));
    deep "/deep" (any(all(any(a, b), c), all(not(any(d, not(a))), any(b, all(c, not(a))))));
    not_all "/not_all" (not(all(a = 1, b = 2)));
}

fn service(base: &str) -> OAuthService {
    builder(base).build().unwrap()
}

/// A server with these handlers, and the means to make tokens for it.
fn start(app: impl Fn(&mut ServiceConfig) + Clone + Send + 'static) -> (Server, OAuthService) {
    let (listener, base) = free_port();
    let oauth = service(&base);
    let routes = oauth.clone();
    let server = serve(listener, move |config| {
        config.configure(routes.routes()).configure(app.clone());
    });
    (server, oauth)
}

const SECRET: &str = "YdYQ8GU1ZaifFM+45Ep9QAFqr0GY0b9DomzH6GQjLtQ=";

/// A token of alice with these claims; `null` takes one out.
fn token(oauth: &OAuthService, claims: Value) -> String {
    let token = testing::token(oauth, &json!({})).subject("alice");
    let claims = claims.as_object().unwrap().iter();
    let token = claims.fold(token, |token, (name, value)| match value {
        Value::Null => token.without(name),
        value => token.claim(name, value),
    });
    token.mint()
}

#[tokio::test]
async fn every_term_accepts_and_refuses() {
    let (server, oauth) = start(terms);
    let browser = Browser::new(&server);
    let now = Clock::system().now().seconds();
    let rows = [
        ("/equals", json!({ "role": "admin" }), 200),
        ("/equals", json!({ "role": ["user", "admin"] }), 200),
        ("/equals", json!({ "role": "Admin" }), 403),
        ("/equals", json!({ "role": { "admin": true } }), 403),
        ("/equals", json!({}), 403),
        ("/differs", json!({ "role": "user" }), 200),
        ("/differs", json!({ "role": ["user"] }), 200),
        ("/differs", json!({ "role": "admin" }), 403),
        ("/differs", json!({ "role": ["user", "admin"] }), 403),
        ("/differs", json!({ "role": 3 }), 403),
        ("/differs", json!({}), 403),
        ("/below", json!({ "level": 2 }), 200),
        ("/below", json!({ "level": 2.9 }), 200),
        ("/below", json!({ "level": 3 }), 403),
        ("/below", json!({ "level": "2" }), 403),
        ("/below", json!({ "level": [2] }), 403),
        ("/below", json!({}), 403),
        ("/at_most", json!({ "level": 3 }), 200),
        ("/at_most", json!({ "level": 3.1 }), 403),
        ("/above", json!({ "level": 4 }), 200),
        ("/above", json!({ "level": 3 }), 403),
        ("/at_least", json!({ "level": 3 }), 200),
        ("/at_least", json!({ "level": 2 }), 403),
        ("/one_of", json!({ "role": "editor" }), 200),
        ("/one_of", json!({ "role": ["admin"] }), 200),
        ("/one_of", json!({ "role": "user" }), 403),
        ("/bare", json!({ "verified": true }), 200),
        ("/bare", json!({ "verified": 0 }), 200),
        ("/bare", json!({ "verified": false }), 403),
        ("/bare", json!({}), 403),
        ("/not_bare", json!({}), 200),
        ("/not_bare", json!({ "suspended": false }), 200),
        ("/not_bare", json!({ "suspended": true }), 403),
        ("/not_guest", json!({ "role": "user" }), 200),
        ("/not_guest", json!({ "role": "guest" }), 403),
        ("/not_guest", json!({ "role": 3 }), 403),
        ("/not_guest", json!({}), 403),
        ("/nested_claim", json!({ "realm_access": { "roles": ["admin"] } }), 200),
        ("/nested_claim", json!({ "realm_access.roles": ["admin"] }), 403),
        ("/nested_claim", json!({ "realm_access": ["admin"] }), 403),
        ("/quoted", json!({ "https://example.com/role": "admin" }), 200),
        ("/quoted", json!({ "role": "admin" }), 403),
        ("/large", json!({ "id": u64::MAX }), 200),
        ("/large", json!({ "id": u64::MAX - 1 }), 403),
        ("/range", json!({ "level": 4 }), 200),
        ("/range", json!({ "level": 9 }), 403),
        ("/range", json!({ "level": 3 }), 403),
        ("/scopes", json!({ "scope": "notes:read other notes:write" }), 200),
        ("/scopes", json!({ "scope": "notes:read" }), 403),
        ("/scopes", json!({}), 403),
        ("/fresh", json!({}), 200),
        ("/fresh", json!({ "auth_time": now - 301 }), 401),
        ("/fresh", json!({ "auth_time": null }), 401),
        ("/acr", json!({ "acr": "passkey" }), 200),
        ("/acr", json!({ "acr": "password" }), 401),
        ("/acr", json!({}), 401),
        ("/owner/alice", json!({}), 200),
        ("/owner/bob", json!({}), 403),
        ("/owner/Alice", json!({}), 403),
        ("/owner/%61lice", json!({}), 200),
        ("/owner/%2561lice", json!({}), 403),
        ("/owner/a%20b%2Fc+d", json!({ "sub": "a b/c+d" }), 200),
        ("/owner/a+b", json!({ "sub": "a b" }), 403),
        ("/owner/%C3%BC", json!({ "sub": "ü" }), 200),
        ("/owner/%FF", json!({ "sub": "\u{FFFD}" }), 403),
        ("/not_owner/bob", json!({}), 200),
        ("/not_owner/alice", json!({}), 403),
        ("/not_owner/%FF", json!({}), 403),
        ("/owners/alice", json!({ "owners": ["bob", "alice"] }), 200),
        ("/owners/alice", json!({ "owners": ["bob"] }), 403),
        ("/owners/alice", json!({}), 403),
        ("/number/42", json!({ "user_id": 42 }), 200),
        ("/number/42", json!({ "user_id": "42" }), 200),
        ("/number/042", json!({ "user_id": 42 }), 403),
        ("/number/%34%32", json!({ "user_id": 42 }), 200),
        ("/tail/a/b", json!({ "folder": "a/b" }), 200),
        ("/tail/a/b/c", json!({ "folder": "a/b" }), 403),
        // Shapes that are let in where conditions are glued together as text.
        ("/any_in_all", json!({ "c": 1, "d": 1 }), 403),
        ("/any_in_all", json!({ "a": 1 }), 403),
        ("/any_in_all", json!({ "a": 1, "c": 1 }), 403),
        ("/any_in_all", json!({ "a": 1, "c": 1, "d": 1 }), 200),
        ("/any_in_all", json!({ "a": 1, "b": 1 }), 200),
        ("/all_in_any", json!({ "b": 1, "c": 1 }), 403),
        ("/all_in_any", json!({ "a": 1 }), 403),
        ("/all_in_any", json!({ "a": 1, "c": 1 }), 200),
        ("/all_in_any", json!({ "d": 2 }), 200),
        ("/deep", json!({ "b": 1 }), 403),
        ("/deep", json!({ "b": 1, "c": 1 }), 200),
        ("/deep", json!({ "a": 1, "b": 1, "d": 1 }), 403),
        ("/deep", json!({ "a": 1, "b": 1 }), 200),
        ("/not_all", json!({ "a": 1, "b": 3 }), 200),
        ("/not_all", json!({ "a": 1, "b": 2 }), 403),
        ("/not_all", json!({ "a": 1 }), 403),
        ("/not_all", json!({ "a": 2 }), 200),
    ];
    for (path, claims, status) in rows {
        let answer = browser.call(path, Some(&token(&oauth, claims.clone()))).await;
        assert_eq!(answer.status, status, "{path} {claims} {answer:?}");
    }
    for path in ["/equals", "/not_bare", "/fresh", "/owner/alice", "/owner/%FF"] {
        let answer = browser.call(path, None).await;
        assert_eq!((answer.status, answer.challenge().contains_key("error")), (401, false), "{path}");
    }
}

#[tokio::test]
async fn c28_the_challenge_says_what_would_be_enough_and_nothing_in_vain() {
    let (server, oauth) = start(terms);
    let browser = Browser::new(&server);
    let stale = Clock::system().now().seconds() - 3600;
    let rows = [
        // The complete scope, what the token has included.
        ("/scopes", json!({ "scope": "notes:read" }), 403, Some("notes:read notes:write"), None, None),
        ("/role_and_scope", json!({ "role": "admin" }), 403, Some("notes:write"), None, None),
        ("/role_and_scope", json!({ "role": "user" }), 403, None, None, None),
        ("/either_scope", json!({ "role": "user" }), 403, Some("notes:write"), None, None),
        ("/equals", json!({}), 403, None, None, None),
        ("/fresh", json!({ "auth_time": stale }), 401, None, Some("300"), None),
        ("/acr", json!({ "acr": "password" }), 401, None, None, Some("mfa passkey")),
        ("/step_up", json!({ "auth_time": stale }), 401, Some("notes:write"), Some("60"), Some("mfa")),
        ("/step_up", json!({ "acr": "mfa" }), 403, Some("notes:write"), None, None),
    ];
    for (path, claims, status, scope, max_age, acr_values) in rows {
        let answer = browser.call(path, Some(&token(&oauth, claims.clone()))).await;
        let challenge = answer.challenge();
        let of = |name: &str| challenge.get(name).map(String::as_str);
        assert_eq!((answer.status, of("scope")), (status, scope), "{path} {claims} {answer:?}");
        assert_eq!((of("max_age"), of("acr_values")), (max_age, acr_values), "{path} {claims}");
        let error = if status == 401 { "insufficient_user_authentication" } else { "insufficient_scope" };
        assert_eq!(of("error"), Some(error), "{path}");
        assert_eq!(answer.json().as_object().unwrap().len(), 2, "only error and error_description: {answer:?}");
        assert!(!answer.body.contains("notes:write"), "{answer:?}");
    }
}

#[tokio::test]
async fn c28_a_client_in_its_own_name_is_not_told_to_sign_in_again() {
    let job = Client::confidential("job").secret(SECRET).scope("notes:read");
    let server = start_with(|builder| builder.client(job), terms);
    let browser = Browser::new(&server);
    let issued = browser.post_as("/token", "job", SECRET, &[("grant_type", "client_credentials")]).await.json();
    for path in ["/fresh", "/acr", "/step_up"] {
        let refused = browser.call(path, issued["access_token"].as_str()).await;
        let challenge = refused.challenge();
        let of = |name: &str| challenge.get(name).map(String::as_str);
        assert_eq!((refused.status, of("error")), (403, Some("insufficient_scope")), "{path} {refused:?}");
        assert_eq!((of("scope"), of("max_age"), of("acr_values")), (None, None, None), "{path} {refused:?}");
    }
}

#[tokio::test]
async fn a_policy_is_told_to_a_client_only_where_the_author_says_so() {
    let (listener, base) = free_port();
    let oauth = builder(&base).danger_explain_refusals().build().unwrap();
    let routes = oauth.clone();
    let server = serve(listener, move |app| {
        app.configure(routes.routes()).configure(terms);
    });
    let answer = Browser::new(&server).call("/deep", Some(&token(&oauth, json!({ "b": 1 })))).await;
    let json = answer.json();
    assert!(json["policy"].as_str().unwrap().starts_with("any(all(any(a, b), c),"), "{answer:?}");
    assert!(json["decided"].as_str().unwrap().contains("c is false"), "{answer:?}");
    assert_eq!(answer.status, 403);
}

#[require_claim(sub = dyn path.owner)]
async fn lost() -> impl Responder {
    "lost"
}

#[tokio::test]
async fn a_parameter_that_the_route_lacks_is_the_servers_mistake() {
    let (server, oauth) = start(|app| {
        app.route("/lost", web::get().to(lost)).route("/found/{owner}", web::get().to(lost));
        app.service(web::scope("/of/{owner}").route("/found", web::get().to(lost)));
    });
    let browser = Browser::new(&server);
    let good = token(&oauth, json!({}));
    for (path, token) in [("/lost", None), ("/lost", Some(good.as_str()))] {
        let answer = browser.call(path, token).await;
        assert_eq!((answer.status, &answer.json()["error"]), (500, &json!("server_error")), "{path}");
        assert!(answer.headers.get("www-authenticate").is_none());
    }
    for (path, status) in [("/found/alice", 200), ("/found/bob", 403), ("/of/alice/found", 200), ("/of/bob/found", 403)]
    {
        assert_eq!(browser.call(path, Some(&good)).await.status, status, "{path}");
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Role {
    Reader,
    Auditor,
    Admin,
}

impl Role {
    fn is_staff(&self) -> bool {
        matches!(self, Role::Admin | Role::Auditor)
    }
}

#[derive(Deserialize)]
struct User {
    sub: String,
    role: Role,
    level: Level,
}

/// Counts how often claims are read as a `User`.
#[derive(PartialEq, PartialOrd)]
struct Level(u8);

static READ: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);

impl<'de> Deserialize<'de> for Level {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        READ.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        u8::deserialize(deserializer).map(Level)
    }
}

#[require_claim(User { role: Role::Admin | Role::Auditor, level: Level(3..), .. })]
#[get("/pattern")]
async fn pattern(Claims(user): Claims<User>) -> impl Responder {
    user.sub
}

#[require_claim(User { level, role, .. } if level.0 > 3 || role.is_staff())]
#[require_claim(User { role: Role::Reader | Role::Admin, .. })]
#[require_claim(sub = path.owner)]
#[get("/patterns/{owner}")]
async fn patterns(Claims(user): Claims<User>, Claims(all): Claims, token: AccessToken) -> impl Responder {
    format!("{} {} {}", user.sub, all["level"], token.subject())
}

fn typed(app: &mut ServiceConfig) {
    app.service(pattern).service(patterns);
}

#[tokio::test]
async fn a_pattern_decides_over_the_applications_own_type() {
    let (server, oauth) = start(typed);
    let browser = Browser::new(&server);
    for (path, claims, status) in [
        ("/pattern", json!({ "role": "admin", "level": 3 }), 200),
        ("/pattern", json!({ "role": "auditor", "level": 255 }), 200),
        ("/pattern", json!({ "role": "admin", "level": 2 }), 403),
        ("/pattern", json!({ "role": "reader", "level": 3 }), 403),
        // No `User` at all.
        ("/pattern", json!({ "role": "root", "level": 3 }), 403),
        ("/pattern", json!({ "role": "admin", "level": 256 }), 403),
        ("/pattern", json!({ "role": "admin", "level": "3" }), 403),
        ("/pattern", json!({ "role": "admin" }), 403),
        ("/pattern", json!({ "role": ["admin"], "level": 3 }), 403),
        ("/patterns/alice", json!({ "role": "admin", "level": 1 }), 200),
        ("/patterns/alice", json!({ "role": "reader", "level": 4 }), 200),
        ("/patterns/alice", json!({ "role": "reader", "level": 3 }), 403),
        ("/patterns/alice", json!({ "role": "auditor", "level": 3 }), 403),
        ("/patterns/bob", json!({ "role": "admin", "level": 1 }), 403),
    ] {
        let answer = browser.call(path, Some(&token(&oauth, claims.clone()))).await;
        assert_eq!(answer.status, status, "{path} {claims} {answer:?}");
    }

    // Two guards and the handler want a `User`, and the claims are read as one once.
    let before = READ.load(std::sync::atomic::Ordering::SeqCst);
    let answer = browser.call("/patterns/alice", Some(&token(&oauth, json!({ "role": "admin", "level": 1 })))).await;
    assert_eq!(answer.body, "alice 1 alice");
    assert_eq!(READ.load(std::sync::atomic::Ordering::SeqCst) - before, 1);
}

const STAFF: Policy = policy!(role = ["admin", "auditor"]);

#[public]
#[get("/inner")]
async fn inner() -> impl Responder {
    "inner"
}

#[get("/decides/{level}")]
async fn decides(level: web::Path<u8>, token: AccessToken) -> Result<String, Refusal> {
    if *level > 3 {
        token.satisfies(policy!(role = "admin", scope = "notes:write"))?;
    }
    if *level > 5 {
        token.satisfies(policy!(fresh = "5m"))?;
    }
    Ok(level.to_string())
}

#[tokio::test]
async fn a_policy_over_a_scope_and_over_the_whole_app() {
    let (listener, base) = free_port();
    let oauth = service(&base);
    let whole = oauth.clone();
    let (sender, receiver) = std::sync::mpsc::channel();
    // An `App` that is wrapped whole is built by hand.
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let server = actix_web::HttpServer::new(move || {
                actix_web::App::new()
                    .wrap(whole.require(policy!(level > 0)))
                    .configure(whole.routes())
                    .service(web::scope("/staff").wrap(whole.require(STAFF)).service(inner))
                    .service(inner)
                    .service(decides)
            });
            let server = server
                .workers(1)
                .client_request_timeout(std::time::Duration::ZERO)
                .disable_signals()
                .listen(listener)
                .unwrap()
                .run();
            sender.send(server.handle()).unwrap();
            server.await.unwrap();
        });
    });
    let handle = receiver.recv().unwrap();
    let browser = Browser { http: reqwest::Client::new(), base: base.clone() };
    let one = token(&oauth, json!({ "level": 1 }));
    let admin = token(&oauth, json!({ "level": 1, "role": "admin" }));
    let zero = token(&oauth, json!({ "level": 0, "role": "admin" }));
    for (path, token, status) in [
        ("/inner", None, 401),
        ("/inner", Some(&zero), 403),
        ("/inner", Some(&one), 200),
        ("/staff/inner", None, 401),
        ("/staff/inner", Some(&one), 403),
        ("/staff/inner", Some(&zero), 403),
        ("/staff/inner", Some(&admin), 200),
        ("/nowhere", None, 401),
        ("/nowhere", Some(&one), 404),
        // The server's own addresses, in the two spellings of NormalizePath, and nothing else that looks like them.
        ("/authorize", None, 400),
        ("/authorize/", None, 400),
        ("//authorize", None, 401),
        ("/token", None, 405),
        ("/.well-known/oauth-authorization-server", None, 200),
        ("/.well-known/oauth-protected-resource", None, 200),
        ("/oauth/pages.css", None, 200),
        // Not there without a logo, and so nobody's but the application's.
        ("/oauth/logo", None, 401),
    ] {
        let answer = browser.call(path, token.map(String::as_str)).await;
        assert_eq!(answer.status, status, "{path} {answer:?}");
        if status == 401 {
            assert!(answer.challenge().contains_key("resource_metadata"));
        }
    }
    // A preflight has no token: the CORS layer belongs around the policy, since a handler of any method would take it.
    for (headers, status) in [
        (&[("origin", "https://spa.example"), ("access-control-request-method", "GET")][..], 401),
        (&[("origin", "https://spa.example")], 401),
        (&[("access-control-request-method", "GET")], 401),
        (&[], 401),
    ] {
        let mut request = browser.http.request(reqwest::Method::OPTIONS, format!("{base}/inner"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        assert_eq!(Answer::to(request).await.status, status, "{headers:?}");
    }
    drop(handle.stop(false));
}

#[actix_web::test]
async fn an_app_without_the_server_has_no_addresses_of_the_servers() {
    use actix_web::test as harness;

    let oauth = service("http://127.0.0.1:9");
    let path = "/token";
    let app =
        actix_web::App::new().wrap(oauth.require(policy!(level > 0))).route(path, web::get().to(|| async { "mine" }));
    let app = harness::init_service(app).await;
    for path in [path, "/login", "/authorize"] {
        let response = harness::call_service(&app, harness::TestRequest::get().uri(path).to_request()).await;
        assert_eq!(response.status(), 401, "{path}");
    }
    let token = testing::token(&oauth, &json!({})).claim("level", 1).header();
    let request = harness::TestRequest::get().uri(path).insert_header(token).to_request();
    assert_eq!(harness::call_service(&app, request).await.status(), 200);
}

#[tokio::test]
async fn a_handler_decides_a_policy_itself() {
    let (server, oauth) = start(|app| {
        app.service(decides);
    });
    let browser = Browser::new(&server);
    let stale = Clock::system().now().seconds() - 3600;
    let user = token(&oauth, json!({ "role": "user" }));
    let admin = token(&oauth, json!({ "role": "admin" }));
    let writer = token(&oauth, json!({ "role": "admin", "scope": "notes:write", "auth_time": stale }));
    for (path, token, status, scope) in [
        ("/decides/1", Some(&user), 200, None),
        ("/decides/1", None, 401, None),
        ("/decides/4", Some(&user), 403, None),
        ("/decides/4", Some(&admin), 403, Some("notes:write")),
        ("/decides/4", Some(&writer), 200, None),
        ("/decides/6", Some(&writer), 401, None),
    ] {
        let answer = browser.call(path, token.map(String::as_str)).await;
        assert_eq!(answer.status, status, "{path} {answer:?}");
        if status >= 400 {
            let challenge = answer.challenge();
            assert_eq!(challenge.get("scope").map(String::as_str), scope);
            assert_eq!(challenge["resource_metadata"], format!("{}/.well-known/oauth-protected-resource", server.base));
        }
    }
}

#[tokio::test]
async fn the_protected_resource_is_described_at_its_own_address() {
    let base = "http://127.0.0.1:9";
    for (issuer, audience, place) in [
        (base, None, Some("/.well-known/oauth-protected-resource")),
        ("http://127.0.0.1:9/tenant", None, Some("/.well-known/oauth-protected-resource/tenant")),
        (base, Some("http://127.0.0.1:9/api"), Some("/.well-known/oauth-protected-resource/api")),
        (base, Some("https://elsewhere.example/api"), None),
        (base, Some("my-api"), None),
    ] {
        let server = start_with(
            |builder| {
                let builder = builder.issuer(issuer);
                match audience {
                    Some(audience) => builder.audience(audience),
                    None => builder,
                }
            },
            |_| {},
        );
        let browser = Browser::new(&server);
        let challenge = browser.call("/me", None).await.challenge();
        let named = challenge.get("resource_metadata").map(String::as_str);
        assert_eq!(named, place.map(|place| format!("{base}{place}")).as_deref());
        let Some(place) = place else {
            assert_eq!(browser.call("/.well-known/oauth-protected-resource", None).await.status, 404);
            continue;
        };
        let answer = browser.call(place, None).await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, "*"));
        let json = answer.json();
        assert_eq!(json["resource"], audience.unwrap_or(issuer));
        assert_eq!(json["authorization_servers"], json!([issuer]));
        assert_eq!(json["bearer_methods_supported"], json!(["header"]));
        // Gathered from the guards of this test program.
        assert_eq!(json["scopes_supported"], json!(["notes:read", "notes:write"]));
    }
}

#[tokio::test]
async fn c26_a_token_that_was_good_before_is_decided_anew() {
    let clock = Clock::by_hand();
    for cache in [16 << 20, 0] {
        let (listener, base) = free_port();
        let oauth = builder(&base).clock(clock.clone()).token_cache(cache).build().unwrap();
        let routes = oauth.clone();
        let server = serve(listener, move |app| {
            app.configure(routes.routes()).service(mine);
        });
        let browser = Browser::new(&server);
        let far = clock.now().seconds() + 7_200;
        let near = clock.now().seconds() + 60;
        let make = |subject: &str, exp: u64| {
            token(&oauth, json!({ "sub": subject, "gid": subject, "exp": exp, "iat": clock.now().seconds() + 1 }))
        };
        let (alice, bob, carol) = (make("alice", near), make("bob", far), make("carol", far));
        // Often enough that the thread which answers keeps them itself.
        for _ in 0..5 {
            for token in [&alice, &bob, &carol] {
                assert_eq!(browser.call("/mine", Some(token)).await.status, 200);
            }
        }
        oauth.sign_out("bob").await.unwrap();
        let revoked = browser.call("/mine", Some(&bob)).await;
        assert_eq!((revoked.status, revoked.challenge()["error"].as_str()), (401, "invalid_token"));
        clock.advance(std::time::Duration::from_secs(60));
        assert_eq!(browser.call("/mine", Some(&alice)).await.status, 401);
        assert_eq!(browser.call("/mine", Some(&carol)).await.status, 200);
        oauth.sign_out("carol").await.unwrap();
        assert_eq!(browser.call("/mine", Some(&carol)).await.status, 401);
        // A refused token is no key to anything, however often it comes.
        for _ in 0..3 {
            assert_eq!(browser.call("/mine", Some(&alice)).await.status, 401);
            assert_eq!(browser.call("/mine", Some(&format!("{carol}x"))).await.status, 401);
        }
    }
}

#[require_token]
#[get("/mine")]
async fn mine(Claims(_): Claims, token: AccessToken) -> impl Responder {
    token.subject().to_owned()
}
