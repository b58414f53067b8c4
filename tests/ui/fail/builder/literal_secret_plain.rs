use oauth_runtime::{OAuthService, secret};

pub fn service() {
    let _ = OAuthService::builder().secret(secret!("changeme"));
}

fn main() {}
