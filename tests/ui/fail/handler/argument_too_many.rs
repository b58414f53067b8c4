use oauth_runtime::require_claim;

#[require_claim(role = "admin")]
async fn report(
    _a0: actix_web::http::Method,
    _a1: actix_web::http::Method,
    _a2: actix_web::http::Method,
    _a3: actix_web::http::Method,
    _a4: actix_web::http::Method,
    _a5: actix_web::http::Method,
    _a6: actix_web::http::Method,
    _a7: actix_web::http::Method,
    _a8: actix_web::http::Method,
    _a9: actix_web::http::Method,
    _a10: actix_web::http::Method,
    _a11: actix_web::http::Method,
    _a12: actix_web::http::Method,
    _a13: actix_web::http::Method,
    _a14: actix_web::http::Method,
    _a15: actix_web::http::Method,
    _a16: actix_web::http::Method,
) -> &'static str {
    "report"
}

fn main() {}
