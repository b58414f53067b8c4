//! The name of a claim is misspelt.
//!
//! No token has a claim `rol`, so the guard refuses every user.
// caught: compiler
// says: a field with a similar name exists: `role`

use actix_web::{Responder, get};
use oauth_runtime::require_claim;

// right: #[require_claim(role = "admin")]
#[require_claim(rol = "admin")]
#[get("/report")]
async fn report() -> impl Responder {
    "report"
}
