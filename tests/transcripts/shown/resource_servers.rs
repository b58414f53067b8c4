use actix_web::{App, HttpServer, Responder, get};
use oauth_runtime::{DiscoveryError, ResourceServer, require_claim};

#[require_claim(role = "admin")]
#[get("/admin")]
pub async fn admin() -> impl Responder {
    "Admin access granted!"
}

#[require_claim(scope = "notes:read")]
#[get("/notes")]
pub async fn notes() -> impl Responder {
    "notes"
}

pub async fn api(issuer: &str) -> Result<ResourceServer, DiscoveryError> {
    ResourceServer::discover(issuer).audience("https://api.example").build().await
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let api = api("https://idp.example").await?;
    let app = move || App::new().configure(api.routes()).service(admin).service(notes);
    HttpServer::new(app).bind(("127.0.0.1", 8001))?.run().await?;
    Ok(())
}
