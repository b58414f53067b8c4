//! A pattern asks nothing of any field.
//!
//! The rest of it was to come later. It admits every token.
// caught: compiler
// says: admits everyone

use actix_web::{Responder, get};
use oauth_runtime::require_claim;

#[allow(unused_imports)]
use crate::{Role, User};

// right: #[require_claim(User { role: Role::Admin, .. })]
#[require_claim(User { .. })]
#[get("/report")]
async fn report() -> impl Responder {
    "report"
}
