use oauth_runtime::OAuthService;

pub fn service() {
    let _ = OAuthService::builder()
        .issuer("https://notes.example")
        .account_page();
}

fn main() {}
