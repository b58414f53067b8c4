use oauth_runtime::require_claim;

#[require_claim(role = "admin")]
async fn report(text: String) -> String {
    drop(text);
    text
}

fn main() {}
