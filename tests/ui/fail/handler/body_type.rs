use oauth_runtime::require_claim;

#[require_claim(role = "admin")]
async fn report() -> String {
    let text: &str = "report";
    text
}

fn main() {}
