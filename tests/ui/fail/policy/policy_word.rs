use oauth_runtime::{Policy, policy};

const STAFF: Policy = policy!(all);

fn main() {
    let _ = STAFF;
}
