use actix_web::{Responder, get};
use oauth_runtime::{public, require_claim};

#[public]
#[get("/report")]
#[require_claim(role = "admin")]
async fn report() -> impl Responder {
    "report"
}

fn main() {
    let _ = actix_web::App::new().service(report);
}
