//! A handler reads its caller as another type than the service issues.
//!
//! Every request is refused, once a user calls it.
// caught: compiler
// says: User

use actix_web::{Responder, get};
use oauth_runtime::{Claims, require_token};
use serde::Deserialize;

use crate::User;

#[derive(Deserialize)]
struct Account {
    sub: String,
    plan: String,
}

#[require_token]
#[get("/me")]
// right: async fn me(Claims(user): Claims<User>) -> impl Responder {
async fn me(Claims(user): Claims<Account>) -> impl Responder {
    user.sub
}
