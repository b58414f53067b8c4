//! Two guards stand one above the other where either was meant.
//!
//! Both have to hold, and no user has two roles: the guard refuses every user.
// caught: compiler
// says: role = ["admin", "auditor"]

use actix_web::{Responder, get};
use oauth_runtime::require_claim;

// right: #[require_claim(role = ["admin", "auditor"])]
#[require_claim(role = "admin")]
// right:
#[require_claim(role = "auditor")]
#[get("/report")]
async fn report() -> impl Responder {
    "report"
}
