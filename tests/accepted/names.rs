//! A claim's name is any word, Rust's own included, or any text in quotes.
#![deny(warnings)]

use actix_web::web;
use oauth_runtime::require_claim;

#[require_claim("https://example.com/role" = "admin")]
async fn name_0() -> &'static str {
    "name_0"
}

#[require_claim("https://example.com/role")]
async fn name_1() -> &'static str {
    "name_1"
}

#[require_claim("all" = 1)]
async fn name_2() -> &'static str {
    "name_2"
}

#[require_claim("scope" = "read")]
async fn name_3() -> &'static str {
    "name_3"
}

#[require_claim("crate")]
async fn name_4() -> &'static str {
    "name_4"
}

#[require_claim(r#type = "person")]
async fn name_5() -> &'static str {
    "name_5"
}

#[require_claim(type = "person", match, r#struct)]
async fn name_6() -> &'static str {
    "name_6"
}

#[require_claim(async = true, fn = [1, 2], Self)]
async fn name_7() -> &'static str {
    "name_7"
}

pub(crate) fn main() {
    let _ = web::get().to(name_0);
    let _ = web::get().to(name_1);
    let _ = web::get().to(name_2);
    let _ = web::get().to(name_3);
    let _ = web::get().to(name_4);
    let _ = web::get().to(name_5);
    let _ = web::get().to(name_6);
    let _ = web::get().to(name_7);
}
