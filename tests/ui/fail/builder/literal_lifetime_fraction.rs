use oauth_runtime::{OAuthService, lifetime};

pub fn service() {
    let _ = OAuthService::builder().access_token_lifetime(lifetime!("1.5s"));
}

fn main() {}
