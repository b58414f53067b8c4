//! A policy as an author may write it, given to the functions behind the macros.
#![allow(dead_code, unused_imports)]

include!(concat!(env!("OUT_DIR"), "/root.rs"));

use proc_macro2::TokenStream;

/// Whatever stands in an attribute or in `policy!(..)`, what comes back is Rust, and says what is wrong by `compile_error!`
/// rather than by a panic. A handler is written as it was where the policy is good.
pub fn policy(text: &str) {
    let Ok(policy) = text.parse::<TokenStream>() else { return };
    let written = attribute::policy(policy.clone());
    syn::parse2::<syn::Expr>(written.clone()).unwrap_or_else(|why| panic!("{why} in {written}"));
    let handler: TokenStream =
        "#[get(\"/notes/{owner}\")] async fn notes(page: Page) -> String { page.run() }".parse().unwrap();
    let guarded = attribute::guard(guard::Kind::Claim, policy, handler);
    let file: syn::File = syn::parse2(guarded.clone()).unwrap_or_else(|why| panic!("{why} in {guarded}"));
    assert!(!file.items.is_empty());
    assert!(guarded.to_string().contains("page . run ()"), "the handler's own body: {guarded}");
}
