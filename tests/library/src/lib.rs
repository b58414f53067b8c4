//! A library with guards, which binds them to a type of its own. A program that links it and signs in with another gets an error.

use actix_web::{Responder, get};
use oauth_runtime::{Claims, claims, require_claim};
use serde::{Deserialize, Serialize};

/// What the guards of this library are about.
#[derive(Clone, Debug, Serialize, Deserialize, Claims)]
pub struct Account {
    /// The key of its row.
    pub sub: String,
    /// Whether it is paid for.
    pub paid: bool,
}

claims!(Account);

/// For accounts that are paid for.
#[require_claim(paid = true)]
#[get("/paid")]
pub async fn paid() -> impl Responder {
    "paid"
}
