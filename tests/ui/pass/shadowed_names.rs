//! Nothing that the attribute writes depends on a name around the handler, and nothing it writes can be seen there.
#![deny(warnings)]
#![allow(non_camel_case_types, dead_code)]

use actix_web::HttpRequest;
use actix_web::web::get;
use oauth_runtime::require_claim;

mod core {}
mod std {}
mod oauth_runtime_ {}
mod __private {}

struct Result;
struct Option;
struct Rule;
struct Guard;
struct Guarded;
struct Error;
enum Shadow {
    Some,
    Ok,
    None,
}
use Shadow::{None, Ok, Some};

static GUARD: &str = "the author's own";

#[require_claim(role = "admin")]
async fn shadowed(__guarded: HttpRequest, __arguments: HttpRequest, __answer: HttpRequest) -> &'static str {
    let _ = (__guarded, __arguments, __answer, Some, Ok, None);
    GUARD
}

#[require_claim(role = "admin")]
async fn r#move() -> &'static str {
    GUARD
}

pub(crate) fn main() {
    let _ = get().to(shadowed);
    let _ = get().to(r#move);
}
