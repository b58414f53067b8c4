use actix_web::{Responder, get};
use oauth_runtime::{Claims, require_token};

#[derive(serde::Serialize, serde::Deserialize, Claims)]
pub struct Other {
    pub sub: String,
}

type Me = Claims<Other>;

#[require_token]
#[get("/me")]
async fn me(_: Option<Me>) -> impl Responder {
    "me"
}

fn main() {
    let _ = actix_web::App::new().service(me);
}
