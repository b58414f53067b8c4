//! A guard stands on a function that is not asynchronous.
//!
//! It could not wait for the store, and actix-web takes no such handler.
// caught: compiler
// says: async fn

use actix_web::{Responder, get};
use oauth_runtime::require_claim;

#[require_claim(role = "admin")]
#[get("/report")]
// right: async fn report() -> impl Responder {
fn report() -> impl Responder {
    "report"
}
