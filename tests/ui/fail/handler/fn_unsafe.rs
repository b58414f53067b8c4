use oauth_runtime::require_claim;

#[require_claim(role = "admin")]
async unsafe fn report() -> &'static str {
    "report"
}

fn main() {}
