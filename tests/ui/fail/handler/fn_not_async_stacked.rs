use oauth_runtime::require_claim;

#[require_claim(role = "admin")]
#[require_claim(level = 3)]
fn report() -> impl actix_web::Responder {
    "report"
}

fn main() {}
