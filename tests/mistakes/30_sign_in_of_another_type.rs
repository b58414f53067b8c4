//! The function that signs users in answers another type than the guards speak of.
//!
//! Each guard asks for claims that no token has.
// caught: compiler
// says: #[derive(Claims)]

use oauth_runtime::{BuildError, Client, Login, OAuthService};
use serde::Serialize;

#[allow(unused_imports)]
use crate::{SECRET, User, sign_in};

#[derive(Serialize)]
struct Account {
    sub: String,
    plan: &'static str,
}

impl Account {
    fn of(user: User) -> Account {
        Account { sub: user.sub, plan: "paid" }
    }
}

pub fn program() -> Result<OAuthService, BuildError> {
    OAuthService::builder()
        .issuer("http://127.0.0.1:8000")
        .secret(SECRET)
        .client(Client::public("app").redirect_uri("http://127.0.0.1/callback"))
        .scope("notes:read", "Read your notes")
        .scope("notes:write", "Write your notes")
        // right: .authenticate(async |login: Login| sign_in(&login))
        .authenticate(async |login: Login| sign_in(&login).map(Account::of))
        .build()
}
