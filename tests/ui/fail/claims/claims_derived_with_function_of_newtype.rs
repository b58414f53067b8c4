#[derive(oauth_runtime::Claims)]
struct Key(#[serde(serialize_with = "hex")] Vec<u8>);

fn main() {}
