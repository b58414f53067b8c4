//! A handler says that it is public, and should not.
//!
//! `#[public]` was copied with the handler above. Only a person who knows what it answers can see it.
// caught: review
// says: #[public]

use actix_web::{Responder, get};
#[allow(unused_imports)]
use oauth_runtime::{policy_map, public, require_claim};

// right: #[require_claim(role = "admin")]
#[public]
#[get("/export")]
async fn export() -> impl Responder {
    "all data"
}

pub async fn program() -> String {
    let snapshot = policy_map().snapshot();
    snapshot.lines().filter(|line| line.contains(module_path!())).collect()
}
