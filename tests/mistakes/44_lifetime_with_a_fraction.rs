//! A lifetime has a fraction of a second.
//!
//! Tokens count whole seconds: what was meant is dropped, or rounded to nothing.
// caught: compiler
// says: whole seconds

use oauth_runtime::{BuildError, Client, Login, OAuthService};
use oauth_runtime::lifetime;

use crate::{SECRET, sign_in};

pub fn program() -> Result<OAuthService, BuildError> {
    OAuthService::builder()
        .issuer("http://127.0.0.1:8000")
        .secret(SECRET)
        .client(Client::public("app").redirect_uri("http://127.0.0.1/callback"))
        .scope("notes:read", "Read your notes")
        .scope("notes:write", "Write your notes")
        // right: .access_token_lifetime(lifetime!("90s"))
        .access_token_lifetime(lifetime!("1.5s"))
        .authenticate(async |login: Login| sign_in(&login))
        .build()
}
