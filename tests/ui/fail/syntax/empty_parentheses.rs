use actix_web::Responder;
use oauth_runtime::require_claim;

#[require_claim()]
async fn report() -> impl Responder {
    "report"
}

fn main() {
    let _ = actix_web::web::get().to(report);
}
