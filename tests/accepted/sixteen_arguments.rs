//! As many extractors as actix-web takes, some of long types.
#![deny(warnings)]

use actix_web::dev::{ConnectionInfo, PeerAddr};
use actix_web::http::header::ContentType;
use actix_web::http::{Method, Uri};
use actix_web::{HttpRequest, Responder, get, web};
use oauth_runtime::require_claim;

#[derive(serde::Deserialize)]
struct Note {
    title: String,
}

#[require_claim(role = "admin")]
#[get("/{name}")]
async fn sixteen(
    _a0: web::Path<String>,
    _a1: web::Query<Note>,
    _a2: HttpRequest,
    _a3: Option<web::Query<Note>>,
    _a4: Result<web::Query<Note>, actix_web::Error>,
    _a5: Method,
    _a6: Uri,
    _a7: ConnectionInfo,
    _a8: PeerAddr,
    _a9: Option<web::Path<u8>>,
    _a10: Option<web::Header<ContentType>>,
    _a11: Option<HttpRequest>,
    _a12: (Method, Uri),
    _a13: Option<Method>,
    _a14: Option<Uri>,
    web::Json(note): web::Json<Note>,
) -> impl Responder {
    note.title
}

#[require_claim(role = "admin")]
#[require_claim(level = 3)]
async fn more_in_tuples(_: (Method, Uri, Method, Uri), _: (Method, Uri, Method, Uri)) -> impl Responder {
    "more"
}

pub(crate) fn main() {
    let _ = actix_web::App::new().service(sixteen).route("/", web::get().to(more_in_tuples));
}
