use oauth_runtime::{Policy, policy};

const STAFF: Policy = policy!(role = "admin" level);

fn main() {
    let _ = STAFF;
}
