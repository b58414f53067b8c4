//! A scope is misspelt.
//!
//! No client can be granted it, so the guard refuses every user.
// caught: compiler
// says: notes:read

use actix_web::{Responder, get};
use oauth_runtime::require_claim;

// right: #[require_claim(scope = "notes:read")]
#[require_claim(scope = "notes:raed")]
#[get("/report")]
async fn report() -> impl Responder {
    "report"
}
