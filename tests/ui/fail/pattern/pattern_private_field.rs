use actix_web::{Responder, get};
use oauth_runtime::require_claim;

mod model {
    #[derive(serde::Deserialize)]
    pub struct User {
        level: u8,
    }
}

#[require_claim(model::User { level: 3, .. })]
#[get("/report")]
async fn report() -> impl Responder {
    "report"
}

fn main() {
    let _ = actix_web::App::new().service(report);
}
