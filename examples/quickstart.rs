//! An application that is its own OAuth 2.1 server: `cargo run --example quickstart`, then open the address it prints.

use actix_web::http::header;
use actix_web::{App, HttpResponse, HttpServer, Responder, get};
use argon2::{Argon2, PasswordHash, PasswordVerifier as _};
use oauth_runtime::{Claims, Client, Login, OAuthService, require_claim, require_token};
use serde_json::{Value, json};

#[require_claim(role = "admin")]
#[get("/admin")]
async fn admin() -> impl Responder {
    "Admin access granted!"
}

#[require_claim(role = ["user", "admin"])]
#[get("/user")]
async fn user() -> impl Responder {
    "User access granted!"
}

#[require_token]
#[get("/me")]
async fn me(Claims(claims): Claims) -> impl Responder {
    actix_web::web::Json(claims)
}

#[get("/")]
async fn page() -> impl Responder {
    HttpResponse::Ok().insert_header(header::ContentType::html()).body(include_str!("quickstart.html"))
}

/// Runs on a thread of its own, since a password hash is slow on purpose.
fn validate_user(login: Login) -> Option<Value> {
    let known = USERS.iter().find(|(name, ..)| *name == login.username);
    // A name that does not exist costs the same time, so that no one can tell which names do.
    let (_, hash, role, permissions) = known.unwrap_or(&USERS[0]);
    let hash = PasswordHash::new(hash).ok()?;
    Argon2::default().verify_password(login.password.as_bytes(), &hash).ok()?;
    known.map(|(name, ..)| json!({ "sub": name, "role": role, "permissions": permissions }))
}

/// Name, Argon2 hash (of `admin123` and `user123`), role and permissions.
const USERS: [(&str, &str, &str, &[&str]); 2] = [
    (
        "admin",
        "$argon2id$v=19$m=19456,t=2,p=1$q3o9m+9+sNlMD088Q7ldLA$CWKM2HTpyXaJCDff0qNDFjCmQUR5JDLxgph3pnMi9c4",
        "admin",
        &["read", "write", "delete"],
    ),
    (
        "user",
        "$argon2id$v=19$m=19456,t=2,p=1$6TnJhq74JHWjEDp2POLmDg$oPuF7HRLhwLEA0tbjFr3yQMmHyXUbqxSX+ZNLjEfABs",
        "user",
        &["read"],
    ),
];

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_env_filter("info").init();
    let port: u16 = std::env::var("PORT").map_or(Ok(8000), |port| port.parse())?;
    let origin = format!("http://127.0.0.1:{port}");
    let oauth = OAuthService::builder()
        .issuer(&origin)
        .name("Quickstart")
        .client(
            Client::public("demo")
                .name("Demo app")
                .redirect_uri(format!("{origin}/"))
                .redirect_uri("http://127.0.0.1/callback"),
        )
        .authenticate_blocking(validate_user)
        .build()?;
    tracing::info!("open {origin}/ and sign in as admin/admin123 or user/user123");
    HttpServer::new(move || {
        App::new().configure(oauth.routes()).service(page).service(admin).service(user).service(me)
    })
    .bind(("127.0.0.1", port))?
    .run()
    .await?;
    Ok(())
}
