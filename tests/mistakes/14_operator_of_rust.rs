//! Rust's `==` stands for `=`.
//!
//! It is the habit of every Rust programmer; the cure should be in the message.
// caught: compiler
// says: did you mean `=`

use actix_web::{Responder, get};
use oauth_runtime::require_claim;

// right: #[require_claim(role = "admin")]
#[require_claim(role == "admin")]
#[get("/report")]
async fn report() -> impl Responder {
    "report"
}
