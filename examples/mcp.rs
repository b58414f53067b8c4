//! An MCP server in an actix-web application that signs its users in itself: `cargo run --example mcp`, then give the URL that it
//! prints to an MCP client. The client has never heard of this server: it finds all it needs by the challenge, registers
//! itself, and sends its user here to sign in. Where one does not connect, `cargo run --example mcp -- --doctor` says why.

use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, Error, HttpMessage as _, HttpServer, web};
use oauth_runtime::{AccessToken, BuildError, Login, OAuthService, Policy, policy};
use parking_lot::Mutex;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{Extensions, ServerCapabilities, ServerConfig};
use rmcp::{ErrorData, ServerHandler, tool, tool_handler, tool_router};
use rmcp_actix_web::transport::{LocalSessionManager, StreamableHttpService, on_request_extensions};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

const ANY_TOKEN: Policy = policy!(sub);
const READERS: Policy = policy!(scope = "notes:read");
const WRITERS: Policy = policy!(scope = "notes:write", role = "editor");

/// The tools: each decides by the token of the very request that calls it.
#[derive(Clone)]
struct Notes(Arc<Mutex<Vec<String>>>);

#[derive(Deserialize, JsonSchema)]
struct Note {
    text: String,
}

#[tool_router]
impl Notes {
    #[tool(description = "Lists all notes")]
    async fn list(&self, extensions: Extensions) -> Result<String, ErrorData> {
        allowed(&extensions, READERS)?;
        Ok(self.0.lock().join("\n"))
    }

    #[tool(description = "Adds a note")]
    async fn add(&self, Parameters(note): Parameters<Note>, extensions: Extensions) -> Result<String, ErrorData> {
        let token = allowed(&extensions, WRITERS)?;
        self.0.lock().push(format!("{} (by {})", note.text, token.subject()));
        Ok("added".to_owned())
    }
}

#[tool_handler]
impl ServerHandler for Notes {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }
}

/// The token, where it meets the policy; else what the agent is to tell its user.
fn allowed(extensions: &Extensions, policy: Policy) -> Result<AccessToken, ErrorData> {
    let token = on_request_extensions(extensions).and_then(|kept| kept.get::<AccessToken>()).cloned();
    let token = token.ok_or_else(|| ErrorData::internal_error("the request has no token", None))?;
    token.satisfies(policy).map_err(|refusal| {
        let scope = refusal.scope().to_string();
        ErrorData::invalid_request(format!("not allowed: {refusal}"), Some(json!({ "scope": scope })))
    })?;
    Ok(token)
}

/// Takes the token to where the tools find it.
async fn bring_token(
    token: AccessToken,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    request.extensions_mut().insert(token);
    next.call(request).await
}

fn service(origin: &str) -> Result<OAuthService, BuildError> {
    OAuthService::builder()
        .issuer(origin)
        .name("Notes")
        .mcp(format!("{origin}/mcp"))
        .scope("notes:read", "Read your notes")
        .scope("notes:write", "Write notes")
        .open_scopes("notes:read notes:write")
        // Older clients ask for none.
        .default_scope("notes:read notes:write")
        .authenticate(async |login: Login| {
            let role = match (&*login.username, &*login.password) {
                ("ada", "ada123") => "editor",
                ("bob", "bob123") => "reader",
                _ => return None,
            };
            Some(json!({ "sub": login.username, "role": role }))
        })
        .build()
}

fn mcp(oauth: &OAuthService, notes: Notes) -> impl Fn(&mut web::ServiceConfig) + Clone + use<> {
    let tools = StreamableHttpService::builder()
        .service_factory(Arc::new(move || Ok(notes.clone())))
        .session_manager(Arc::new(LocalSessionManager::default()))
        .on_request_fn(|http, extensions| {
            if let Some(token) = http.extensions().get::<AccessToken>() {
                extensions.insert(token.clone());
            }
        })
        .build();
    let oauth = oauth.clone();
    move |app| {
        let tools = web::scope("/mcp").service(tools.clone().scope());
        // The last wrap is outermost: nothing of a request is read before it has a token.
        app.service(tools.wrap(from_fn(bring_token)).wrap(oauth.require(ANY_TOKEN)));
    }
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_env_filter("info").init();
    let port: u16 = std::env::var("PORT").map_or(Ok(8000), |port| port.parse())?;
    let origin = format!("http://127.0.0.1:{port}");
    let oauth = service(&origin)?;
    if std::env::args().any(|argument| argument == "--doctor") {
        // Of the service that runs: in another terminal, or behind your proxy.
        tracing::info!("{}", oauth.doctor().await);
        return Ok(());
    }
    let mcp = mcp(&oauth, Notes(Arc::default()));
    tracing::info!("add {origin}/mcp to your MCP client, and sign in as ada/ada123 or bob/bob123");
    // MCP clients keep a stream open: a server that is to end does not wait for it.
    HttpServer::new(move || App::new().configure(oauth.routes()).configure(mcp.clone()))
        .shutdown_timeout(1)
        .bind(("127.0.0.1", port))?
        .run()
        .await?;
    Ok(())
}

#[cfg(test)]
#[path = "mcp/client.rs"]
mod client;

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use actix_web::http::{StatusCode, header};
    use actix_web::test::{self, TestRequest};

    use super::*;

    #[actix_web::test]
    async fn a_stranger_is_told_where_to_ask() {
        let oauth = service("http://127.0.0.1:8000").expect("a good configuration");
        let mcp = mcp(&oauth, Notes(Arc::default()));
        let app = test::init_service(App::new().configure(oauth.routes()).configure(mcp)).await;
        let refused = test::call_service(&app, TestRequest::post().uri("/mcp").to_request()).await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
        let challenge = refused.headers().get(header::WWW_AUTHENTICATE).expect("a challenge").to_str().expect("ASCII");
        assert!(challenge.contains("/.well-known/oauth-protected-resource/mcp"), "{challenge}");
    }

    #[actix_web::test]
    async fn a_client_can_connect() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let oauth =
            service(&format!("http://{}", listener.local_addr().expect("its address"))).expect("a good configuration");
        let mcp = mcp(&oauth, Notes(Arc::default()));
        let served = oauth.clone();
        let server = HttpServer::new(move || App::new().configure(served.routes()).configure(mcp.clone()));
        actix_web::rt::spawn(server.workers(1).disable_signals().listen(listener).expect("it is free").run());
        oauth.doctor().await.assert_healthy();
    }
}
