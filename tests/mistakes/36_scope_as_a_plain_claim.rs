//! The word `scope` stands in quotes.
//!
//! In quotes it is a claim like others, compared as a whole: a token that has one scope more is refused.
// caught: compiler
// says: scope = "notes:read"

use actix_web::{Responder, get};
use oauth_runtime::require_claim;

// right: #[require_claim(scope = "notes:read")]
#[require_claim("scope" = "notes:read")]
#[get("/report")]
async fn report() -> impl Responder {
    "report"
}
