use actix_web::{Responder, get};
use oauth_runtime::{public, require_claim};

#[require_claim(role = "admin")]
#[public]
#[get("/report")]
async fn report() -> impl Responder {
    "report"
}

fn main() {
    let _ = actix_web::App::new().service(report);
}
