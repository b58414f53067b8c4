//! Sixty mistakes that teams make when they protect an API (`docs/mistakes.md`): each file here that has a number is a
//! program with one line that is wrong and, above it, `// right:` and the line as it should be. The one is caught where its
//! file says, with the text that it says, and the other is not. Only that line differs, so that it is what is caught.
//!
//! What the compiler is to refuse are modules of crates that it is called for here. What is caught later runs here, and
//! the build script writes how.

#![allow(clippy::unwrap_used, reason = "not production code")]
#![allow(unused, missing_docs, unreachable_pub, reason = "the programs are as teams write them")]

include!("application.rs");

#[path = "../src/compiler.rs"]
mod compiler;
#[path = "judge.rs"]
mod judge;
#[path = "../src/log.rs"]
mod log;
#[path = "../src/pages.rs"]
mod pages;
#[path = "program.rs"]
mod program;
#[path = "run.rs"]
mod run;

// Modules `right` and `wrong`, and `PROGRAMS`, a row for each program that runs.
include!(concat!(env!("OUT_DIR"), "/mistakes.rs"));
