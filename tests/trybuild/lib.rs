//! The test is `tests/by_trybuild.rs` beside this file.
