use oauth_runtime::{Policy, policy};

const STAFF: Policy = policy!(role = "admin"), verified;

fn main() {
    let _ = STAFF;
}
