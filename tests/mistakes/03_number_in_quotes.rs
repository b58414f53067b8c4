//! A number is written as text.
//!
//! The claim is a number, and text is never equal to it: the guard refuses every user.
// caught: compiler
// says: level = 3

use actix_web::{Responder, get};
use oauth_runtime::require_claim;

// right: #[require_claim(level = 3)]
#[require_claim(level = "3")]
#[get("/report")]
async fn report() -> impl Responder {
    "report"
}
