use actix_web::{Responder, get};
use oauth_runtime::require_claim;

#[require_claim(level = -9_223_372_036_854_775_809)]
#[get("/report")]
async fn report() -> impl Responder {
    "report"
}

fn main() {
    let _ = actix_web::App::new().service(report);
}
