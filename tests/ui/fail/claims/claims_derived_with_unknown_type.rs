struct Id(String);

#[derive(oauth_runtime::Claims)]
struct User {
    sub: Id,
}

fn main() {}
