//! The claims of an application whose guards stand in other crates.

use oauth_runtime::Claims;
use serde::{Deserialize, Serialize};

/// What a user is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Claims)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads.
    Reader,
    /// Reads what others may not.
    Auditor,
    /// May do all.
    Admin,
}

/// What the sign-in answers.
#[derive(Clone, Debug, Serialize, Deserialize, Claims)]
pub struct User {
    /// The key of their row.
    pub sub: String,
    /// What they are.
    pub role: Role,
    /// How far they are trusted.
    pub level: u8,
    /// Whether they are not to be let in for now.
    pub suspended: bool,
    /// Those they are in.
    pub teams: Vec<String>,
}
