use oauth_runtime::require_claim;

#[require_claim(role = "admin")]
mod report {}

fn main() {}
