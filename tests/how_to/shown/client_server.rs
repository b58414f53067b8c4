use actix_web::{Responder, get};
use oauth_runtime::client_address::x_forwarded_for;
use oauth_runtime::{AccessToken, BuildError, Client, Login, OAuthService, Secret, require_claim};
use serde_json::{Value, json};

pub fn oauth(web_secret: Secret) -> Result<OAuthService, BuildError> {
    let web = Client::confidential("web")
        .name("Notes for teams")
        .secret(web_secret)
        .redirect_uri("https://web.example/callback")
        .post_logout_redirect_uri("https://web.example/");
    OAuthService::builder()
        .issuer("https://notes.example")
        .client_address(x_forwarded_for(1))
        .client(web)
        .scope("openid", "Know who you are")
        .scope("notes:read", "Read your notes")
        .authenticate_blocking(sign_in)
        .reload_blocking(find_user)
        .build()
}

/// The API that the other application calls for its users.
#[require_claim(scope = "notes:read")]
#[get("/api/notes")]
pub async fn notes(token: AccessToken) -> impl Responder {
    format!("the notes of {}", token.subject())
}

fn sign_in(login: Login) -> Option<Value> {
    if &*login.password == "ada123" { find_user(&login.username) } else { None }
}

fn find_user(name: &str) -> Option<Value> {
    (name == "ada").then(|| json!({ "sub": "ada" }))
}
