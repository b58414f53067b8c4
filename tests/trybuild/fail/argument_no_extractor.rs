use oauth_runtime::require_claim;

#[require_claim(role = "admin")]
async fn report(_path: actix_web::web::Path<String>, _own: NoExtractor) -> &'static str {
    "report"
}

struct NoExtractor;

fn main() {}
