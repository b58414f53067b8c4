use actix_web::{Responder, get};
use oauth_runtime::require_claim;

#[derive(serde::Deserialize)]
pub struct User {
    pub level: u8,
}

#[require_claim(User { level, .. } if let 0.. = *level)]
#[get("/report")]
async fn report() -> impl Responder {
    "report"
}

fn main() {
    let _ = actix_web::App::new().service(report);
}
