use oauth_runtime::{Policy, policy};

#[derive(serde::Deserialize)]
struct User {
    level: u8,
}

const ANYBODY: Policy = policy!(User { .. });

fn main() {
    let _ = ANYBODY;
}
