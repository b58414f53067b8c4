//! Any extractor in any pattern, and a body that sees its own names and return type.
#![deny(warnings, clippy::all, clippy::pedantic, unused_qualifications, unreachable_pub)]

use actix_web::web::{Bytes, Json, Path, Payload, Query};
use actix_web::{HttpRequest, HttpResponse, Responder, get, post, web};
use oauth_runtime::{require_claim, require_token};
use serde::Deserialize;

#[derive(Deserialize)]
struct Note {
    title: String,
}

#[require_claim(role = "admin")]
#[get("/none")]
async fn none() -> impl Responder {
    "none"
}

#[require_claim(role = "admin", level = [3, 1_000_000, -4.5], active, scope = "a b")]
#[post("/patterns/{id}/{name}")]
async fn patterns(Path((id, name)): Path<(u32, String)>, mut query: Query<Note>, Json(body): Json<Note>) -> String {
    query.title.push_str(&name);
    format!("{id}{}{}", query.title, body.title)
}

#[post("/below")]
#[require_token]
async fn below(_request: HttpRequest, payload: Payload) -> HttpResponse {
    HttpResponse::Ok().streaming(payload)
}

#[require_token]
async fn plain(#[allow(unused_variables)] request: HttpRequest, _: Bytes) -> impl Responder {
    HttpResponse::Ok()
}

fn main() {
    let _ = actix_web::App::new().service(none).service(patterns).service(below).route("/", web::get().to(plain));
}
