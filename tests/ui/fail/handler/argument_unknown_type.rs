use oauth_runtime::require_claim;

#[require_claim(role = "admin")]
async fn report(_own: Unknown) -> &'static str {
    "report"
}

fn main() {}
