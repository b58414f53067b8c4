//! A parameter is none of the route's.
//!
//! The guard cannot decide, so every request is an error.
// caught: compiler
// says: it has `path.owner`

use actix_web::{Responder, get};
use oauth_runtime::require_claim;

// right: #[require_claim(sub = path.owner)]
#[require_claim(sub = path.user)]
#[get("/notes/{owner}")]
async fn report() -> impl Responder {
    "report"
}
