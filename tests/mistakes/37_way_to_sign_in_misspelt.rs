//! A way to sign in is misspelt.
//!
//! No sign-in is one: users are sent to sign in again, again and again.
// caught: compiler
// says: "mfa"

use actix_web::{Responder, get};
use oauth_runtime::require_claim;

// right: #[require_claim(acr = "mfa")]
#[require_claim(acr = "maf")]
#[get("/report")]
async fn report() -> impl Responder {
    "report"
}
