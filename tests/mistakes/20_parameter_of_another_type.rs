//! A parameter is compared with a claim that is never like it.
//!
//! The claim is `true` or `false`, and no part of a path is: the guard refuses every user.
// caught: compiler
// says: `suspended`

use actix_web::{Responder, get};
use oauth_runtime::require_claim;

// right: #[require_claim(sub = path.owner)]
#[require_claim(suspended = path.owner)]
#[get("/notes/{owner}")]
async fn report() -> impl Responder {
    "report"
}
