use actix_web::{Responder, get};
use oauth_runtime::require_claim;

#[derive(serde::Deserialize)]
pub enum Role {
    Reader,
    Admin,
}

#[derive(serde::Deserialize)]
pub struct User {
    pub role: Role,
    pub level: u8,
}

#[require_claim(User { level, .. } if *level > 3 && path.owner == "a")]
#[get("/report")]
async fn report() -> impl Responder {
    "report"
}

fn main() {
    let _ = actix_web::App::new().service(report);
}
