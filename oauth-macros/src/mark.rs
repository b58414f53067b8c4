//! The marks that one guard leaves in the arguments of another, which is expanded after it.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::quote_spanned;
use syn::{Attribute, Meta};

/// The arguments without the mark of a stack, and whether it was there.
pub(crate) fn take_mark(arguments: TokenStream) -> (TokenStream, bool) {
    match mark(&arguments).as_deref() {
        Some("stacked") => (arguments.into_iter().skip(2).collect(), true),
        Some(_) | None => (arguments, false),
    }
}

/// The arguments of a guard that does nothing, below one that is refused.
pub(crate) fn silenced() -> TokenStream {
    let here = Span::mixed_site();
    quote_spanned!(here=> @silenced)
}

pub(crate) fn is_silenced(arguments: &TokenStream) -> bool {
    mark(arguments).as_deref() == Some("silenced")
}

/// No policy begins so.
fn mark(arguments: &TokenStream) -> Option<String> {
    let mut tokens = arguments.clone().into_iter();
    match (tokens.next(), tokens.next()) {
        (Some(TokenTree::Punct(at)), Some(TokenTree::Ident(word))) if at.as_char() == '@' => Some(word.to_string()),
        _ => None,
    }
}

pub(crate) fn is_marked(guard: &Attribute) -> bool {
    matches!(&guard.meta, Meta::List(list) if take_mark(list.tokens.clone()).1)
}
