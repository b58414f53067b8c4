//! `return`, `?` and coercions do in the body what they do without a guard.
#![deny(warnings)]

use std::error::Error;

use actix_web::web::{self, Bytes, Query};
use actix_web::{Either, HttpResponse, Responder};
use oauth_runtime::require_claim;

#[derive(serde::Deserialize)]
struct Level {
    level: String,
}

#[require_claim(role = "admin")]
async fn early(query: Query<Level>) -> HttpResponse {
    if query.level.is_empty() {
        return HttpResponse::BadRequest().finish();
    }
    HttpResponse::Ok().finish()
}

#[require_claim(role = "admin")]
async fn question_mark(query: Query<Level>) -> Result<String, Box<dyn Error>> {
    let level: u8 = query.level.parse()?;
    let Some(next) = level.checked_add(1) else { return Err("too high".into()) };
    let exact: f64 = query.level.parse()?;
    if exact < 0.0 {
        return Err(Box::new(std::fmt::Error));
    }
    Ok(next.to_string())
}

#[require_claim(role = "admin")]
async fn unsized_slices(bytes: Bytes) -> &'static [u8] {
    if bytes.is_empty() {
        return b"empty";
    }
    if bytes.len() > 9 {
        return b"long";
    }
    b"some"
}

#[require_claim(role = "admin")]
async fn boxed() -> Result<HttpResponse, Box<dyn Error>> {
    let failure: Result<HttpResponse, Box<std::fmt::Error>> = Err(Box::new(std::fmt::Error));
    Ok(failure?)
}

#[require_claim(role = "admin")]
async fn hidden(bytes: Bytes) -> Result<impl Responder, actix_web::Error> {
    if bytes.is_empty() {
        return Err(actix_web::error::ErrorBadRequest("empty"));
    }
    Ok(bytes)
}

#[require_claim(role = "admin")]
async fn hidden_early(bytes: Bytes) -> impl Responder {
    if bytes.is_empty() {
        return Either::Left("empty");
    }
    Either::Right(HttpResponse::Ok().body(bytes))
}

#[require_claim(role = "admin")]
async fn nothing() -> Result<(), actix_web::Error> {
    Ok(())
}

#[require_claim(role = "admin")]
async fn borrowing(query: Query<Level>, bytes: Bytes) -> String {
    let level = &query.level;
    std::future::ready(()).await;
    let bytes = [&bytes[..], level.as_bytes()].concat();
    let count = async { bytes.len() }.await;
    let text: Result<String, std::num::ParseIntError> = async move { Ok(level.parse::<u8>()?.to_string()) }.await;
    let sum = 'sum: {
        if count == 0 {
            break 'sum 0;
        }
        count
    };
    text.unwrap_or_default() + &sum.to_string()
}

#[require_claim(role = "admin")]
async fn not_yet() -> HttpResponse {
    todo!()
}

pub(crate) fn main() {
    let _ = web::get().to(early);
    let _ = web::get().to(question_mark);
    let _ = web::get().to(unsized_slices);
    let _ = web::get().to(boxed);
    let _ = web::get().to(hidden);
    let _ = web::get().to(hidden_early);
    let _ = web::get().to(nothing);
    let _ = web::get().to(not_yet);
    let _ = web::get().to(borrowing);
}
