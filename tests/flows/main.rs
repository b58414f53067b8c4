//! The authorization code grant and its guards, over the wire.
#![allow(clippy::unwrap_used)]

mod account;
mod asked;
mod broken_store;
mod browsers;
mod ceilings;
mod clients;
mod clocks;
mod cross_site;
mod devices;
mod forms;
mod given;
mod grants;
mod guards;
mod guessing;
mod hardening;
mod keys;
mod metadata;
mod oauth2_crate;
mod one_time;
mod openid;
mod pages;
mod policies;
mod readers;
mod refresh;
mod resource_server;
mod resources;
mod revocation;
mod second_factor;
mod secrets;
mod sessions;
mod setup;
mod sign_in;
mod sign_out;
mod waits;
mod whole;
