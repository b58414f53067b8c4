//! The program that `oauth-runtime/docs/deployment.md` shows, and that `tests/how_to/` starts behind nginx and Caddy.

use std::env;
use std::time::Duration;

use actix_web::{App, HttpResponse, HttpServer, Responder, get, web};
use oauth_runtime::client_address::x_forwarded_for;
use oauth_runtime::store::SqliteStore;
use oauth_runtime::{AccessToken, Client, Login, OAuthService, Secret, public, require_token};
use serde_json::{Value, json};

#[require_token]
#[get("/me")]
async fn me(token: AccessToken) -> impl Responder {
    token.subject().to_owned()
}

/// For this machine or the orchestrator, which sends no one to a process that cannot reach its store.
#[public]
#[get("/healthz")]
async fn healthz(oauth: OAuthService) -> HttpResponse {
    match oauth.health().await {
        Ok(_) => HttpResponse::Ok().finish(),
        Err(_) => HttpResponse::ServiceUnavailable().finish(),
    }
}

// Replace both: look the user up in your table, and check an Argon2 hash.
fn sign_in(login: Login) -> Option<Value> {
    if &*login.password == "ada123" { find_user(&login.username) } else { None }
}

fn find_user(name: &str) -> Option<Value> {
    (name == "ada").then(|| json!({ "sub": "ada", "role": "admin" }))
}

/// From the environment; the error says which is missing.
fn setting(name: &str) -> Result<String, String> {
    env::var(name).map_err(|error| format!("{name}: {error}"))
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt::init();
    let oauth = OAuthService::builder()
        .issuer(setting("ISSUER")?)
        .secret(Secret::from_env("OAUTH_SECRET")?) // or the file that OAUTH_SECRET_FILE names
        .store(SqliteStore::open(setting("STORE")?).await?)
        .client_address(x_forwarded_for(1)) // behind one proxy, which writes that header
        .client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"))
        .scope("openid", "Know who you are")
        .authenticate_blocking(sign_in)
        .reload_blocking(find_user)
        .build()?;
    let server = HttpServer::new(move || {
        let notes = web::scope("/notes").service(me);
        App::new().configure(oauth.routes()).service(healthz).service(notes).wrap(oauth.closed())
    })
    .keep_alive(Duration::from_secs(150)) // longer than the proxy keeps a connection that is idle
    .shutdown_timeout(30);
    let listen = setting("LISTEN")?; // 127.0.0.1:8000, or unix:/run/notes/8000.sock
    let server = match listen.strip_prefix("unix:") {
        Some(socket) => server.bind_uds(socket)?,
        None => server.bind(listen)?,
    };
    Ok(server.run().await?)
}
