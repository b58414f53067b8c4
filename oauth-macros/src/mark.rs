//! The mark that a guard leaves in its own arguments when it moves to the end of a stack.
//!
//! A user can write it too. So it only says that the order is right already, and no mark leaves a guard out.

use proc_macro2::{TokenStream, TokenTree};
use syn::{Attribute, Meta};

/// The arguments without the mark of a stack, and whether it was there.
pub(crate) fn take_mark(arguments: TokenStream) -> (TokenStream, bool) {
    let mut tokens = arguments.clone().into_iter();
    match (tokens.next(), tokens.next()) {
        // No policy begins like this.
        (Some(TokenTree::Punct(at)), Some(TokenTree::Ident(word))) if at.as_char() == '@' && word == "stacked" => {
            (tokens.collect(), true)
        }
        _ => (arguments, false),
    }
}

pub(crate) fn is_marked(guard: &Attribute) -> bool {
    matches!(&guard.meta, Meta::List(list) if take_mark(list.tokens.clone()).1)
}
