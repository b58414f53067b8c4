use oauth_runtime::{Policy, policy};

static STAFF: Policy = policy!(scope);

fn main() {
    let _ = STAFF;
}
