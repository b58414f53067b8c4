use actix_web::Responder;
use oauth_runtime::require_token;

#[require_token(crate = "oauth_runtime", role = "admin")]
async fn report() -> impl Responder {
    "report"
}

fn main() {
    let _ = actix_web::web::get().to(report);
}
