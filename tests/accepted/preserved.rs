//! Docs, visibility, lints and other attributes stay with the handler.
#![deny(warnings, missing_docs, unreachable_pub)]

use actix_web::{HttpRequest, web};
use oauth_runtime::{require_claim, require_token};

/// What others may call.
pub mod handlers {
    use super::*;

    /// Documented, as `missing_docs` demands.
    #[require_claim(role = "admin")]
    #[doc(alias = "get")]
    #[must_use]
    #[inline]
    pub async fn documented() -> &'static str {
        "documented"
    }

    #[require_claim(role = "admin")]
    #[allow(missing_docs, unused_variables, clippy::needless_pass_by_value)]
    pub async fn allowed(request: HttpRequest) -> &'static str {
        let unused = 3;
        "allowed"
    }

    #[allow(unused_variables)]
    #[require_token]
    pub(crate) async fn allowed_above(request: HttpRequest) -> &'static str {
        "allowed above"
    }

    #[require_token]
    pub(super) async fn allowed_inside(request: HttpRequest) -> &'static str {
        #![allow(unused_variables)]
        "allowed inside"
    }

    #[deprecated]
    #[require_token]
    pub(super) async fn deprecated() -> &'static str {
        "deprecated"
    }
}

#[cfg(any())]
#[require_token]
async fn left_out() -> Unknown {}

#[cfg_attr(all(), require_token)]
#[cfg_attr(all(), doc = "x")]
async fn conditional(#[cfg_attr(all(), allow(unused_variables))] request: HttpRequest) -> &'static str {
    "conditional"
}

#[allow(deprecated)]
pub(crate) fn main() {
    let _ = web::get().to(handlers::documented);
    let _ = web::get().to(handlers::allowed);
    let _ = web::get().to(handlers::allowed_above);
    let _ = web::get().to(handlers::allowed_inside);
    let _ = web::get().to(handlers::deprecated);
    let _ = web::get().to(conditional);
}
