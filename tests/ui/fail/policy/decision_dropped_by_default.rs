use actix_web::{Responder, get};
use oauth_runtime::{AccessToken, policy, require_token};

#[require_token]
#[get("/report")]
async fn report(token: AccessToken) -> impl Responder {
    token.satisfies(policy!(role = "admin")).unwrap_or_default();
    "report"
}

fn main() {
    let _ = actix_web::App::new().service(report);
}
