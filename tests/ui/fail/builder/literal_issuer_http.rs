use oauth_runtime::{OAuthService, issuer};

pub fn service() {
    let _ = OAuthService::builder().issuer(issuer!("http://notes.example"));
}

fn main() {}
