//! A redirect URI has a fragment.
//!
//! The code would be lost behind it in the browser (RFC 6749 section 3.1.2).
// caught: compiler
// says: fragment

use oauth_runtime::{BuildError, Client, Login, OAuthService};
use oauth_runtime::redirect_uri;

use crate::{SECRET, sign_in};

pub fn program() -> Result<OAuthService, BuildError> {
    OAuthService::builder()
        .issuer("http://127.0.0.1:8000")
        .secret(SECRET)
        // right: .client(Client::public("app").redirect_uri(redirect_uri!("https://app.example/callback")))
        .client(Client::public("app").redirect_uri(redirect_uri!("https://app.example/#/callback")))
        .scope("notes:read", "Read your notes")
        .scope("notes:write", "Write your notes")
        .authenticate(async |login: Login| sign_in(&login))
        .build()
}
