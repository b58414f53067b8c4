use actix_web::{Responder, get};
use oauth_runtime::{BuildError, Client, Login, OAuthService, require_token};
use serde_json::{Value, json};

pub fn oauth() -> Result<OAuthService, BuildError> {
    OAuthService::builder()
        .issuer("https://notes.example")
        .direct_peers() // without a proxy; behind one .client_address(..)
        .client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"))
        .scope("notes:read", "Read your notes")
        .authenticate_blocking(|login: Login| {
            (&*login.password == "admin123").then(|| json!({ "sub": "admin", "role": "admin" }))
        })
        .reload(async |subject: &str| user(subject).await) // or .reload_blocking(fn)
        .build()
}

async fn user(name: &str) -> Result<Option<Value>, std::io::Error> {
    Ok((name == "admin").then(|| json!({ "role": "admin" }))) // from your database
}

#[require_token]
#[get("/me")]
pub async fn me() -> impl Responder {
    "signed in"
}
