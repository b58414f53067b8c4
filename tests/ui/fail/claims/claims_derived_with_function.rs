#[derive(oauth_runtime::Claims)]
struct User {
    sub: String,
    #[serde(with = "hex")]
    key: Vec<u8>,
}

fn main() {}
