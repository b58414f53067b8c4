use oauth_runtime::require_claim;

#[require_claim(role = "admin")]
pub struct Report {
    pub text: String,
}

fn main() {}
