//! What a person goes through, from the authorization request to the code.

pub(crate) mod browser;
pub(crate) mod cookie;
pub(crate) mod finish;
pub(crate) mod language;
pub(crate) mod pending;
pub(crate) mod session;
