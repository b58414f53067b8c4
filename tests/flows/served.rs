//! Resources of this very `App`: an audience of their own, and a description that clients find.

use actix_web::web;
use oauth_runtime::{AccessToken, Builder, require_claim, require_token};
use oauth_tests::{Answer, Browser, Server, builder, free_port, handlers, serve};
use serde_json::json;

#[require_token]
async fn tool(token: AccessToken) -> String {
    token.subject().to_owned()
}

#[require_claim(scope = "notes:write")]
async fn write() -> &'static str {
    "written"
}

/// A service with `/mcp` and `/mcp/files` beside the usual handlers.
fn start(change: impl FnOnce(Builder, &str) -> Builder) -> Server {
    let (listener, base) = free_port();
    let oauth = change(builder(&base), &base).build().unwrap();
    serve(listener, move |app| {
        let mcp = web::scope("/mcp")
            .route("", web::get().to(tool))
            .route("/", web::get().to(tool))
            .route("/tools/{name}", web::get().to(tool))
            .route("/write", web::post().to(write))
            .route("/files/list", web::get().to(tool))
            .service(
                web::scope("/wrapped")
                    .wrap(oauth.require(oauth_runtime::policy!(role = "admin")))
                    .default_service(web::to(async || "wrapped")),
            );
        app.configure(oauth.routes()).configure(handlers).service(mcp).route("/mcpx", web::get().to(tool));
    })
}

async fn token(browser: &Browser, resource: Option<&str>) -> String {
    let changes = [("resource", resource), ("scope", Some("notes:read"))];
    let issued = browser.issued(&changes[usize::from(resource.is_none())..]).await;
    issued["access_token"].as_str().unwrap().to_owned()
}

async fn error(browser: &Browser, path: &str, token: &str) -> (u16, String) {
    let answer: Answer = browser.call(path, Some(token)).await;
    let error = if answer.status == 401 { answer.challenge()["error_description"].clone() } else { String::new() };
    (answer.status, error)
}

#[tokio::test]
async fn c24_what_is_below_a_resources_path_takes_its_tokens_alone() {
    let server = start(|builder, base| builder.mcp(format!("{base}/mcp")).resource(format!("{base}/mcp/files")));
    let (browser, base) = (Browser::new(&server), &server.base);
    let own = token(&browser, None).await;
    let mcp = token(&browser, Some(&format!("{base}/mcp"))).await;
    let files = token(&browser, Some(&format!("{base}/mcp/files/"))).await;
    let opens = async |path: &str| {
        let mut opened = Vec::new();
        for (name, token) in [("own", &own), ("mcp", &mcp), ("files", &files)] {
            let answer = browser.call(path, Some(token)).await;
            match answer.status {
                200 => opened.push(name),
                401 => {
                    assert!(answer.challenge()["error_description"].contains("another audience"), "{path}: {answer:?}")
                }
                status => panic!("{path}: {status}"),
            }
        }
        opened
    };
    for (path, expected) in [
        ("/me", ["own"]),
        ("/mcpx", ["own"]),
        ("/mcp", ["mcp"]),
        ("/mcp/", ["mcp"]),
        ("/mcp/tools/add", ["mcp"]),
        ("/mcp/tools/add?x=/me", ["mcp"]),
        ("/mcp/wrapped/any", ["mcp"]),
        // What leads to the same handler is below the same path.
        ("/%6dcp/tools/add", ["mcp"]),
        ("/mc%70", ["mcp"]),
        ("/mcp/wrapped/a//b/./c%2Fd", ["mcp"]),
        ("/mcp/files/list", ["files"]),
        ("/mcp/%66iles/list", ["files"]),
    ] {
        assert_eq!(opens(path).await, expected, "{path}");
    }
    assert_eq!(error(&browser, "/mcp", "x.y.z").await.0, 401);
    // What another reader takes for a path of another resource is for none: a middleware or a server behind may be one.
    for path in [
        "/mcp/wrapped/..%2F..%2Fme",
        "/mcp/wrapped/%252e%252e/%252e%252e/me",
        "/mcp/wrapped/..%5C..%5Cme",
        "/mcp/wrapped/..%2Ffiles",
        "/mcp/wrapped/..;/..;x=y/me",
        "/mcp/wrapped/..%3B/files",
    ] {
        assert_eq!(opens(path).await, [""; 0], "{path}");
    }
}

