//! What clients of an MCP server were reported to do, each as the server meets it.

use actix_web::web;
use oauth_runtime::{AccessToken, Builder, Endpoint, policy, require_claim, require_token};
use oauth_tests::{Answer, Browser, Server, VERIFIER, builder, free_port, serve};
use reqwest::Method;
use serde_json::{Value, json};

const CALLBACK: &str = "https://claude.ai/api/mcp/auth_callback";
const VERSION: &str = "mcp-protocol-version";

#[require_token]
async fn call(token: AccessToken) -> String {
    token.subject().to_owned()
}

#[require_claim(scope = "notes:read notes:write")]
async fn both() -> &'static str {
    "both"
}

#[require_claim(scope = "notes:write")]
async fn write() -> &'static str {
    "written"
}

/// An MCP server at `/mcp`, of an issuer at this path.
fn start(issuer_path: &str, change: impl FnOnce(Builder) -> Builder) -> Server {
    let (listener, base) = free_port();
    let builder = builder(&format!("{base}{issuer_path}")).mcp(format!("{base}/mcp")).open_scopes("notes:read");
    let oauth = change(builder).build().unwrap();
    serve(listener, move |app| {
        let writes = web::scope("/writes").wrap(oauth.require(policy!(scope = "notes:read")));
        let mcp = web::scope("/mcp")
            .route("", web::get().to(call))
            .route("/both", web::get().to(both))
            .service(writes.route("", web::get().to(write)))
            .service(web::scope("").wrap(oauth.require(policy!(sub))).default_service(web::to(async || "found")));
        app.configure(oauth.routes()).service(mcp);
    })
}

fn openid(builder: Builder) -> Builder {
    builder.scope("openid", "Know who you are")
}

#[tokio::test]
async fn c27_a_challenge_names_the_metadata_by_an_absolute_url() {
    for issuer_path in ["", "/tenant"] {
        let server = start(issuer_path, |builder| builder);
        let browser = Browser::new(&server);
        for path in ["/mcp", "/mcp/both", "/mcp/writes", "/mcp/nothing/here"] {
            for token in [None, Some("x.y.z")] {
                let challenge = browser.call(path, token).await.challenge();
                let named = format!("{}/.well-known/oauth-protected-resource/mcp", server.base);
                assert_eq!(challenge["resource_metadata"], named, "{path}");
            }
        }
    }
    // A host of its own, which another server passes on to this one.
    let server = start("", |builder| builder.audience("urn:none").mcp("https://mcp.example/tools"));
    let described = Browser::new(&server).call("/.well-known/oauth-protected-resource/tools", None).await.json();
    assert_eq!(described["resource"], "https://mcp.example/tools");
}

#[tokio::test]
async fn c36_each_spelling_of_the_metadata_has_the_configured_issuer_or_is_not_there() {
    for (issuer_path, is_openid, there) in [
        ("", false, &["/.well-known/oauth-authorization-server"][..]),
        ("", true, &["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"]),
        ("/tenant", false, &["/.well-known/oauth-authorization-server/tenant"]),
        (
            "/tenant",
            true,
            &[
                "/.well-known/oauth-authorization-server/tenant",
                "/.well-known/openid-configuration/tenant",
                "/tenant/.well-known/openid-configuration",
            ],
        ),
    ] {
        let server = start(issuer_path, |builder| if is_openid { openid(builder) } else { builder });
        let browser = Browser::new(&server);
        let mut found = Vec::new();
        for path in [
            "/.well-known/oauth-authorization-server",
            "/.well-known/oauth-authorization-server/mcp",
            "/.well-known/oauth-authorization-server/tenant",
            "/.well-known/openid-configuration",
            "/.well-known/openid-configuration/mcp",
            "/.well-known/openid-configuration/tenant",
            "/tenant/.well-known/oauth-authorization-server",
            "/tenant/.well-known/openid-configuration",
        ] {
            let answer = Answer::to(browser.http.get(format!("{}{path}", server.base)).header(VERSION, "2025-11-25"));
            let answer = answer.await;
            if answer.status == 200 {
                assert_eq!(answer.json()["issuer"], format!("{}{issuer_path}", server.base), "{path}");
                found.push(path);
            } else {
                // A client goes on to the next one.
                assert_eq!(answer.status, 404, "{path}");
            }
        }
        assert_eq!(found, there, "{issuer_path} {is_openid}");
        // Below the resource the guard answers, with the way to the metadata.
        let below = browser.call("/mcp/.well-known/openid-configuration", None).await;
        assert_eq!((below.status, below.challenge().contains_key("resource_metadata")), (401, true));
    }
}

#[tokio::test]
async fn c35_a_page_of_any_origin_may_send_the_version_of_the_protocol() {
    let server = start("", openid);
    let browser = Browser::new(&server);
    for (path, method) in [
        ("/.well-known/oauth-protected-resource/mcp", Method::GET),
        ("/.well-known/oauth-authorization-server", Method::GET),
        ("/.well-known/openid-configuration", Method::GET),
        ("/register", Method::POST),
        ("/token", Method::POST),
        ("/revoke", Method::POST),
    ] {
        let url = format!("{}{path}", server.base);
        let from_page =
            |method: Method| browser.http.request(method, &url).header("origin", "https://inspector.example");
        let preflight = from_page(Method::OPTIONS).header("access-control-request-method", method.as_str());
        let preflight = Answer::to(preflight.header("access-control-request-headers", VERSION)).await;
        assert_eq!((preflight.status, preflight.header("access-control-allow-headers")), (204, VERSION), "{path}");
        let answer = Answer::to(from_page(method.clone()).header(VERSION, "2025-06-18")).await;
        for answer in [preflight, answer] {
            let allowed = answer.header("access-control-allow-origin");
            assert!(allowed == "*" || allowed == "https://inspector.example", "{path}: {answer:?}");
        }
    }
}

