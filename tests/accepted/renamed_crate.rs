//! The runtime under another name, or behind another crate's re-export.
#![deny(warnings)]

extern crate oauth_runtime as renamed;

use actix_web::web;
use renamed::{require_claim, require_token};

/// What another crate re-exports.
pub mod reexport {
    pub use oauth_runtime::*;
    pub use oauth_runtime::__private;
}

#[require_claim(crate = "renamed", role = "admin")]
async fn first() -> &'static str {
    "first"
}

#[require_claim(role = "admin", crate = "crate::renamed_crate::reexport")]
#[require_token(crate = "::oauth_runtime")]
async fn last() -> &'static str {
    "last"
}

#[require_token(crate = "renamed")]
#[require_claim(role = "admin", crate = "renamed",)]
async fn both() -> &'static str {
    "both"
}

pub(crate) fn main() {
    let _ = web::get().to(first);
    let _ = web::get().to(last);
    let _ = web::get().to(both);
}
