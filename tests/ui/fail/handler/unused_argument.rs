#![deny(unused_variables)]
use oauth_runtime::require_claim;

#[require_claim(role = "admin")]
async fn report(path: actix_web::web::Path<String>) -> &'static str {
    "report"
}

fn main() {
    let _ = actix_web::web::get().to(report);
}
