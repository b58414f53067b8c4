use oauth_runtime::{OAuthService, secret};

pub fn service() {
    let _ = OAuthService::builder().secret(secret!("61d610f0653565a89f14cfb8e44a7d40"));
}

fn main() {}
