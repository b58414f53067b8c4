#[derive(oauth_runtime::Claims)]
#[serde(transparent)]
struct Key {
    #[serde(with = "hex")]
    bytes: Vec<u8>,
}

fn main() {}
