//! A time has no unit.
//!
//! Five minutes were meant. With five seconds no user is fresh enough, with five hours all are.
// caught: compiler
// says: "5m"

use actix_web::{Responder, get};
use oauth_runtime::require_claim;

// right: #[require_claim(fresh = "5m")]
#[require_claim(fresh = "5")]
#[get("/report")]
async fn report() -> impl Responder {
    "report"
}
