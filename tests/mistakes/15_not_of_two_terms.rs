//! Two terms stand in one `not(..)`.
//!
//! It reads as neither or as not both, and the one admits whom the other refuses.
// caught: compiler
// says: not(any(..))

use actix_web::{Responder, get};
use oauth_runtime::require_claim;

// right: #[require_claim(not(any(role = "reader", suspended)))]
#[require_claim(not(role = "reader", suspended))]
#[get("/report")]
async fn report() -> impl Responder {
    "report"
}
