//! The first program of the README: `cargo run --example hello`, then open <http://127.0.0.1:8000/app>.

use actix_web::{App, HttpServer, Responder, get, web};
use oauth_runtime::{Claims, Client, Login, OAuthService, require_claim};
use serde_json::{Value, json};

/// For clients with an access token.
#[require_claim(role = "admin")]
#[get("/admin")]
async fn admin() -> impl Responder {
    "Admin access granted!"
}

/// For browsers: one that is not signed in gets the sign-in page first.
#[get("")]
async fn home(Claims(user): Claims<Value>) -> impl Responder {
    web::Json(user)
}

// Replace both: look the user up in your table, and check an Argon2 hash.
fn sign_in(login: Login) -> Option<Value> {
    if &*login.password == "admin123" { find_user(&login.username) } else { None }
}

fn find_user(name: &str) -> Option<Value> {
    (name == "admin").then(|| json!({ "sub": "admin", "role": "admin" }))
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let oauth = OAuthService::builder()
        .issuer("http://127.0.0.1:8000")
        .name("Notes")
        .client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"))
        .authenticate_blocking(sign_in)
        .reload_blocking(find_user)
        .build()?;
    HttpServer::new(move || {
        let pages = web::scope("/app").wrap(oauth.pages()).service(home);
        App::new().configure(oauth.routes()).service(admin).service(pages)
    })
    .bind(("127.0.0.1", 8000))?
    .run()
    .await?;
    Ok(())
}
