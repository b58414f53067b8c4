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

#[derive(serde::Deserialize)]
struct User {
    level: u8,
    claims: u8,
    question: u8,
}

/// actix-web's attribute makes each of these a struct without fields, which no binding of that name may shadow; and so are
/// constants and statics.
macro_rules! handlers {
    ($($name:ident)*) => {
        mod routed {
            use actix_web::get;
            use oauth_runtime::{require_claim, require_token};

            use super::User;

            $(
                #[require_token]
                #[require_claim(User { level: 3.., .. })]
                #[require_claim(User { level, .. } if *level > 3)]
                #[get("/")]
                pub(super) async fn $name(_: actix_web::HttpRequest) -> &'static str {
                    stringify!($name)
                }
            )*
        }

        mod constants {
            use oauth_runtime::require_claim;

            use super::User;

            $(
                #[allow(non_upper_case_globals)]
                const $name: u8 = 7;
            )*

            #[require_claim(User { level: 3.., .. })]
            #[require_claim(User { level, .. } if *level > claims)]
            pub(super) async fn handler(_: actix_web::HttpRequest) -> String {
                (0_usize $(+ usize::from($name))*).to_string()
            }
        }

        fn services(app: &mut actix_web::web::ServiceConfig) {
            app$(.service(routed::$name))*.route("/constants", get().to(constants::handler));
        }
    };
}

handlers! {
    claims question answer arguments guarded guard rule handler_ token request payload admit private verdict result
    __guarded __arguments __answer __claims __question error output inventory policy core
}

/// Macros of the author's by the names of the standard library's.
mod macros {
    #![allow(unused_macros)]
    macro_rules! assert {
        ($($tokens:tt)*) => {
            compile_error!("not the author's")
        };
    }
    macro_rules! line {
        () => {
            compile_error!("not the author's")
        };
    }
    macro_rules! module_path {
        () => {
            compile_error!("not the author's")
        };
    }

    #[oauth_runtime::require_claim(super::User { claims: 1.., question: 2.., .. })]
    pub(super) async fn handler() -> &'static str {
        "macros"
    }
}

pub(crate) fn main() {
    let _ = get().to(shadowed);
    let _ = get().to(r#move);
    let _ = get().to(macros::handler);
    let _ = actix_web::App::new().configure(services);
}
