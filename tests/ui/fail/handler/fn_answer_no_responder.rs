use actix_web::{Responder, get};
use oauth_runtime::require_claim;

pub struct Report;

#[require_claim(role = "admin")]
#[get("/report")]
async fn report() -> impl Responder {
    Report
}

fn main() {
    let _ = actix_web::App::new().service(report);
}
