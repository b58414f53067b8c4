use oauth_runtime::require_claim;

#[require_claim(role = "admin")]
impl Report {
    pub async fn get() -> &'static str {
        "report"
    }
}

struct Report;

fn main() {}
