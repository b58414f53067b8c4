//! The type of an application's claims: `#[derive(Claims)]`, which describes how it looks in a token, and
//! `claims!(..)`, which binds the guards of a crate to it.

mod bind;
mod case;
mod serde;
mod shape;

pub(crate) use bind::claims;
pub(crate) use shape::derive;
