//! What a person goes through, from the authorization request to the code.

pub(crate) mod asked;
pub(crate) mod attempt;
pub(crate) mod begin;
pub(crate) mod browser;
pub(crate) mod consent;
pub(crate) mod cookie;
pub(crate) mod cross_site;
pub(crate) mod device;
pub(crate) mod finish;
pub(crate) mod for_device;
pub(crate) mod for_page;
pub(crate) mod form;
pub(crate) mod language;
pub(crate) mod own_pages;
pub(crate) mod page;
pub(crate) mod pending;
pub(crate) mod pushed;
pub(crate) mod redirect;
pub(crate) mod request;
pub(crate) mod room;
pub(crate) mod session;

#[cfg(test)]
mod tests;
