use oauth_runtime::require_claim;

struct Report;

impl Report {
    #[require_claim(role = "admin")]
    pub async fn get(self: Box<Self>) -> &'static str {
        "report"
    }
}

fn main() {}
