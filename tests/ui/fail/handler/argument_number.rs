use oauth_runtime::require_claim;

#[require_claim(role = "admin")]
async fn pay(to: String, amount: u64) -> String {
    format!("{amount} to {to}")
}

fn main() {
    let _ = pay("ann".to_owned(), 3);
}
