use oauth_runtime::require_claim;

#[require_claim(role = "admin")]
async extern "C" fn report() -> &'static str {
    "report"
}

fn main() {}
