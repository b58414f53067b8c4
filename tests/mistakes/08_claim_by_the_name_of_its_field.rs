//! A claim is written as its field is named, and not as serde writes it.
//!
//! With `rename = "org"` tokens have `org`: the guard refuses every user.
// caught: compiler
// says: `org`

use actix_web::{Responder, get};
use oauth_runtime::require_claim;

// right: #[require_claim(org = "acme")]
#[require_claim(organization = "acme")]
#[get("/report")]
async fn report() -> impl Responder {
    "report"
}
