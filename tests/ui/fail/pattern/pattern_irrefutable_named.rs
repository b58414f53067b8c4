use actix_web::{Responder, get};
use oauth_runtime::require_claim;

#[derive(serde::Deserialize)]
struct User {
    sub: String,
    level: u8,
}

#[require_claim(user @ User { .. })]
#[get("/report")]
async fn report() -> impl Responder {
    "report"
}

fn main() {
    let _ = actix_web::App::new().service(report);
}
