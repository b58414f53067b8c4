//! Above and below the route attribute, with and without one, and several guards at once.
#![deny(warnings)]

use actix_web::web::Path;
use actix_web::{App, Responder, get, post, route, routes, web};
use oauth_runtime::{require_claim, require_token};

#[require_claim(role = "admin")]
#[get("/above/{id}")]
async fn above(id: Path<String>) -> impl Responder {
    id.into_inner()
}

#[post("/below/{id}")]
#[require_claim(role = "admin")]
async fn below(id: Path<String>) -> impl Responder {
    id.into_inner()
}

#[require_token]
#[route("/route", method = "GET", method = "HEAD")]
async fn route_() -> impl Responder {
    "route"
}

#[require_token]
#[routes]
#[get("/one")]
#[get("/other")]
async fn several() -> impl Responder {
    "several"
}

#[require_token]
#[require_claim(role = "admin")]
#[get("/stacked/{id}")]
#[oauth_runtime::require_claim(level = 3)]
/// Between the guards.
#[require_claim(scope = "read")]
async fn stacked(id: Path<String>) -> impl Responder {
    id.into_inner()
}

#[get("/stacked/below/{id}")]
#[require_claim(role = "admin")]
#[require_token]
async fn stacked_below(id: Path<String>) -> impl Responder {
    id.into_inner()
}

#[::oauth_runtime::require_claim(role = "admin")]
async fn plain(id: Path<String>) -> impl Responder {
    id.into_inner()
}

mod inner {
    #[oauth_runtime::require_claim(role = "admin")]
    pub(super) async fn handler() -> &'static str {
        "inner"
    }
}

pub(crate) fn main() {
    #[require_token]
    async fn local() -> &'static str {
        "local"
    }

    let _ = App::new()
        .service(above)
        .service(below)
        .service(route_)
        .service(several)
        .service(stacked)
        .service(stacked_below)
        .route("/plain", web::get().to(plain))
        .route("/inner", web::get().to(inner::handler))
        .route("/local", web::get().to(local));
}
