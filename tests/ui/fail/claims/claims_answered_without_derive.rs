use oauth_runtime::{Login, OAuthService};

#[derive(serde::Serialize)]
struct User {
    sub: String,
}

fn main() {
    let _ = OAuthService::builder().authenticate(async |login: Login| Some(User { sub: login.username }));
}
