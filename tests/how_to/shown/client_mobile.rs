use oauth_runtime::client_address::x_forwarded_for;
use oauth_runtime::{BuildError, Client, Login, OAuthService};
use serde_json::{Value, json};

pub fn oauth() -> Result<OAuthService, BuildError> {
    let mobile = Client::public("mobile")
        .name("Notes")
        .redirect_uri("https://notes.example/app/callback") // an App Link, a Universal Link: prefer it
        .redirect_uri("com.example.notes:/callback") // a scheme of the app's own, for older systems
        .redirect_uri("http://127.0.0.1/") // a desktop, on any port
        .post_logout_redirect_uri("com.example.notes:/signed-out");
    OAuthService::builder()
        .issuer("https://notes.example")
        .client_address(x_forwarded_for(1))
        .client(mobile)
        .scope("openid", "Know who you are")
        .scope("notes:read", "Read your notes")
        .authenticate_blocking(sign_in)
        .reload_blocking(find_user)
        .build()
}

fn sign_in(login: Login) -> Option<Value> {
    if &*login.password == "ada123" { find_user(&login.username) } else { None }
}

fn find_user(name: &str) -> Option<Value> {
    (name == "ada").then(|| json!({ "sub": "ada" }))
}
