use actix_web::{Responder, get};
use oauth_runtime::{AccessToken, Policy, policy, require_token};

const EDITORS: Policy = policy!(role = "editor");

#[require_token]
#[get("/report")]
async fn report(token: AccessToken) -> impl Responder {
    let _ = token.satisfies(EDITORS);
    "report"
}

fn main() {
    let _ = actix_web::App::new().service(report);
}
