use std::time::Duration;

use oauth_runtime::OAuthService;

pub fn service() {
    let _ = OAuthService::builder()
        .issuer("https://notes.example")
        .refresh_token_lifetime(Duration::from_secs(3600));
}

fn main() {}
