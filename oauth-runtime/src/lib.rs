//! The OAuth 2.1 authorization server that an actix-web application embeds.
#![forbid(unsafe_code)]

mod guard;
mod model;
pub mod pages;
pub mod policy;

pub use model::{InvalidScope, Scope};
pub use oauth_macros::{require_claim, require_token};

/// What the macros write; not for use by hand, and not covered by semantic versioning.
#[doc(hidden)]
pub mod __private {
    pub use actix_web::Error;

    pub use crate::guard::{Guard, Guarded};
    pub use crate::policy::{Literal, Rule, Test};
}
