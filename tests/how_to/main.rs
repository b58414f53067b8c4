//! Pages of the guide that say how to do a thing: what they show is read from them, and run.
#![allow(clippy::unwrap_used)]

mod container;
mod deployed;
mod proxies;
mod sizes;
mod unit;
