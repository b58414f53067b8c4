use oauth_runtime::require_claim;

#[require_claim(role = "admin")]
trait Report {}

fn main() {}
