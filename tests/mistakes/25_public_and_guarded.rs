//! A handler is guarded and public.
//!
//! One of the two was forgotten when the other came, and a reader takes the wrong one for true.
// caught: compiler
// says: keep `#[public]` or the other guard

use actix_web::{Responder, get};
#[allow(unused_imports)]
use oauth_runtime::{public, require_claim};

// right:
#[public]
#[require_claim(role = "admin")]
#[get("/report")]
async fn report() -> impl Responder {
    "report"
}
