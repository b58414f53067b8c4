//! A guard asks whether a claim is there that every token has.
//!
//! It was meant to ask for administrators, and admits every user.
// caught: compiler
// says: every token has `role`

use actix_web::{Responder, get};
use oauth_runtime::require_claim;

// right: #[require_claim(role = "admin")]
#[require_claim(role)]
#[get("/report")]
async fn report() -> impl Responder {
    "report"
}
