//! The stores, each on the real thing: the contract, and what files, disks, servers and other processes do to demands 11, 42
//! and 47. And that the contract finds each store that breaks it.

mod linearizable;
mod memory;
mod postgres;
mod redis;
mod servers;
mod sqlite;
mod wrong_stores;
