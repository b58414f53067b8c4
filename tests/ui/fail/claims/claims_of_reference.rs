use actix_web::{Responder, get};
use oauth_runtime::{Claims, require_token};

#[derive(serde::Deserialize)]
struct User {
    sub: String,
}

#[require_token]
#[get("/me")]
async fn me(Claims(user): Claims<&User>) -> impl Responder {
    user.sub.clone()
}

fn main() {
    let _ = actix_web::App::new().service(me);
}