/// What a client has that never read the metadata.
async fn registered(browser: &Browser) -> String {
    let client = json!({ "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none", "client_name": "Claude" });
    let answer = Answer::to(browser.http.post(format!("{}/register", browser.base)).json(&client)).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["client_id"].as_str().unwrap().to_owned()
}

async fn issued(browser: &Browser, client: &str, asked: &str, redeemed: &str) -> Value {
    let of_client = [("client_id", Some(client)), ("redirect_uri", Some(CALLBACK))];
    let asks = [("resource", Some(asked)), ("scope", Some("notes:read"))];
    let page = browser.sign_in(&[of_client, asks].concat(), "admin", "admin123").await;
    // It is reached by https: what was allowed is remembered.
    let redirect = if page.is_page() { browser.consent(&page.form(), "allow").await } else { page };
    assert!(redirect.header("location").starts_with(CALLBACK), "{redirect:?}");
    let proof = [("resource", Some(redeemed)), ("code_verifier", Some(VERIFIER))];
    let answer = browser.redeem(&redirect.redirect()["code"], &[of_client, proof].concat()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

#[tokio::test]
async fn c24_without_any_metadata_the_usual_paths_lead_to_a_token_however_the_resource_is_spelt() {
    let server = start("", |builder| builder);
    let browser = Browser::new(&server);
    let client = registered(&browser).await;
    let resource = format!("{}/mcp", server.base);
    let with_slash = format!("{resource}/");
    for (asked, redeemed) in [(&resource, &with_slash), (&with_slash, &resource), (&with_slash, &with_slash)] {
        let issued = issued(&browser, &client, asked, redeemed).await;
        let token = issued["access_token"].as_str();
        assert_eq!(crate::sessions::claims(&issued["access_token"])["aud"], resource);
        assert_eq!(browser.call("/mcp", token).await.status, 200, "{asked} {redeemed}");
    }
}

#[tokio::test]
async fn the_usual_paths_are_the_issuers_and_no_document_is_another_issuers() {
    // What is elsewhere is found by the metadata alone.
    let moved = start("/tenant", |builder| builder.path(Endpoint::Token, "/oauth/token"));
    let browser = Browser::new(&moved);
    for path in ["/authorize", "/token", "/register"] {
        assert_eq!(browser.post(path, "").await.status, 404, "{path}");
    }
    let metadata = browser.call("/.well-known/oauth-authorization-server/tenant", None).await.json();
    assert_eq!(metadata["token_endpoint"], format!("{}/tenant/oauth/token", moved.base));
    assert_eq!(metadata["registration_endpoint"], format!("{}/tenant/register", moved.base));
}

/// MCP of 2026-07-28, scope challenges: what the operation needs, all of it, and nothing else that the token has.
#[tokio::test]
async fn c28_a_403_names_all_scopes_that_the_guard_needs() {
    let server = start("", |builder| builder.scope("notes:delete", "Delete your notes"));
    let browser = Browser::new(&server);
    let resource = format!("{}/mcp", server.base);
    let token = async |scope: &str| {
        let issued = browser.issued(&[("resource", Some(&resource)), ("scope", Some(scope))]).await;
        issued["access_token"].as_str().unwrap().to_owned()
    };
    let all = "notes:read notes:write";
    for (path, scope, named) in [
        ("/mcp/both", None, Some(all)),
        ("/mcp/both", Some("notes:delete"), Some(all)),
        ("/mcp/both", Some("notes:read notes:delete"), Some(all)),
        ("/mcp/both", Some("notes:write"), Some(all)),
        ("/mcp/both", Some(all), None),
        // Of guards around guards each speaks for itself: the one within is not asked before the outer one allows the request.
        ("/mcp/writes", None, Some("notes:read")),
        ("/mcp/writes", Some("notes:write"), Some("notes:read")),
        ("/mcp/writes", Some("notes:read"), Some("notes:write")),
        ("/mcp/writes", Some(all), None),
    ] {
        let token = match scope {
            Some(scope) => Some(token(scope).await),
            None => None,
        };
        let answer = browser.call(path, token.as_deref()).await;
        let Some(named) = named else {
            assert_eq!(answer.status, 200, "{path} {scope:?}");
            continue;
        };
        let challenge = answer.challenge();
        assert_eq!(answer.status, if scope.is_some() { 403 } else { 401 }, "{path} {scope:?}");
        assert_eq!(challenge["scope"], named, "{path} {scope:?}");
        assert_eq!(challenge.get("error").map(String::as_str), scope.map(|_| "insufficient_scope"));
        assert_eq!(challenge["resource_metadata"], format!("{}/.well-known/oauth-protected-resource/mcp", server.base));
    }
}
