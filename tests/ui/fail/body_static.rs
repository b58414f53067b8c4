use oauth_runtime::require_claim;

#[require_claim(role = "admin")]
async fn report() -> &'static str {
    GUARD.policy
}

fn main() {}
