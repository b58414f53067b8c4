//! A guard says nothing of a claim.
//!
//! It was left to be filled in. Any valid token would pass.
// caught: compiler
// says: #[require_token]

use actix_web::{Responder, get};
use oauth_runtime::require_claim;

// right: #[require_claim(role = "admin")]
#[require_claim]
#[get("/report")]
async fn report() -> impl Responder {
    "report"
}
