//! The guards in front of handlers: a request is decided before anything else of it is touched.

pub(crate) mod answer;
pub(crate) mod around;
pub(crate) mod bearer;
pub(crate) mod cache;
pub(crate) mod closed;
pub(crate) mod decide;
pub(crate) mod extract;
pub(crate) mod extracted;
pub(crate) mod forged;
mod found;
pub(crate) mod map;
pub(crate) mod near;
pub(crate) mod on_page;
pub(crate) mod own;
pub(crate) mod possession;
#[cfg(feature = "testing")]
pub(crate) mod probe;
pub(crate) mod proofs;
pub(crate) mod protection;
pub(crate) mod refusal;
pub(crate) mod require;
#[cfg(feature = "resource-server")]
pub(crate) mod resource_server;
pub(crate) mod watch;
