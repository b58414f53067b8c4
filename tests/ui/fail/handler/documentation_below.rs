use actix_web::{get, web};
use oauth_runtime::require_claim;

#[require_claim(role = "admin")]
#[utoipa::path(responses((status = 200, description = "A note")))]
#[get("/notes/{owner}/{title}")]
async fn note(_place: web::Path<(String, String)>) -> &'static str {
    "a note"
}

fn main() {}
