//! Refresh tokens are turned on, and nothing looks the user up again.
//!
//! A role that was taken away would live on for ninety days: today the program does not start.
// caught: compiler
// says: reload

use oauth_runtime::{BuildError, Client, Login, OAuthService};

use crate::{SECRET, sign_in};

pub fn program() -> Result<OAuthService, BuildError> {
    OAuthService::builder()
        .issuer("http://127.0.0.1:8000")
        .secret(SECRET)
        .client(Client::public("app").redirect_uri("http://127.0.0.1/callback"))
        .scope("notes:read", "Read your notes")
        .scope("notes:write", "Write your notes")
        .authenticate(async |login: Login| sign_in(&login))
        // right: .reload(async |subject: &str| crate::user(subject)).refresh_tokens(true)
        .refresh_tokens(true)
        .build()
}
