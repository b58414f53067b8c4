use oauth_runtime::{Policy, policy};

const STAFF: Policy = policy!(policy!(role = "admin"));

fn main() {
    let _ = STAFF;
}
