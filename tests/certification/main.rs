//! The modules of the OpenID Foundation's conformance suite, restated one by one from their descriptions: Basic OP, Config OP
//! and RP-Initiated Logout OP. A test has the name of its module. docs/certification.md lists them with the result of each.
#![allow(clippy::unwrap_used)]

mod basic;
mod config;
mod logout;
mod party;
