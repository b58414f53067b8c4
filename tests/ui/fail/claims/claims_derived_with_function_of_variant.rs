#[derive(oauth_runtime::Claims)]
enum Key {
    Unknown,
    #[serde(with = "hex")]
    Known(Vec<u8>),
}

fn main() {}
