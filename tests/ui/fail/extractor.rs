use actix_web::{Responder, web};
use oauth_runtime::require_claim;

struct NoExtractor;

#[require_claim(role = "admin")]
async fn report(_path: web::Path<String>, _own: NoExtractor) -> impl Responder {
    "x"
}

fn main() {
    let _ = web::get().to(report);
}
