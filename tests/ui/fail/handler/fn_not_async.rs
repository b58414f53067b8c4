use oauth_runtime::require_claim;

#[require_claim(role = "admin")]
fn report() -> impl actix_web::Responder {
    "report"
}

fn main() {}
