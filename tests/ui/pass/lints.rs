//! Neither the compiler nor clippy complains of what the attribute writes. (Also linted by itself: see Cargo.toml.)
#![deny(warnings, clippy::all, clippy::pedantic, clippy::cargo)]
#![deny(unused_qualifications, unreachable_pub, missing_docs, let_underscore_drop, unused_results, unused_lifetimes)]
#![allow(clippy::cargo)]

use actix_web::web::{Bytes, Json, Query, get};
use actix_web::{HttpRequest, HttpResponse, Responder};
use oauth_runtime::{Claims, Policy, policy, public, require_claim, require_token};

#[derive(serde::Deserialize)]
struct Note {
    title: String,
}

#[require_claim(role = "admin", level = [3, 1_000_000, -4.5], active, scope = "read write")]
async fn patterns(mut query: Query<Note>, Json(body): Json<Note>, _: Bytes, _request: HttpRequest) -> String {
    query.title.push_str(&body.title);
    query.into_inner().title
}

#[require_token]
async fn none() -> impl Responder {
    "none"
}

#[require_token]
#[require_claim(number = 1_000_000)]
async fn early(bytes: Bytes) -> Result<HttpResponse, actix_web::Error> {
    if bytes.is_empty() {
        return Err(actix_web::error::ErrorBadRequest("empty"));
    }
    Ok(HttpResponse::Ok().body(bytes))
}

#[require_token]
async fn unit(_nothing: (), bytes: Bytes) -> Result<impl Responder, actix_web::Error> {
    Ok(bytes)
}

#[require_claim(any(sub = path.owner, all(level > 3, not(suspended))), a.b != 1, fresh = "5m", acr = "x")]
async fn language() -> impl Responder {
    HttpResponse::NoContent()
}

#[require_claim(Note { title } if title.starts_with('a'))]
async fn pattern(Claims(note): Claims<Note>) -> String {
    note.title
}

// As the README writes them, on one line.
#[rustfmt::skip]
mod short {
    use super::{Note, Responder, get, policy, public, require_claim, require_token};

    #[require_claim(role = "admin")]
    pub(crate) async fn claim() -> impl Responder { "claim" }

    #[require_claim(Note { title } if title.is_empty())]
    pub(crate) async fn pattern() -> impl Responder { "pattern" }

    #[require_token]
    pub(crate) async fn token() -> &'static str { "token" }

    #[public]
    pub(crate) async fn open() -> String { String::new() }

    #[require_token]
    pub(crate) async fn generic<T: Default + Responder + 'static>() -> T { T::default() }

    pub(crate) fn all() {
        drop((get().to(claim), get().to(pattern), get().to(token), get().to(open), get().to(generic::<String>)));
        let _: oauth_runtime::Policy = policy!(role = "admin");
    }
}

#[public]
async fn open(note: Json<Note>) -> String {
    note.into_inner().title
}

const STAFF: Policy = policy!(role = ["editor", "admin"]);

#[require_token]
async fn diverging() -> HttpResponse {
    unimplemented!()
}

fn main() {
    short::all();
    drop((get().to(patterns), get().to(none), get().to(early), get().to(unit), get().to(diverging)));
    drop((get().to(language), get().to(pattern), get().to(open), STAFF));
}
