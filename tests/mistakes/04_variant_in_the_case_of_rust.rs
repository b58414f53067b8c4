//! A role is written as the variant is named, and not as serde writes it.
//!
//! With `rename_all = "lowercase"` tokens say `admin`: the guard refuses every administrator.
// caught: compiler
// says: "admin"

use actix_web::{Responder, get};
use oauth_runtime::require_claim;

// right: #[require_claim(role = "admin")]
#[require_claim(role = "Admin")]
#[get("/report")]
async fn report() -> impl Responder {
    "report"
}
