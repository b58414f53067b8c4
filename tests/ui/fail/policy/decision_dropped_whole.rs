use actix_web::{Responder, get};
use oauth_runtime::{AccessToken, policy, require_token};

#[require_token]
#[get("/report")]
async fn report(token: AccessToken) -> impl Responder {
    drop(token.satisfies(policy!(role = "admin")));
    "report"
}

fn main() {
    let _ = actix_web::App::new().service(report);
}
