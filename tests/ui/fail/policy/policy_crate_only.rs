use oauth_runtime::{Policy, policy};

const STAFF: Policy = policy!(crate = "oauth_runtime");

fn main() {
    let _ = STAFF;
}
