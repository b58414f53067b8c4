use oauth_runtime::require_claim;

#[require_claim(role = "admin")]
async fn report(_request: impl actix_web::FromRequest) -> &'static str {
    "report"
}

fn main() {}
