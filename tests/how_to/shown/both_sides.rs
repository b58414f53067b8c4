use oauth_runtime::{BuildError, Client, DiscoveryError, Login, OAuthService, ResourceServer};
use serde_json::json;

/// Signs users in, at http://127.0.0.1:8000.
pub fn oauth(issuer: &str, api: &str) -> Result<OAuthService, BuildError> {
    OAuthService::builder()
        .issuer(issuer)
        .own_resource(api) // http://127.0.0.1:8200
        .client(Client::public("app").redirect_uri("http://127.0.0.1/callback"))
        .scope("notes:read", "Read your notes")
        .authenticate_blocking(|login: Login| {
            (&*login.password == "ada123").then(|| json!({ "sub": "ada", "role": "admin" }))
        })
        .build()
}

/// The other service, at http://127.0.0.1:8200.
pub async fn api(issuer: &str, api: &str) -> Result<ResourceServer, DiscoveryError> {
    ResourceServer::discover(issuer).audience(api).build().await
}
