#[derive(oauth_runtime::Claims)]
struct User {
    sub: String,
    #[claims(rename = "org")]
    organization: String,
}

fn main() {}
