use oauth_runtime::{Policy, policy};

#[derive(serde::Deserialize)]
struct User {
    level: u8,
}

const ANY_ONE: Policy = policy!(User { .. });

fn main() {
    let _ = ANY_ONE;
}
