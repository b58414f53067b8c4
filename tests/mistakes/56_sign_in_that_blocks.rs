//! An asynchronous `authenticate` does what takes long without giving way.
//!
//! A password hash stops its worker: nothing else is answered meanwhile, and no timeout helps.
// caught: request
// says: authenticate_blocking

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, Responder, get};
use oauth_runtime::{Client, Login, OAuthService, require_token, testing};

use crate::{SECRET, User, call};

#[require_token]
#[get("/me")]
async fn me() -> impl Responder {
    "me"
}

/// As a password hash does.
fn sign_in(login: &Login) -> Option<User> {
    std::thread::sleep(Duration::from_millis(200));
    crate::sign_in(login)
}

fn service() -> OAuthService {
    OAuthService::builder()
        .issuer("http://127.0.0.1:8000")
        .secret(SECRET)
        .client(Client::public("app").redirect_uri("http://127.0.0.1/callback"))
        .scope("notes:read", "Read your notes")
        .scope("notes:write", "Write your notes")
        // right: .authenticate_blocking(|login: Login| sign_in(&login))
        .authenticate(async |login: Login| sign_in(&login))
        .build()
        .expect("a valid configuration")
}

pub async fn program() -> (StatusCode, String) {
    let app = init_service(App::new().configure(service().routes()).service(me)).await;
    let ada = testing::sign_in(&app).user("ada", "ada123").await.expect("a user");
    call(&app, TestRequest::get().uri("/me").insert_header(ada.header())).await
}
