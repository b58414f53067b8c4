//! The type of the claims has no `sub`.
//!
//! The sign-in cannot say who it was, and each one ends with a page that says 500.
// caught: compiler
// says: `sub`

use oauth_runtime::{Claims, claims};
use serde::{Deserialize, Serialize};

claims!(Visitor);

#[derive(Serialize, Deserialize, Claims)]
struct Visitor {
    // right: sub: String,
    // right: role: Role,
    role: Role,
}

#[derive(Serialize, Deserialize, Claims)]
enum Role {
    Reader,
    Admin,
}
