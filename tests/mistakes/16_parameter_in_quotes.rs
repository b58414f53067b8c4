//! A parameter of the route stands in quotes.
//!
//! The claim is compared with the text `path.owner`: no owner reaches what they own.
// caught: compiler
// says: write `path.owner`

use actix_web::{Responder, get};
use oauth_runtime::require_claim;

// right: #[require_claim(sub = path.owner)]
#[require_claim(sub = "path.owner")]
#[get("/notes/{owner}")]
async fn report() -> impl Responder {
    "report"
}
