//! The function that looks users up again forgets a claim, in JSON.
//!
//! After an hour, at the first refresh, administrators are none any more.
// caught: request
// says: `reload`

use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, Responder, get};
use oauth_runtime::{Client, Login, OAuthService, require_claim, testing};
use serde_json::{Value, json};

use crate::{SECRET, call, sign_in};

#[require_claim(role = "admin")]
#[get("/admin")]
async fn admin() -> impl Responder {
    "admin"
}

fn look_up(subject: &str) -> Option<Value> {
    // right: Some(json!({ "sub": subject, "role": "admin" }))
    Some(json!({ "sub": subject }))
}

fn service() -> OAuthService {
    OAuthService::builder()
        .issuer("http://127.0.0.1:8000")
        .secret(SECRET)
        .client(Client::public("app").redirect_uri("http://127.0.0.1/callback"))
        .scope("notes:read", "Read your notes")
        .scope("notes:write", "Write your notes")
        .untyped_claims()
        .authenticate(async |login: Login| sign_in(&login).map(|user| json!({ "sub": user.sub, "role": user.role })))
        .reload(async |subject: &str| look_up(subject))
        .build()
        .expect("a valid configuration")
}

pub async fn program() -> (StatusCode, String) {
    let app = init_service(App::new().configure(service().routes()).service(admin)).await;
    let ada = testing::sign_in(&app).user("ada", "ada123").await.expect("a user");
    let ada = ada.refresh(&app).await.expect("a refresh token");
    call(&app, TestRequest::get().uri("/admin").insert_header(ada.header())).await
}
