//! A server expects another audience than its tokens have.
//!
//! It refuses every token, and both sides look right by themselves.
// caught: request
// says: https://api.example/v1

use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, Responder, get};
use oauth_runtime::store::{MemoryStore, Store};
use oauth_runtime::testing::{self, FaultyStore};
use oauth_runtime::{Client, Login, OAuthService, require_token};

use crate::{SECRET, call, sign_in, user};

#[require_token]
#[get("/me")]
async fn me() -> impl Responder {
    "me"
}

/// One of two processes: where users sign in, and the API.
fn process(audience: &str, database: impl Store) -> OAuthService {
    OAuthService::builder()
        .issuer("http://127.0.0.1:8000")
        .audience(audience)
        .secret(SECRET)
        .store(database)
        .client(Client::public("app").redirect_uri("http://127.0.0.1/callback"))
        .scope("notes:read", "Read your notes")
        .scope("notes:write", "Write your notes")
        .authenticate(async |login: Login| sign_in(&login))
        .build()
        .expect("a valid configuration")
}

pub async fn program() -> (StatusCode, String) {
    let database = FaultyStore::new(MemoryStore::new()); // it can be shared
    let front = process("https://api.example", database.clone());
    // right: let api = process("https://api.example", database);
    let api = process("https://api.example/v1", database);
    let app = init_service(App::new().configure(api.routes()).service(me)).await;
    let token = testing::token(&front, &user("ada").expect("a user")).header();
    call(&app, TestRequest::get().uri("/me").insert_header(token)).await
}
