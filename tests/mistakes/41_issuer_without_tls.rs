//! The issuer is an http address that others reach.
//!
//! Passwords and tokens are read on the way.
// caught: compiler
// says: https

use oauth_runtime::{BuildError, Client, Login, OAuthService};
use oauth_runtime::issuer;

use crate::{SECRET, sign_in};

pub fn program() -> Result<OAuthService, BuildError> {
    OAuthService::builder()
        // right: .issuer(issuer!("https://notes.example"))
        .issuer(issuer!("http://notes.example"))
        .direct_peers()
        .secret(SECRET)
        .client(Client::public("app").redirect_uri("http://127.0.0.1/callback"))
        .scope("notes:read", "Read your notes")
        .scope("notes:write", "Write your notes")
        .authenticate(async |login: Login| sign_in(&login))
        .build()
}
