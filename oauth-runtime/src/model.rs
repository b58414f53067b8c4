//! What the protocol speaks of: parsed once, then trusted. Knows no actix.

pub(crate) mod scope;

pub use scope::{InvalidScope, Scope};
