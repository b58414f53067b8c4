use oauth_runtime::{Policy, policy};

const STAFF: Policy = policy!();

fn main() {
    let _ = STAFF;
}
