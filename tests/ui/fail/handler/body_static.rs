use oauth_runtime::require_claim;

#[require_claim(role = "admin")]
async fn report() -> &'static str {
    __GUARD.policy
}

fn main() {}
