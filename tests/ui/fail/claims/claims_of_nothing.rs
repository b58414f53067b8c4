oauth_runtime::claims!();

fn main() {}
