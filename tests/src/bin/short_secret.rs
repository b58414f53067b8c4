//! The README's program with a mistake in its configuration: `tests/refused/errors.rs` reads what it prints.

use oauth_runtime::{Client, Login, OAuthService};
use serde_json::{Value, json};

fn validate_user(login: Login) -> Option<Value> {
    (login.username == "admin" && &*login.password == "admin123").then(|| json!({ "sub": "admin", "role": "admin" }))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    OAuthService::builder()
        .untyped_claims()
        .issuer("http://127.0.0.1:8000")
        .secret("short")
        .client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"))
        .authenticate_blocking(validate_user)
        .build()?;
    Ok(())
}
