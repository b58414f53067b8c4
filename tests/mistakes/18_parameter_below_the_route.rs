//! A guard with a parameter stands below the route's attribute.
//!
//! It does not see the route there, so a parameter that does not exist is found by the first request.
// caught: compiler
// says: dyn path.owner

use actix_web::{Responder, get};
use oauth_runtime::require_claim;

#[get("/notes/{owner}")]
// right: #[require_claim(sub = dyn path.owner)]
#[require_claim(sub = path.owner)]
async fn report() -> impl Responder {
    "report"
}
