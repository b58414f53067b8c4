//! A guard is a pattern of another type than the service issues.
//!
//! It was copied from another service, and refuses every user here.
// caught: compiler
// says: User

use actix_web::{Responder, get};
use oauth_runtime::require_claim;
use serde::Deserialize;

#[allow(unused_imports)]
use crate::{Role, User};

#[derive(Deserialize)]
struct Account {
    plan: Plan,
}

#[derive(Deserialize)]
enum Plan {
    Free,
    Paid,
}

// right: #[require_claim(User { role: Role::Admin, .. })]
#[require_claim(Account { plan: Plan::Paid })]
#[get("/report")]
async fn report() -> impl Responder {
    "report"
}
