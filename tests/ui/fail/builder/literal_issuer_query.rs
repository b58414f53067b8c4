use oauth_runtime::{OAuthService, issuer};

pub fn service() {
    let _ = OAuthService::builder().issuer(issuer!("https://notes.example?tenant=a"));
}

fn main() {}
