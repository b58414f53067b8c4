use actix_web::{Responder, get};
use oauth_runtime::{Claims, require_token};

mod db {
    #[derive(serde::Serialize, serde::Deserialize, oauth_runtime::Claims)]
    pub struct Other {
        pub sub: String,
    }
}

#[require_token]
#[get("/me")]
async fn me(_: Claims<db::Other>) -> impl Responder {
    "me"
}

fn main() {
    let _ = actix_web::App::new().service(me);
}
