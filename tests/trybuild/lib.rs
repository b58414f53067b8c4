//! The test is `compile.rs` beside this file.
