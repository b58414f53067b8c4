use actix_web::{Responder, get};
use oauth_runtime::require_claim;

#[derive(serde::Deserialize)]
struct User {
    sub: String,
    level: u8,
}

#[require_claim(User { level, .. } if *level > *least)]
#[get("/report/{least}")]
async fn report(least: actix_web::web::Path<u8>) -> impl Responder {
    least.to_string()
}

fn main() {
    let _ = actix_web::App::new().service(report);
}
