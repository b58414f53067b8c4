use oauth_runtime::require_claim;

#[require_claim(role = "admin")]
async fn erase(name: &str) -> String {
    name.to_owned()
}

fn main() {
    let _ = erase("notes");
}
