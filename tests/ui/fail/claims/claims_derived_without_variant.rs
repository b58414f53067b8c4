#[derive(oauth_runtime::Claims)]
enum Role {}

fn main() {}
