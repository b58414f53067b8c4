//! A comma stands between two scopes.
//!
//! It is a character of a scope: the guard asks for one that is called `notes:read,notes:write`.
// caught: compiler
// says: scope = "notes:read notes:write"

use actix_web::{Responder, get};
use oauth_runtime::require_claim;

// right: #[require_claim(scope = "notes:read notes:write")]
#[require_claim(scope = "notes:read,notes:write")]
#[get("/report")]
async fn report() -> impl Responder {
    "report"
}
