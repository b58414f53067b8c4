use Account::{Guest, Staff};
use actix_web::{Responder, get};
use oauth_runtime::require_claim;

#[derive(serde::Deserialize)]
pub enum Account {
    Staff { level: u8 },
    Guest { level: u8 },
}

#[require_claim(Staff { .. } | Guest { .. })]
#[get("/report")]
async fn report() -> impl Responder {
    "report"
}

fn main() {
    let _ = actix_web::App::new().service(report);
}
