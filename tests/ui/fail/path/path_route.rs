use actix_web::{Responder, route};
use oauth_runtime::require_claim;

#[require_claim(sub = path.tenant)]
#[route("/report/{owner}", method = "GET")]
async fn report() -> impl Responder {
    "report"
}

fn main() {
    let _ = actix_web::App::new().service(report);
}
