use oauth_runtime::require_claim;

trait Report {
    #[require_claim(role = "admin")]
    async fn get() -> &'static str;
}

fn main() {}
