//! Any extractor in any pattern, and an argument's own attributes.
#![deny(warnings)]

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

#[require_claim(role = "admin")]
#[post("/patterns/{id}/{name}")]
async fn patterns(
    path: Path<(u32, String)>,
    mut query: Query<Note>,
    Json(Note { title }): Json<Note>,
    (ref request, Query(mut note)): (HttpRequest, Query<Note>),
) -> String {
    let (id, name) = path.into_inner();
    query.title.push_str(&name);
    note.title.push_str(&title);
    format!("{id}{}{}{}", query.title, note.title, request.path())
}

#[require_token]
#[post("/stream")]
async fn stream(_request: HttpRequest, payload: Payload) -> HttpResponse {
    HttpResponse::Ok().streaming(payload)
}

#[require_token]
async fn ignoring(
    #[allow(unused_variables)] request: HttpRequest,
    _: Bytes,
    #[expect(unused_mut)] mut query: Query<Note>,
) -> impl Responder {
    query.into_inner().title
}

pub(crate) fn main() {
    let _ = actix_web::App::new().service(none).service(patterns).service(stream).route("/", web::get().to(ignoring));
}
