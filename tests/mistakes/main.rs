//! Sixty mistakes that teams make when they protect an API (`docs/mistakes.md`): each file beside this one is a module of
//! this crate, with one line that is wrong and, above it, `// right:` and the line as it should be. They speak of one
//! type of claims, which `application.rs` binds; they are compiled once the library has it.

include!("application.rs");
