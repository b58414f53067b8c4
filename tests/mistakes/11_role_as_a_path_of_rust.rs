//! A role is written as a path of Rust where the language has text.
//!
//! The author looks for the form that compiles; the cure should be in the message.
// caught: compiler
// says: User { role: Role::Admin, .. }

use actix_web::{Responder, get};
use oauth_runtime::require_claim;

#[allow(unused_imports)]
use crate::Role;

// right: #[require_claim(role = "admin")]
#[require_claim(role = Role::Admin)]
#[get("/report")]
async fn report() -> impl Responder {
    "report"
}
