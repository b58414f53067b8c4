//! A variant in a pattern is written in lower case, as in the token.
//!
//! It is a new name that takes every role, so the guard asks for the level alone.
// caught: compiler
// says: is bound but never used

use actix_web::{Responder, get};
use oauth_runtime::require_claim;

#[allow(unused_imports)]
use crate::{Role, User};

// right: #[require_claim(User { role: Role::Admin, level, .. } if *level > 3)]
#[require_claim(User { role: admin, level, .. } if *level > 3)]
#[get("/report")]
async fn report() -> impl Responder {
    "report"
}
