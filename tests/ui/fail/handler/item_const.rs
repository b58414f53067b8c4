use oauth_runtime::require_claim;

#[require_claim(role = "admin")]
const REPORT: &str = "report";

fn main() {}
