//! A number is one that the claim cannot reach.
//!
//! The level is a `u8`, and no token has 300: the guard refuses every user.
// caught: compiler
// says: from 0 to 255

use actix_web::{Responder, get};
use oauth_runtime::require_claim;

// right: #[require_claim(level >= 3)]
#[require_claim(level >= 300)]
#[get("/report")]
async fn report() -> impl Responder {
    "report"
}
