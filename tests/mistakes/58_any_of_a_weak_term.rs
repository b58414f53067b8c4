//! Of the terms in `any(..)` one is met by almost every user.
//!
//! Administrators who are not suspended were meant: the guard admits every user who is not.
// caught: review
// says: suspended = false alone

use actix_web::{Responder, get};
use oauth_runtime::{policy_map, require_claim};

// right: #[require_claim(role = "admin", suspended = false)]
#[require_claim(any(role = "admin", suspended = false))]
#[get("/users")]
async fn users() -> impl Responder {
    "all users"
}

pub async fn program() -> String {
    let snapshot = policy_map().snapshot();
    snapshot.lines().filter(|line| line.contains(module_path!())).collect()
}
