//! A public client has no redirect URI.
//!
//! Its users have nowhere to go after the sign-in: today the program does not start.
// caught: compiler
// says: redirect_uri

use oauth_runtime::{BuildError, Client, Login, OAuthService};

use crate::{SECRET, sign_in};

pub fn program() -> Result<OAuthService, BuildError> {
    OAuthService::builder()
        .issuer("http://127.0.0.1:8000")
        .secret(SECRET)
        // right: .client(Client::public("app").redirect_uri("http://127.0.0.1/callback"))
        .client(Client::public("app"))
        .scope("notes:read", "Read your notes")
        .scope("notes:write", "Write your notes")
        .authenticate(async |login: Login| sign_in(&login))
        .build()
}
