use actix_web::{Responder, get};
use oauth_runtime::require_claim;

const BANNED: oauth_runtime::Policy = oauth_runtime::policy!(banned = true);

#[require_claim(not(BANNED))]
#[get("/report")]
async fn report() -> impl Responder {
    "report"
}

fn main() {
    let _ = actix_web::App::new().service(report);
}
