//! What `satisfies` answers is dropped.
//!
//! The policy decides, and the handler goes on: every user deletes every note.
// caught: compiler
// says: `?`

use actix_web::{delete, web::Path};
use oauth_runtime::{AccessToken, Refusal, policy, require_token};

#[require_token]
#[delete("/notes/{id}")]
async fn remove(id: Path<u32>, token: AccessToken) -> Result<String, Refusal> {
    // right: token.satisfies(policy!(role = "admin"))?;
    token.satisfies(policy!(role = "admin"));
    Ok(format!("note {id} is deleted"))
}
