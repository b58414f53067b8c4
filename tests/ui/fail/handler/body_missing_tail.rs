use oauth_runtime::require_claim;

#[require_claim(role = "admin")]
async fn report() -> String {
    let _text = String::new();
}

fn main() {}
