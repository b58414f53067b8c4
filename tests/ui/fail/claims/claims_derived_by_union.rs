#[derive(oauth_runtime::Claims)]
union User {
    sub: u32,
}

fn main() {}
