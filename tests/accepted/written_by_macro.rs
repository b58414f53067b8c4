//! A handler that another macro writes, with parts from its caller.
#![deny(warnings)]

use actix_web::web;
use oauth_runtime::{require_claim, require_token};

macro_rules! handler {
    ($name:ident, $claim:ident = $value:literal, $level:literal, $argument:pat => $ty:ty, $answer:ty, $body:expr) => {
        #[require_token]
        #[require_claim($claim = $value, level = [$level, 7], "other" = $level)]
        async fn $name($argument: $ty) -> $answer {
            $body
        }
    };
}

handler!(one, role = "admin", -3, _ => web::Json<String>, String, TEXT.to_owned());
handler!(other, kind = true, 2.5, _ => actix_web::HttpRequest, &'static str, {
    if GUARD.is_empty() {
        return "none";
    }
    GUARD
});

macro_rules! with_body {
    ($name:ident, $body:block) => {
        #[require_claim(role = "admin")]
        async fn $name() -> &'static str $body
    };
}

with_body!(whole, { TEXT });

const TEXT: &str = "text";
const GUARD: &str = "the caller's";

pub(crate) fn main() {
    let _ = web::get().to(one);
    let _ = web::get().to(other);
    let _ = web::get().to(whole);
}
