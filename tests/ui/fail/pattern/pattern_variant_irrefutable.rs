use actix_web::{Responder, get};
use oauth_runtime::require_claim;

#[derive(serde::Deserialize)]
enum Role {
    Admin,
    Auditor,
}

#[derive(serde::Deserialize)]
struct User {
    role: Role,
}

#[require_claim(User { role: Role::Admin | Role::Auditor })]
#[get("/report")]
async fn report() -> impl Responder {
    "report"
}

fn main() {
    let _ = actix_web::App::new().service(report);
}
