use oauth_runtime::{Policy, policy};

fn main() {
    let _: Policy = policy!(any(role = "admin", sub = path.owner));
}
