//! The type of the claims has a claim that the server sets.
//!
//! One of the two overwrites the other: rights of the user's become scopes of the client's, or the sign-in ends with
//! 500.
// caught: compiler
// says: `scope`

use oauth_runtime::{Claims, claims};
use serde::{Deserialize, Serialize};

claims!(Visitor);

#[derive(Serialize, Deserialize, Claims)]
struct Visitor {
    sub: String,
    // right: permissions: Vec<String>,
    scope: Vec<String>,
}
