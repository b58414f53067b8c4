use oauth_runtime::{BuildError, Client, Endpoint, Login, OAuthService};
use serde_json::json;

pub fn oauth() -> Result<OAuthService, BuildError> {
    OAuthService::builder()
        .issuer("https://id.example/realms/notes")
        .path(Endpoint::Authorize, "/protocol/openid-connect/auth")
        .path(Endpoint::Token, "/protocol/openid-connect/token")
        .path(Endpoint::UserInfo, "/protocol/openid-connect/userinfo")
        .path(Endpoint::Logout, "/protocol/openid-connect/logout")
        .path(Endpoint::Revoke, "/protocol/openid-connect/revoke")
        .direct_peers() // without a proxy; behind one .client_address(..), see Deployment
        .scope("openid", "Know who you are")
        .scope("notes:read", "Read your notes")
        .client(Client::public("app").redirect_uri("https://app.example/callback"))
        .authenticate_blocking(|_: Login| Some(json!({ "sub": "f:1" })))
        .reload_blocking(|subject: &str| Some(json!({ "sub": subject })))
        .build()
}
