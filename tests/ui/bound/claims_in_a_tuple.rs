use actix_web::{Responder, get, web};
use oauth_runtime::{Claims, require_token};

#[derive(serde::Serialize, serde::Deserialize, Claims)]
pub struct Other {
    pub sub: String,
}

#[require_token]
#[get("/me")]
async fn me(_: (Claims<Other>, web::Bytes)) -> impl Responder {
    "me"
}

fn main() {
    let _ = actix_web::App::new().service(me);
}
