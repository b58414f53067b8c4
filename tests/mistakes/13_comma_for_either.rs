//! A comma stands where either was meant.
//!
//! A comma is `and`, and no user has two roles: the guard refuses every user.
// caught: compiler
// says: for either, write

use actix_web::{Responder, get};
use oauth_runtime::require_claim;

// right: #[require_claim(role = ["admin", "auditor"])]
#[require_claim(role = "admin", role = "auditor")]
#[get("/report")]
async fn report() -> impl Responder {
    "report"
}
