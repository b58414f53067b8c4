use actix_web::{Responder, get};
use oauth_runtime::public;

#[public]
#[get("/report")]
fn report() -> impl Responder {
    "report"
}

fn main() {
    let _ = actix_web::App::new().service(report);
}
