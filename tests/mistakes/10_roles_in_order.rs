//! Roles are compared as if they had an order.
//!
//! Auditors and administrators were meant. If text were compared, `admin` would be less than `auditor`.
// caught: compiler
// says: compares numbers

use actix_web::{Responder, get};
use oauth_runtime::require_claim;

// right: #[require_claim(role = ["auditor", "admin"])]
#[require_claim(role >= "auditor")]
#[get("/report")]
async fn report() -> impl Responder {
    "report"
}
