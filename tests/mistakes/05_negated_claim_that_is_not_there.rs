//! A guard refuses who has a claim, and no user can have it.
//!
//! The claim is called `suspended`. `not(banned)` holds for every token, so suspended users keep their access.
// caught: compiler
// says: no field `banned`

use actix_web::{Responder, get};
use oauth_runtime::require_claim;

// right: #[require_claim(not(suspended))]
#[require_claim(not(banned))]
#[get("/report")]
async fn report() -> impl Responder {
    "report"
}
