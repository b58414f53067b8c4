use oauth_runtime::require_claim;

struct NoResponder;

#[require_claim(role = "admin")]
async fn report() -> NoResponder {
    NoResponder
}

fn main() {
    let _ = actix_web::web::get().to(report);
}
