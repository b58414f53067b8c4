use oauth_runtime::{BuildError, Client, Login, OAuthService};
use serde_json::json;

/// `https://notes.example` and `https://app.notes.example`; while you develop `http://localhost:5173` for both.
pub fn oauth(issuer: &str, app: &str) -> Result<OAuthService, BuildError> {
    OAuthService::builder()
        .issuer(issuer)
        .direct_peers() // without a proxy; behind one .client_address(..), see Deployment
        .client(Client::public("app").redirect_uri(format!("{app}/callback")).without_refresh_tokens())
        .scope("openid", "Know who you are")
        .scope("notes:read", "Read your notes")
        .authenticate_blocking(|login: Login| (&*login.password == "ada123").then(|| json!({ "sub": "ada" })))
        .reload_blocking(|subject: &str| Some(json!({ "sub": subject })))
        .build()
}
