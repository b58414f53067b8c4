//! How cargo called the compiler, for a test that calls it once more with the same libraries.

use std::env;

use proc_macro::TokenStream;

/// The command line of the compiler that compiles the caller, program first: a `&[&str]`.
///
/// A macro runs inside the compiler. Nothing else knows which files of the target directory cargo chose.
#[proc_macro]
pub fn rustc_command(_: TokenStream) -> TokenStream {
    let program = env::current_exe().map(|path| path.display().to_string());
    let words = program.into_iter().chain(env::args().skip(1));
    let list: String = words.map(|word| format!("{word:?},")).collect();
    format!("&[{list}]").parse().unwrap_or_default()
}
