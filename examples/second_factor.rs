//! A password, and then the code of an authenticator app (TOTP): `cargo run --example second_factor`.
//!
//! The guard of `/payments` asks for both; a client that hears so from it sends its user here again with `acr_values`.

use std::collections::HashMap;
use std::sync::Mutex;

use actix_web::{App, HttpServer, Responder, get};
use oauth_runtime::{Client, Login, OAuthService, Question, SecondFactor, SignIn, require_claim};
use serde_json::{Value, json};
use totp_rs::{Builder, Secret, Totp};

#[require_claim(acr = "two-factors")]
#[get("/payments")]
async fn payments() -> impl Responder {
    "All bills are paid."
}

/// The password alone is enough, unless the client wants more or the user has an app.
fn authenticate(login: Login) -> SignIn<Value> {
    // In production: look the user up, and check an Argon2 hash.
    match (login.username.as_str(), &*login.password) {
        ("ada", "ada123") => SignIn::ask(Question::code("Enter the code of your authenticator app").digits().of("ada")),
        ("bob", "bob123") => SignIn::done(json!({ "sub": "bob" })).amr("pwd"),
        // Counted for the user, whatever names your look-up takes.
        (user @ ("ada" | "bob"), _) => SignIn::refused_for(user),
        _ => SignIn::refused(),
    }
}

/// Wrong codes are counted and slowed down by the server.
fn second_factor(factor: SecondFactor) -> SignIn<Value> {
    match app_of(&factor.username).check_current(&factor.answer) {
        // RFC 6238 §5.2: a code is good once
        Some(step) if is_first_use(&factor.username, step) => {
            SignIn::done(json!({ "sub": factor.username })).amr("pwd").amr("otp").acr("two-factors")
        }
        Some(_) | None => SignIn::refused(),
    }
}

/// In production: a secret for each user, drawn when they scan its QR code and kept in your database.
fn app_of(_username: &str) -> Totp {
    let secret = Secret::from(b"twenty bytes of ada!".as_slice());
    Builder::new().with_secret(secret).build().expect("20 bytes are enough")
}

/// In production: a column of your users, changed in one statement where the step is greater than what is there.
fn is_first_use(username: &str, step: u64) -> bool {
    static LAST: Mutex<Option<HashMap<String, u64>>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let last = last.get_or_insert_default();
    let is_later = last.get(username).is_none_or(|before| step > *before);
    if is_later {
        last.insert(username.to_owned(), step);
    }
    is_later
}

fn service(origin: &str) -> OAuthService {
    OAuthService::builder()
        .issuer(origin)
        .client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"))
        .authenticate_blocking(authenticate)
        .second_factor_blocking(second_factor)
        .build()
        .expect("a whole configuration")
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    tracing_subscriber::fmt().with_env_filter("info").init();
    let oauth = service("http://127.0.0.1:8000");
    tracing::info!(
        "users ada/ada123 and bob/bob123; the code of ada's app is now {}",
        app_of("ada").generate_current()
    );
    HttpServer::new(move || App::new().configure(oauth.routes()).service(payments))
        .bind(("127.0.0.1", 8000))?
        .run()
        .await
}

#[cfg(test)]
mod tests {
    use actix_web::http::StatusCode;
    use actix_web::test::{TestRequest, call_service, init_service};
    use oauth_runtime::testing;

    use super::*;

    #[test]
    fn a_code_is_good_once() {
        assert!(is_first_use("test", 5) && !is_first_use("test", 5) && !is_first_use("test", 4));
        assert!(is_first_use("test", 6) && is_first_use("another", 5));
        let app = app_of("ada");
        assert!(app.check_current(&app.generate_current().to_string()).is_some());
        assert!(app.check_current("000000x").is_none());
    }

    #[actix_web::test]
    async fn a_password_alone_does_not_pay() {
        let oauth = service("http://127.0.0.1:8000");
        let app = init_service(App::new().configure(oauth.routes()).service(payments)).await;
        for (token, status) in [
            (testing::token(&oauth, &json!({})).acr("two-factors"), StatusCode::OK),
            (testing::token(&oauth, &json!({})), StatusCode::UNAUTHORIZED),
        ] {
            let request = TestRequest::get().uri("/payments").insert_header(token.header()).to_request();
            let answer = call_service(&app, request).await;
            assert_eq!(answer.status(), status);
            if status == StatusCode::UNAUTHORIZED {
                let challenge = answer.headers().get("www-authenticate").and_then(|value| value.to_str().ok());
                assert!(challenge.is_some_and(|it| it.contains("acr_values=\"two-factors\"")), "{challenge:?}");
            }
        }
    }
}
