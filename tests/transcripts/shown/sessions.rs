use std::time::Duration;

use oauth_runtime::{BuildError, Client, Keys, Login, OAuthService};
use serde_json::json;

pub fn oauth(keys: Keys) -> Result<OAuthService, BuildError> {
    OAuthService::builder()
        .issuer("https://notes.example")
        .direct_peers() // without a proxy; behind one .client_address(..)
        .keys(keys)
        .scope("openid", "Know who you are")
        .scope("notes:read", "Read your notes")
        .client(
            Client::public("shop")
                .redirect_uri("https://shop.example/cb")
                .post_logout_redirect_uri("https://shop.example/bye"),
        )
        .client(Client::public("demo").redirect_uri("http://127.0.0.1/callback")) // any program can pose as this one
        .client(
            Client::public("guest")
                .redirect_uri("https://guest.example/cb")
                .third_party()
                .allow_scopes("notes:read")
                .allow_resources(["https://notes.example"]),
        )
        .authenticate_blocking(|login: Login| {
            (&*login.password == "admin123").then(|| json!({ "sub": "admin", "role": "admin" }))
        })
        .reload(async |_subject: &str| Some(json!({ "role": "admin" })))
        .session_idle(Duration::from_secs(3600)) // Default: a day.
        .session_lifetime(Duration::from_secs(12 * 3600)) // Default: 14 days.
        .build()
}
