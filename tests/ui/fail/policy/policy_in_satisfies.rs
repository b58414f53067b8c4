use actix_web::{Responder, get};
use oauth_runtime::{AccessToken, Refusal, policy};

#[get("/report")]
async fn report(token: AccessToken) -> Result<impl Responder, Refusal> {
    token.satisfies(policy!(role = admin))?;
    Ok("report")
}

fn main() {
    let _ = actix_web::App::new().service(report);
}
