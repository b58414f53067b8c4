//! Neither the compiler nor clippy complains of what the attributes write: everything that they know is denied here.
//! `cargo test` compiles it with the one, `cargo clippy --all-targets` with both.
#![deny(warnings, clippy::all, clippy::pedantic, clippy::nursery, clippy::cargo)]
// Those that the compiler allows, but for what is a matter of taste in the program itself.
#![deny(
    absolute_paths_not_starting_with_crate,
    ambiguous_negative_literals,
    closure_returning_async_block,
    deprecated_in_future,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    ffi_unwind_calls,
    future_incompatible,
    if_let_rescope,
    impl_trait_redundant_captures,
    keyword_idents,
    let_underscore_drop,
    macro_use_extern_crate,
    meta_variable_misuse,
    missing_abi,
    missing_copy_implementations,
    missing_debug_implementations,
    missing_docs,
    missing_unsafe_on_extern,
    non_ascii_idents,
    redundant_imports,
    redundant_lifetimes,
    rust_2018_idioms,
    rust_2021_compatibility,
    rust_2024_compatibility,
    single_use_lifetimes,
    tail_expr_drop_order,
    trivial_casts,
    trivial_numeric_casts,
    unit_bindings,
    unnameable_types,
    unreachable_pub,
    unsafe_code,
    unused,
    unused_crate_dependencies,
    unused_extern_crates,
    unused_import_braces,
    unused_lifetimes,
    unused_macro_rules,
    unused_qualifications,
    unused_results,
    variant_size_differences
)]
#![allow(clippy::cargo, clippy::redundant_pub_crate, unused_crate_dependencies)]

use actix_web::web::{self, Bytes, Json, Query, get};
use actix_web::{HttpRequest, HttpResponse, Responder};
use oauth_runtime::{Claims, Policy, policy, public, require_claim, require_token};

#[derive(serde::Deserialize)]
struct Note {
    title: String,
    level: u8,
    kind: Kind,
}

#[derive(serde::Deserialize)]
enum Kind {
    Plain,
    Rich,
    Deep { level: i32 },
}

#[require_claim(role = "admin", level = [3, 1_000_000, -4.5], active, scope = "read write")]
async fn arguments(mut query: Query<Note>, Json(body): Json<Note>, _: Bytes, _request: HttpRequest) -> String {
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

#[require_claim(any(sub = dyn path.owner, all(level > 3, not(suspended))), a.b != 1, fresh = "5m", acr = "x")]
async fn language() -> impl Responder {
    HttpResponse::NoContent()
}

#[require_claim(Note { title, .. } if title.starts_with('a'))]
async fn condition(Claims(note): Claims<Note>) -> String {
    note.title
}

#[require_claim(Note { kind: Kind::Plain | Kind::Deep { level: -3..=3 }, level: 3.., .. })]
async fn pattern(Claims(note): Claims<Note>) -> String {
    if matches!(note.kind, Kind::Rich) { note.title } else { note.level.to_string() }
}

#[require_claim(note @ Note { level: 1 | 3, .. } if !note.title.is_empty() && matches!(note.kind, Kind::Rich))]
#[require_claim(Note { level, .. } if { let twice = u16::from(*level) * 2; twice > 7 })]
async fn patterns() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token]
async fn generic<T, const N: usize>(argument: web::Path<T>) -> Result<String, actix_web::Error>
where
    T: serde::de::DeserializeOwned + std::fmt::Display + 'static,
{
    Ok(format!("{N} {argument}"))
}

#[require_token]
async fn awaiting(bytes: Bytes) -> HttpResponse {
    let later = std::future::ready(bytes);
    HttpResponse::Ok().body(later.await)
}

struct Handlers;

impl Handlers {
    #[require_claim(role = "admin")]
    async fn associated(bytes: Bytes) -> Bytes {
        bytes
    }
}

// As the README writes them, on one line.
#[rustfmt::skip]
mod short {
    use super::{Note, Responder, get, policy, public, require_claim, require_token};

    #[require_claim(role = "admin")]
    pub(crate) async fn claim() -> impl Responder { "claim" }

    #[require_claim(role = "admin")]
    pub(crate) async fn echo(bytes: actix_web::web::Bytes) -> impl Responder { bytes }

    #[require_claim(Note { title, .. } if title.is_empty())]
    pub(crate) async fn condition() -> impl Responder { "condition" }

    #[require_claim(Note { level: 3.., .. })]
    pub(crate) async fn pattern() -> impl Responder { "pattern" }

    #[require_token]
    pub(crate) async fn token() -> &'static str { "token" }

    #[public]
    pub(crate) async fn open() -> String { String::new() }

    #[require_token]
    pub(crate) async fn block() -> String { { let text = String::from("block"); text + "s" } }

    #[require_token]
    pub(crate) async fn generic<T: Default + Responder + 'static>() -> T { T::default() }

    #[actix_web::get("/routed")]
    #[require_claim(role = "admin")]
    pub(crate) async fn below() -> impl Responder { "below" }

    #[require_claim(role = "admin")]
    #[actix_web::get("/routed")]
    pub(crate) async fn routed() -> impl Responder { "routed" }

    pub(crate) fn all() {
        drop((get().to(claim), get().to(pattern), get().to(token), get().to(open), get().to(generic::<String>)));
        drop((get().to(echo), get().to(condition), get().to(block)));
        drop(actix_web::App::new().service(routed).service(below));
        let _: oauth_runtime::Policy = policy!(role = "admin");
    }
}

#[public]
async fn open(note: Json<Note>) -> String {
    note.into_inner().title
}

const STAFF: Policy = policy!(role = ["editor", "admin"]);
const RICH: Policy = policy!(Note { kind: Kind::Rich, .. });

#[require_token]
async fn diverging() -> HttpResponse {
    unimplemented!()
}

fn main() {
    short::all();
    drop((get().to(arguments), get().to(none), get().to(early), get().to(unit), get().to(diverging)));
    drop((get().to(language), get().to(condition), get().to(pattern), get().to(patterns), get().to(open)));
    drop((get().to(generic::<String, 3>), get().to(awaiting), get().to(Handlers::associated), STAFF, RICH));
}
