//! The value of a role is misspelt.
//!
//! The guard refuses every administrator. The team learns of it from the first one who calls.
// caught: compiler
// says: "admin"

use actix_web::{Responder, get};
use oauth_runtime::require_claim;

// right: #[require_claim(role = "admin")]
#[require_claim(role = "amdin")]
#[get("/report")]
async fn report() -> impl Responder {
    "report"
}
