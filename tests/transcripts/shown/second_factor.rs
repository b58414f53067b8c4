use actix_web::{Responder, get};
use oauth_runtime::{BuildError, Client, Login, OAuthService, Question, SecondFactor, SignIn, require_claim};
use serde_json::{Value, json};

pub fn oauth() -> Result<OAuthService, BuildError> {
    OAuthService::builder()
        .issuer("https://notes.example")
        .direct_peers() // without a proxy; behind one .client_address(..)
        .client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"))
        .scope("notes:read", "Read your notes")
        .authenticate_blocking(|login: Login| match find_user(&login.username) {
            // `of` says who is asked: the name was typed, and may be spelled in several ways.
            Some(subject) if password_is_right(subject, &login.password) => {
                SignIn::ask(Question::code("Enter the code of your app").digits().of(subject))
            }
            Some(subject) => SignIn::refused_for(subject),
            None => SignIn::<Value>::refused(),
        })
        .second_factor_blocking(|factor: SecondFactor| match factor.subject {
            Some(subject) if code_is_right(&subject, &factor.answer) => {
                let claims = json!({ "sub": subject, "role": "admin" });
                SignIn::done(claims).amr("pwd").amr("otp").acr("two-factors")
            }
            Some(_) | None => SignIn::refused(),
        })
        .build()
}

fn find_user(name: &str) -> Option<&'static str> {
    name.eq_ignore_ascii_case("ada").then_some("ada") // your table, which answers an id that never changes
}

fn password_is_right(subject: &str, password: &str) -> bool {
    subject == "ada" && password == "ada123" // your own check of a hash
}

fn code_is_right(subject: &str, code: &str) -> bool {
    subject == "ada" && code == "314159" // of the time and the user's own key: RFC 6238
}

#[require_claim(acr = "two-factors")]
#[get("/payments")]
pub async fn payments() -> impl Responder {
    "paid"
}
