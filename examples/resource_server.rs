//! An API whose tokens another issuer signs: `ISSUER=https://idp.example AUDIENCE=https://api.example cargo run --example resource_server`.

use actix_web::{App, HttpServer, Responder, get, web};
use oauth_runtime::{AccessToken, ResourceServer, require_claim, require_token};
use serde_json::json;

#[require_token]
#[get("/me")]
async fn me(token: AccessToken) -> impl Responder {
    web::Json(json!({ "sub": token.subject(), "client": token.client_id(), "scope": token.scope() }))
}

#[require_claim(scope = "notes:read")]
#[get("/notes")]
async fn notes() -> impl Responder {
    "Buy milk."
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_env_filter("info").init();
    let port: u16 = std::env::var("PORT").map_or(Ok(8001), |port| port.parse())?;
    let issuer = std::env::var("ISSUER").map_err(|_| "set ISSUER, such as http://127.0.0.1:8000")?;
    let audience = std::env::var("AUDIENCE").map_err(|_| "set AUDIENCE, such as https://files.example")?;
    let api = ResourceServer::discover(issuer).audience(audience).build().await?;
    HttpServer::new(move || App::new().configure(api.routes()).service((me, notes)))
        .bind(("127.0.0.1", port))?
        .run()
        .await?;
    Ok(())
}
