use oauth_runtime::require_claim;

#[require_claim(role = "admin")]
async fn report() {}

fn main() {}
