//! The function that looks users up again answers another type than the sign-in.
//!
//! After an hour, at the first refresh, users lose a claim, and what it opened.
// caught: compiler
// says: #[derive(Claims)]

use oauth_runtime::{BuildError, Client, Login, OAuthService};
use serde::Serialize;

use crate::{SECRET, sign_in};

#[derive(Serialize)]
struct Account {
    sub: String,
}

pub fn program() -> Result<OAuthService, BuildError> {
    OAuthService::builder()
        .issuer("http://127.0.0.1:8000")
        .secret(SECRET)
        .client(Client::public("app").redirect_uri("http://127.0.0.1/callback"))
        .scope("notes:read", "Read your notes")
        .scope("notes:write", "Write your notes")
        .authenticate(async |login: Login| sign_in(&login))
        // right: .reload(async |subject: &str| crate::user(subject))
        .reload(async |subject: &str| Some(Account { sub: subject.to_owned() }))
        .build()
}
