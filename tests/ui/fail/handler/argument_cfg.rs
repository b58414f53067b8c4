use oauth_runtime::require_claim;

#[require_claim(role = "admin")]
async fn report(#[cfg(test)] _request: actix_web::HttpRequest) -> &'static str {
    "report"
}

fn main() {}
