//! Pages of the guide that say how to do a thing: what they show is read from them, and run.
#![allow(clippy::unwrap_used)]

mod both_sides;
mod client_mobile;
mod client_server;
mod client_spa;
mod container;
mod deployed;
mod migrating;
mod proxies;
mod shown;
mod site;
mod sizes;
mod terminal;
mod unit;
