use oauth_runtime::{Client, OAuthService};

pub fn service() {
    let _ = OAuthService::builder()
        .issuer("https://notes.example")
        .client(Client::public("app").name("Notes"));
}

fn main() {}
