#[derive(oauth_runtime::Claims)]
struct User {
    sub: String,
}

oauth_runtime::claims!(User, scope = "notes:read");

fn main() {}
