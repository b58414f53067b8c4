//! Type and constant parameters, bounds and where clauses.
#![deny(warnings)]

use std::fmt::Display;

use actix_web::web::{self, Json, Query};
use actix_web::{FromRequest, Responder};
use oauth_runtime::{Claims, require_claim};
use serde::de::DeserializeOwned;

#[require_claim(role = "admin")]
async fn generic<T: Display + DeserializeOwned, const N: usize>(Json(value): Json<T>) -> impl Responder
where
    T: 'static,
{
    let nested = |value: &T| format!("{value}{N}");
    nested(&value)
}

#[require_claim(role = "admin")]
async fn extractor<E>(_extracted: E, _query: Query<Vec<(String, String)>>) -> Result<String, E::Error>
where
    E: FromRequest + 'static,
{
    Ok(std::any::type_name::<E>().to_owned())
}

/// A constant could not use this parameter, which the guard knows by its place and not by its length.
#[require_claim(role = "admin")]
async fn claims<Account: DeserializeOwned + 'static>(_claims: Claims<Account>) -> impl Responder {
    std::any::type_name::<Account>()
}

pub(crate) fn main() {
    let _ = web::get().to(claims::<serde_json::Value>);
    let _ = web::get().to(generic::<String, 3>);
    let _ = web::get().to(extractor::<actix_web::HttpRequest>);
}
