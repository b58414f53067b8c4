//! The program that `oauth-runtime/docs/deployment.md` shows, and that `tests/how_to/` starts behind nginx and Caddy.

use std::path::Path;
use std::time::Duration;
use std::{env, fs};

use actix_web::{App, HttpResponse, HttpServer, Responder, get, web};
use oauth_runtime::client_address::x_forwarded_for;
use oauth_runtime::store::SqliteStore;
use oauth_runtime::{AccessToken, Client, Login, OAuthService, require_token};
use serde_json::{Value, json};

#[require_token]
#[get("/me")]
async fn me(token: AccessToken) -> impl Responder {
    token.subject().to_owned()
}

/// For the proxy or the orchestrator, which sends no one to a process that cannot reach its store.
#[get("/healthz")]
async fn healthz(oauth: web::Data<OAuthService>) -> HttpResponse {
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

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt::init();
    // systemd sets it, a container is told; a file shows in no list of processes and in no crash report.
    let secret = fs::read_to_string(Path::new(&env::var("CREDENTIALS_DIRECTORY")?).join("oauth_secret"))?;
    let oauth = OAuthService::builder()
        .issuer(env::var("ISSUER")?)
        .secret(secret)
        .store(SqliteStore::open(env::var("STORE")?).await?)
        .client_address(x_forwarded_for(1)) // behind one proxy, which writes that header
        .client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"))
        .scope("openid", "Know who you are")
        .authenticate_blocking(sign_in)
        .reload_blocking(find_user)
        .build()?;
    let shared = web::Data::new(oauth.clone());
    HttpServer::new(move || {
        let notes = web::scope("/notes").service(me);
        App::new().app_data(shared.clone()).configure(oauth.routes()).service(healthz).service(notes)
    })
    .keep_alive(Duration::from_secs(150)) // longer than the proxy keeps a connection that is idle
    .shutdown_timeout(30)
    .bind(env::var("LISTEN")?)?
    .run()
    .await?;
    Ok(())
}
