use actix_web::{Responder, get};
use oauth_runtime::require_claim;

#[require_claim(level = 18_446_744_073_709_551_616)]
#[get("/report")]
async fn report() -> impl Responder {
    "report"
}

fn main() {
    let _ = actix_web::App::new().service(report);
}
