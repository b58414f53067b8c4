use actix_web::{Responder, get};
use oauth_runtime::{BuildError, Client, Login, OAuthService, require_claim};
use serde_json::json;

pub fn oauth() -> Result<OAuthService, BuildError> {
    OAuthService::builder()
        .issuer("https://notes.example")
        .direct_peers() // or .client_address(..), behind a reverse proxy
        .client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"))
        .scope("notes:read", "Read your notes")
        .authenticate_blocking(|login: Login| {
            let claims = || json!({ "sub": "admin", "role": "admin", "permissions": ["read", "write", "delete"] });
            (login.username == "admin" && &*login.password == "admin123").then(claims)
        })
        .build()
}

#[require_claim(scope = "notes:read")]
#[get("/notes")]
pub async fn notes() -> impl Responder {
    "notes"
}
