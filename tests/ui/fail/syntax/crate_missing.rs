// A module that re-exports the attribute is not the crate.
mod oauth {
    pub(crate) use oauth_runtime::require_claim;
}

#[oauth::require_claim(crate = "oauth", role = "admin")]
async fn report() -> &'static str {
    "report"
}

fn main() {
    let _ = actix_web::web::get().to(report);
}
