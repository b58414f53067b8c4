use oauth_runtime::{Policy, policy};

fn of(role: &str) -> Policy {
    policy!(role = {role})
}

fn main() {
    let _ = of("admin");
}
