#[derive(oauth_runtime::Claims)]
struct User {
    sub: String,
}

oauth_runtime::claims!(struct User);

fn main() {}
