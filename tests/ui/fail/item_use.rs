use oauth_runtime::require_claim;

#[require_claim(role = "admin")]
use std::fmt;

fn main() {}
