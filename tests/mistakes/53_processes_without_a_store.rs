//! Two processes have one secret, and each a memory of its own.
//!
//! A user who signed in at one is refused by the other, and a revocation at one is unknown to the other.
// caught: request
// says: .store(

use std::sync::LazyLock;

use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, Responder, get};
use oauth_runtime::store::MemoryStore;
use oauth_runtime::testing::{self, FaultyStore};
use oauth_runtime::{Client, Login, OAuthService, require_token};

use crate::{SECRET, call, sign_in};

/// What both processes reach.
#[allow(dead_code)]
static DATABASE: LazyLock<FaultyStore> = LazyLock::new(|| FaultyStore::new(MemoryStore::new()));

#[require_token]
#[get("/me")]
async fn me() -> impl Responder {
    "me"
}

fn process() -> OAuthService {
    OAuthService::builder()
        .issuer("http://127.0.0.1:8000")
        // right: .secret(SECRET).store(DATABASE.clone())
        .secret(SECRET)
        .client(Client::public("app").redirect_uri("http://127.0.0.1/callback"))
        .scope("notes:read", "Read your notes")
        .scope("notes:write", "Write your notes")
        .authenticate(async |login: Login| sign_in(&login))
        .build()
        .expect("a valid configuration")
}

pub async fn program() -> (StatusCode, String) {
    let (one, other) = (process(), process());
    let one = init_service(App::new().configure(one.routes()).service(me)).await;
    let other = init_service(App::new().configure(other.routes()).service(me)).await;
    let ada = testing::sign_in(&one).user("ada", "ada123").await.expect("a user");
    call(&other, TestRequest::get().uri("/me").insert_header(ada.header())).await
}
