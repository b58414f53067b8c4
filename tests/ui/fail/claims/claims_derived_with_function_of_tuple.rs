#[derive(oauth_runtime::Claims)]
struct Keys(u8, #[serde(serialize_with = "hex")] Vec<u8>);

fn main() {}
