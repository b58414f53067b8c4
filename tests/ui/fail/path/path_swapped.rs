use actix_web::{Responder, get};
use oauth_runtime::require_claim;

#[require_claim(path.owner = sub)]
#[get("/notes/{owner}")]
async fn report() -> impl Responder {
    "report"
}

fn main() {
    let _ = actix_web::App::new().service(report);
}
