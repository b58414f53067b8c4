use oauth_runtime::{OAuthService, secret};

pub fn service() {
    let _ = OAuthService::builder().secret(secret!("a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"));
}

fn main() {}
