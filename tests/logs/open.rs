//! What the log says of a route that is open, and of one at an address of the server's: which it is, and what to write.

use actix_web::{App, HttpServer, get, rt, web};
use oauth_runtime::{Policy, policy, require_token};
use oauth_tests::{Answer, Browser, builder, free_port, serve};

use crate::LOG;
use crate::issuers::lines;

async fn forgotten() -> &'static str {
    "open to everyone"
}

#[tokio::test]
async fn c26_a_route_at_an_address_of_the_servers_is_told_at_the_first_request() {
    let _ = LOG.clone();
    let (listener, base) = free_port();
    let oauth = builder(&base).build().unwrap();
    let server = serve(listener, move |app| {
        app.route("/verify", web::get().to(forgotten)).configure(oauth.routes());
    });
    let browser = Browser::new(&server);
    for _ in 0..2 {
        assert_eq!(browser.call("/.well-known/oauth-authorization-server", None).await.status, 200);
    }
    let told = lines("a route of the application has an address of the server");
    assert!(told.contains("path=\"/verify\"") && told.contains("ERROR"), "{told}");
    assert_eq!(told.matches("path=\"/verify\"").count(), 1, "once: {told}");
    assert!(!told.contains("path=\"/token\""), "{told}");
}

#[tokio::test]
async fn c26_a_route_that_is_left_open_is_told_with_its_cure() {
    let _ = LOG.clone();
    let (listener, base) = free_port();
    let oauth = builder(&base).build().unwrap();
    std::thread::spawn(move || {
        rt::System::new().block_on(async move {
            let app = move || {
                let left_open = App::new().route("/left-open/{id}", web::get().to(forgotten));
                left_open.configure(oauth.routes()).wrap(oauth.closed())
            };
            HttpServer::new(app).workers(1).listen(listener).unwrap().run().await.unwrap();
        });
    });
    assert_eq!(Browser::at(&base).call("/left-open/7", None).await.status, 500);
    let told = lines("a route without a guard was refused");
    assert!(told.contains("method=GET route=\"/left-open/{id}\"") && told.contains("`#[public]`"), "{told}");
    assert_eq!(Browser::at(&base).call("/not-there/s3cr3t", None).await.status, 404);
    let told = lines("oauth.closed() answered 404");
    assert!(told.contains("INFO") && told.contains("method=GET below=\"/not-there/\""), "{told}");
    assert!(!told.contains("s3cr3t"), "{told}");
}

#[require_token]
#[get("/told/{secret}")]
async fn guarded() -> &'static str {
    "for a token"
}

#[tokio::test]
async fn c26_a_refusal_says_at_which_route_and_nothing_that_is_filled_in() {
    let _ = LOG.clone();
    let (listener, base) = free_port();
    let oauth = builder(&base).build().unwrap();
    let server = serve(listener, move |app| {
        app.configure(oauth.routes()).service(web::scope("/below").service(guarded));
    });
    assert_eq!(Browser::new(&server).call("/below/told/s3cr3t?also=s3cr3t", None).await.status, 401);
    let told = lines("route=\"/below/told/{secret}\"");
    assert!(
        told.contains("request refused") && told.contains("TokenMissing") && told.contains("method=\"GET\""),
        "{told}"
    );
    assert!(!lines("request refused").contains("s3cr3t"));
}

#[test]
fn an_mcp_server_whose_issuer_is_not_where_clients_fall_back_to_is_told() {
    let _ = LOG.clone();
    builder("https://fallback.example").direct_peers().mcp("https://fallback.example/mcp").build().unwrap();
    let message = "a client of the MCP server finds this path by the metadata";
    assert!(!lines(message).contains("/authorize\""), "{}", lines(message));
    builder("https://fallback.example/tenant").direct_peers().mcp("https://fallback.example/mcp").build().unwrap();
    let told = lines(message);
    for path in ["/authorize", "/token", "/register"] {
        assert!(told.contains(&format!("path=\"/tenant{path}\" fallback=\"{path}\"")), "{told}");
    }
}

const READERS: Policy = policy!(scope = "unopened:read");

#[test]
fn a_scope_that_no_unlisted_client_can_get_is_told_once_with_its_cure() {
    let (_, _) = (LOG.clone(), READERS);
    let with_scope = || builder("http://127.0.0.1:9").scope("unopened:read", "Read").scope("unopened:write", "Write");
    let told = || {
        let lines = lines("clients that are not listed (.mcp(..), .registration()) get no scope");
        lines.lines().filter(|line| line.contains("unopened:read")).map(str::to_owned).collect::<Vec<_>>()
    };
    // None is let in, it was said, or no guard asks for it.
    with_scope().build().unwrap();
    with_scope().registration().open_scopes("unopened:read").build().unwrap();
    with_scope().mcp("http://127.0.0.1:9/mcp").open_scopes("").build().unwrap();
    builder("http://127.0.0.1:9").scope("unopened:write", "Write").registration().build().unwrap();
    assert_eq!(told(), [""; 0]);
    for (count, open) in
        [with_scope().registration(), with_scope().mcp("http://127.0.0.1:9/mcp")].into_iter().enumerate()
    {
        open.build().unwrap();
        let told = told();
        let [.., line] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!(told.len(), count + 1, "{told:?}");
        assert!(line.contains("WARN") && line.contains("unopened:read") && !line.contains("unopened:write"), "{line}");
        assert!(line.contains("add .open_scopes(\"") && line.contains("or .open_scopes(\"\")"), "{line}");
    }
}

/// One after another: that the routes were given to a scope is remembered for the process.
#[tokio::test]
async fn an_app_without_the_servers_routes_is_told_and_one_whose_scope_has_them() {
    let _ = LOG.clone();
    for (has_scope, cure) in [
        (false, "add .configure(oauth.routes()) to the App"),
        (true, "give it to App::configure, and put the path into"),
    ] {
        let (listener, base) = free_port();
        let oauth = builder(&base).reload(async |_: &str| Some(serde_json::json!({}))).build().unwrap();
        let server = serve(listener, move |app| {
            let pages = web::scope("/app").wrap(oauth.pages()).route("/{page}", web::get().to(forgotten));
            app.service(pages).service(guarded);
            if has_scope {
                app.service(web::scope("/auth").configure(oauth.routes()));
            }
        });
        let browser = Browser::new(&server);
        for (path, what) in [
            (format!("/app/of-{has_scope}"), "oauth.pages() has no OAuthService"),
            (format!("/told/of-{has_scope}"), "a guarded handler has no OAuthService and no ResourceServer"),
        ] {
            let page = browser.http.get(format!("{base}{path}")).header("accept", "text/html");
            assert_eq!(Answer::to(page).await.status, 500, "{path}");
            let told = lines(&format!("path=\"{path}\""));
            assert!(told.contains("ERROR") && told.contains(&format!("{what}: ")) && told.contains(cure), "{told}");
        }
    }
}
