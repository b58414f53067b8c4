use oauth_runtime::require_claim;

#[require_claim(role = "admin")]
pub use std::fmt;

fn main() {}
