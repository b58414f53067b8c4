use actix_web::{Responder, get};
use oauth_runtime::{public, require_token};

#[require_token]
#[public]
#[get("/report")]
async fn report() -> impl Responder {
    "report"
}

fn main() {
    let _ = actix_web::App::new().service(report);
}
