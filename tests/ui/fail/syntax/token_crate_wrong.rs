use actix_web::{Responder, get};
use oauth_runtime::require_token;

#[require_token(crate = oauth_runtime)]
#[get("/report")]
async fn report() -> impl Responder {
    "report"
}

fn main() {
    let _ = actix_web::App::new().service(report);
}
