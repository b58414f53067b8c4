//! Every kind of value and term.
#![deny(warnings)]

use actix_web::web;
use oauth_runtime::require_claim;

#[require_claim(text = "")]
async fn value_0() -> &'static str {
    "value_0"
}

#[require_claim(text = "a\n\"b\" \u{e4}", raw = r#"a"b"#)]
async fn value_1() -> &'static str {
    "value_1"
}

#[require_claim(number = 3)]
async fn value_2() -> &'static str {
    "value_2"
}

#[require_claim(number = -3, largest = 18_446_744_073_709_551_615, smallest = -9_223_372_036_854_775_808)]
async fn value_3() -> &'static str {
    "value_3"
}

#[require_claim(hexadecimal = 0xFF, binary = 0b1, octal = 0o7)]
async fn value_4() -> &'static str {
    "value_4"
}

#[require_claim(number = 1.5, other = -2.5e-3, large = 1.7e308)]
async fn value_5() -> &'static str {
    "value_5"
}

#[require_claim(truth = true, lie = false)]
async fn value_6() -> &'static str {
    "value_6"
}

#[require_claim(role = ["admin"])]
async fn value_7() -> &'static str {
    "value_7"
}

#[require_claim(level = [1, 2.5, -3, "four", true],)]
async fn value_8() -> &'static str {
    "value_8"
}

#[require_claim(present, also_present)]
async fn value_9() -> &'static str {
    "value_9"
}

#[require_claim(scope = "read")]
async fn value_10() -> &'static str {
    "value_10"
}

#[require_claim(scope = "read write https://example.com/scope",)]
async fn value_11() -> &'static str {
    "value_11"
}

#[require_claim(role = "admin", level = [3, 4], active, scope = "read write", "https://example.com/role" = "x")]
async fn value_12() -> &'static str {
    "value_12"
}

pub(crate) fn main() {
    let _ = web::get().to(value_0);
    let _ = web::get().to(value_1);
    let _ = web::get().to(value_2);
    let _ = web::get().to(value_3);
    let _ = web::get().to(value_4);
    let _ = web::get().to(value_5);
    let _ = web::get().to(value_6);
    let _ = web::get().to(value_7);
    let _ = web::get().to(value_8);
    let _ = web::get().to(value_9);
    let _ = web::get().to(value_10);
    let _ = web::get().to(value_11);
    let _ = web::get().to(value_12);
}
