use oauth_runtime::{Client, redirect_uri};

pub fn app() -> Client {
    Client::public("app").redirect_uri(redirect_uri!("https://app.example:99999/callback"))
}

fn main() {}
