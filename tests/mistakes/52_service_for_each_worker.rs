//! The service is built within the closure of `HttpServer`, once for each worker.
//!
//! Each worker has a secret and a memory of its own: users are signed out at every second request, by chance.
// caught: request
// says: outside the closure

use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, Responder, get};
use oauth_runtime::{Client, Login, OAuthService, require_token, testing};

use crate::{call, sign_in};

#[require_token]
#[get("/me")]
async fn me() -> impl Responder {
    "me"
}

fn service() -> OAuthService {
    OAuthService::builder()
        .issuer("http://127.0.0.1:8000")
        .client(Client::public("app").redirect_uri("http://127.0.0.1/callback"))
        .scope("notes:read", "Read your notes")
        .scope("notes:write", "Write your notes")
        .authenticate(async |login: Login| sign_in(&login))
        .build()
        .expect("a valid configuration")
}

pub async fn program() -> (StatusCode, String) {
    // `HttpServer` calls this closure once for each worker.
    // right: let oauth = service();
    // right: let worker = || App::new().configure(oauth.routes()).service(me);
    let worker = || App::new().configure(service().routes()).service(me);
    let (one, other) = (init_service(worker()).await, init_service(worker()).await);
    let ada = testing::sign_in(&one).user("ada", "ada123").await.expect("a user");
    call(&other, TestRequest::get().uri("/me").insert_header(ada.header())).await
}
