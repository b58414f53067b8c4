use actix_web::{Responder, get};
use oauth_runtime::require_claim;

#[require_claim(dyn role = "amdin")]
#[get("/report")]
async fn report() -> impl Responder {
    "report"
}

fn main() {
    let _ = actix_web::App::new().service(report);
}
