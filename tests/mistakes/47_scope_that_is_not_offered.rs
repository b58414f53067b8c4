//! A guard asks for a scope that the service does not offer.
//!
//! No client can be granted it, so the guard refuses every user.
// caught: build
// says: .scope("notes:write"

use actix_web::{Responder, put};
use oauth_runtime::{BuildError, Client, Login, OAuthService, require_claim};

use crate::{SECRET, sign_in};

#[require_claim(scope = "notes:write")]
#[put("/notes")]
async fn write() -> impl Responder {
    "written"
}

pub fn program() -> Result<OAuthService, BuildError> {
    OAuthService::builder()
        .issuer("http://127.0.0.1:8000")
        .secret(SECRET)
        .client(Client::public("app").redirect_uri("http://127.0.0.1/callback"))
        // right: .scope("notes:read", "Read your notes").scope("notes:write", "Write your notes")
        .scope("notes:read", "Read your notes")
        .authenticate(async |login: Login| sign_in(&login))
        .build()
}
