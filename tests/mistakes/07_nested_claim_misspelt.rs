//! The name of a claim within another is misspelt.
//!
//! No token has `address.contry`, so the guard refuses every user.
// caught: compiler
// says: a field with a similar name exists: `country`

use actix_web::{Responder, get};
use oauth_runtime::require_claim;

// right: #[require_claim(address.country = "FR")]
#[require_claim(address.contry = "FR")]
#[get("/report")]
async fn report() -> impl Responder {
    "report"
}