#[tokio::test]
async fn c24_each_resource_is_described_where_its_challenge_says() {
    let server = start(|builder, base| {
        builder.mcp(format!("{base}/mcp")).resource(format!("{base}/mcp/files")).open_scopes("notes:write")
    });
    let (browser, base) = (Browser::new(&server), &server.base);
    for (path, document, resource) in [
        ("/mcp", "/.well-known/oauth-protected-resource/mcp", "/mcp"),
        ("/mcp/files/list", "/.well-known/oauth-protected-resource/mcp/files", "/mcp/files"),
        ("/me", "/.well-known/oauth-protected-resource", ""),
    ] {
        let refused = browser.call(path, None).await;
        assert_eq!((refused.status, &*refused.challenge()["resource_metadata"]), (401, &*format!("{base}{document}")));
        for spelling in ["", "/"] {
            let described = browser.call(&format!("{document}{spelling}"), None).await.json();
            assert_eq!(described["resource"], format!("{base}{resource}"), "{path}");
            assert_eq!(described["authorization_servers"], json!([base]));
            let scopes = described["scopes_supported"].as_array().unwrap();
            assert!(scopes.contains(&json!("notes:write")), "{scopes:?}");
        }
    }
    assert_eq!(browser.post("/mcp/write", "").await.challenge()["scope"], "notes:write");
}

#[tokio::test]
async fn where_the_audience_has_no_document_the_root_has_that_of_the_first_resource() {
    let server = start(|builder, base| {
        builder.audience("urn:notes").resource(format!("{base}/internal/files")).mcp(format!("{base}/mcp"))
    });
    let browser = Browser::new(&server);
    let described = browser.call("/.well-known/oauth-protected-resource", None).await.json();
    assert_eq!(described["resource"], format!("{}/mcp", server.base));
}

#[test]
fn a_resource_here_has_a_path_of_its_own() {
    let build = |change: fn(Builder) -> Builder| change(builder("http://127.0.0.1:8000")).build().map(drop);
    assert_eq!(build(|builder| builder.mcp("https://api.example/mcp")), Ok(()));
    assert_eq!(build(|builder| builder.mcp("http://127.0.0.1:8000/mcp").mcp("http://127.0.0.1:8000/mcp/x")), Ok(()));
    for (change, named) in [
        ((|builder| builder.mcp("urn:mcp")) as fn(Builder) -> Builder, "urn:mcp"),
        (|builder| builder.mcp("https://api.example/mcp?x=1"), "https://api.example/mcp?x=1"),
        (|builder| builder.mcp("http://api.example/mcp"), "http://api.example/mcp"),
        (|builder| builder.mcp("https://a.example/mcp").mcp("https://b.example/mcp"), "https://b.example/mcp"),
        (
            |builder| builder.mcp("https://a.example/mcp").mcp("https://a.example/abc").mcp("https://b.example/mcp"),
            "https://b.example/mcp",
        ),
        (|builder| builder.mcp("https://a.example"), "https://a.example"),
        (|builder| builder.audience("http://127.0.0.1:8000/mcp").mcp("https://a.example/mcp"), "https://a.example/mcp"),
    ] {
        let error = build(change).unwrap_err().to_string();
        assert!(error.contains(named) && error.contains("path of its own"), "{error}");
    }
    let error = build(|builder| builder.open_scopes("nots:read")).unwrap_err().to_string();
    assert!(error.contains("\"nots:read\"") && error.contains(".scope("), "{error}");
    let error = build(|builder| builder.open_resources(["https://x.example"])).unwrap_err().to_string();
    assert!(error.contains("https://x.example"), "{error}");
}

#[tokio::test]
async fn a_scope_that_implies_others_is_enough_where_they_are_asked_for() {
    let server = oauth_tests::start(|builder| {
        builder
            .scope("all", "Everything")
            .implies("notes")
            .scope("notes", "Your notes")
            .implies("notes:read notes:write")
    });
    let browser = Browser::new(&server);
    for (asked, may_read) in [("all", true), ("notes", true), ("notes:read", true), ("notes:write", false)] {
        let issued = browser.issued(&[("scope", Some(asked))]).await;

        let status = browser.call("/notes", issued["access_token"].as_str()).await.status;
        assert_eq!(status, if may_read { 200 } else { 403 }, "{asked}");
    }
    let build = |change: fn(Builder) -> Builder| change(builder("http://127.0.0.1:8000")).build().map(drop);
    let error = build(|builder| builder.scope("x", "X").implies("nots:read")).unwrap_err().to_string();
    assert!(error.contains(".implies(..) has \"nots:read\""), "{error}");
}
