//! The client of `rmcp`, unmodified, from the URL of this server alone to the calls of its tools.

use std::net::TcpListener;
use std::sync::Arc;

use actix_web::{App, HttpServer};
use reqwest::Response;
use rmcp::model::CallToolRequestParams;
use rmcp::service::{RoleClient, RunningService, ServiceExt as _};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::auth::{AuthClient, AuthError, AuthorizationRequest, OAuthState};
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use serde_json::json;

use super::{Notes, mcp, service};

const CALLBACK: &str = "http://127.0.0.1:49152/callback";

/// The server at its URL, for as long as the test.
fn serve() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let origin = format!("http://{}", listener.local_addr().expect("its address"));
    let oauth = service(&origin).expect("a good configuration");
    let mcp = mcp(&oauth, Notes(Arc::default()));
    let server = HttpServer::new(move || App::new().configure(oauth.routes()).configure(mcp.clone()));
    actix_web::rt::spawn(server.workers(1).disable_signals().listen(listener).expect("it is free").run());
    format!("{origin}/mcp")
}

/// The sealed request in the form of a page.
async fn form(page: Response) -> String {
    let html = page.text().await.expect("a page");
    let (_, rest) = html.split_once("name=\"request\" value=\"").expect("a form");
    rest.split('"').next().expect("its value").to_owned()
}

/// Where the browser comes back to, once a user has signed in and allowed it.
async fn sign_in(link: &str, username: &str) -> String {
    let none = reqwest::redirect::Policy::none();
    let browser = reqwest::Client::builder().cookie_store(true).redirect(none).build().expect("a browser");
    let origin = link.split_once("/authorize").expect("its path").0;
    let post = |path: &str, fields: Vec<(&'static str, String)>| {
        browser.post(format!("{origin}{path}")).header("sec-fetch-site", "same-origin").form(&fields).send()
    };
    let request = form(browser.get(link).send().await.expect("the sign-in page")).await;
    let typed = vec![("request", request), ("username", username.to_owned()), ("password", format!("{username}123"))];
    let request = form(post("/login", typed).await.expect("the page that asks")).await;
    let allowed =
        post("/consent", vec![("request", request), ("decision", "allow".to_owned())]).await.expect("an answer");
    allowed.headers()["location"].to_str().expect("a URL").to_owned()
}

/// The client, sent to a browser.
async fn asked(url: &str) -> (OAuthState, String) {
    let mut state = OAuthState::new(url, None).await.expect("a URL");
    let request = AuthorizationRequest::new(CALLBACK).with_client_name("An agent");
    state.start_authorization(request).await.expect("metadata, and a registration");
    let link = state.get_authorization_url().await.expect("a link");
    (state, link)
}

async fn connected(url: &str, username: &str) -> RunningService<RoleClient, ()> {
    let (mut state, link) = asked(url).await;
    state.handle_callback_url(&sign_in(&link, username).await).await.expect("tokens");
    let manager = state.into_authorization_manager().expect("it has tokens");
    let client = AuthClient::new(reqwest::Client::new(), manager);
    let to = StreamableHttpClientTransportConfig::with_uri(url);
    ().serve(StreamableHttpClientTransport::with_client(client, to)).await.expect("a session")
}

#[actix_web::test]
async fn rmcp_connects_by_the_url_alone() {
    let url = serve();
    let ada = connected(&url, "ada").await;
    let mut tools: Vec<_> = ada.list_all_tools().await.expect("a list").into_iter().map(|tool| tool.name).collect();
    tools.sort();
    assert_eq!(tools, ["add", "list"]);
    let milk = json!({ "text": "Milk" }).as_object().expect("an object").clone();
    let add = CallToolRequestParams::new("add").with_arguments(milk);
    ada.call_tool(add.clone()).await.expect("an editor may");

    let bob = connected(&url, "bob").await;
    let listed = bob.call_tool(CallToolRequestParams::new("list")).await.expect("a reader may");
    assert!(format!("{listed:?}").contains("Milk (by ada)"), "{listed:?}");
    let refused = bob.call_tool(add).await.expect_err("a reader may not");
    assert!(refused.to_string().contains("not allowed"), "{refused}");
}

/// RFC 9207: what comes back from another issuer is of another.
#[actix_web::test]
async fn rmcp_takes_no_answer_of_another_issuer() {
    let (mut state, link) = asked(&serve()).await;
    let (back, _) = sign_in(&link, "ada")
        .await
        .split_once("&iss=")
        .map(|(back, iss)| (back.to_owned(), iss.to_owned()))
        .expect("iss");
    let refused = state.handle_callback_url(&format!("{back}&iss=https%3A%2F%2Fevil.example")).await;
    assert!(matches!(refused, Err(AuthError::AuthorizationServerMismatch { .. })), "{refused:?}");
}
