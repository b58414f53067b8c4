use actix_web::{Responder, get};
use oauth_runtime::{BuildError, Client, Login, OAuthService, Question, SecondFactor, SignIn, require_claim};
use serde_json::{Value, json};

pub fn oauth() -> Result<OAuthService, BuildError> {
    OAuthService::builder()
        .issuer("https://notes.example")
        .direct_peers() // without a proxy; behind one .client_address(..)
        .client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"))
        .scope("notes:read", "Read your notes")
        .authenticate_blocking(|login: Login| -> SignIn<Value> {
            if password_is_right(&login) {
                SignIn::ask(Question::code("Enter the code of your app"))
            } else {
                SignIn::refused()
            }
        })
        .second_factor_blocking(|factor: SecondFactor| {
            if code_is_right(&factor.username, &factor.answer) {
                let claims = json!({ "sub": factor.username, "role": "admin" });
                SignIn::done(claims).amr("pwd").amr("otp").acr("two-factors")
            } else {
                SignIn::refused()
            }
        })
        .build()
}

fn password_is_right(login: &Login) -> bool {
    login.username == "ada" && &*login.password == "ada123" // your own check of a hash
}

fn code_is_right(username: &str, code: &str) -> bool {
    username == "ada" && code == "314159" // of the time and the user's own key: RFC 6238
}

#[require_claim(acr = "two-factors")]
#[get("/payments")]
pub async fn payments() -> impl Responder {
    "paid"
}
