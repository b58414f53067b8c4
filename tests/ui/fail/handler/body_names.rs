use oauth_runtime::require_claim;

#[require_claim(role = "admin")]
async fn report() -> &'static str {
    __arguments;
    "report"
}

fn main() {}
