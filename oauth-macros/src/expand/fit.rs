//! What is compared with the type of the crate's claims: constants that are evaluated while the crate is compiled, and code
//! that is never called.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Signature, Type};

use super::rule_tokens;
use crate::rule::{Asks, Check};

/// A constant for each term, which panics at its place where it does not fit.
pub(super) fn checks(checks: &[Check], private: &TokenStream) -> TokenStream {
    if checks.is_empty() {
        return TokenStream::new();
    }
    let here = Span::mixed_site();
    let bound = found("__OAUTH_CLAIMS", private);
    let checks = checks.iter().map(|Check { asks, first, last }| {
        let (function, asked) = match asks {
            Asks::Term(rule) => ("check", rule_tokens(rule, private)),
            Asks::Both(name) => ("check_both", quote_spanned!(here=> [#(#name),*])),
        };
        // The call is the user's, and reaches from the first token of the term to its last: there the compiler says so.
        let function = Ident::new(function, *first);
        let function = quote_spanned!(*first=> #private::#function);
        let function = function.into_iter().map(|mut token| {
            token.set_span(*first);
            token
        });
        let mut arguments = Group::new(Delimiter::Parenthesis, quote_spanned!(here=> &__OAUTH_BOUND, &#asked));
        arguments.set_span(*last);
        quote_spanned!(here=> const _: () = #(#function)* #arguments;)
    });
    quote_spanned! {here=>
        const _: () = {
            const __OAUTH_BOUND: #private::Bound = #bound;
            #(#checks)*
        };
    }
}

/// A value of the type by which the compiler knows what the crate's claims are.
pub(super) fn marker(private: &TokenStream) -> TokenStream {
    found("__OAuthClaims", private)
}

/// What `claims!(..)` wrote at the root of the crate, or else what stands in its place. Nothing of the user's may stand in this
/// block, where each name could be another.
fn found(name: &str, private: &TokenStream) -> TokenStream {
    let here = Span::mixed_site();
    let name = Ident::new(name, Span::call_site());
    quote_spanned! {here=>
        {
            use #private::unbound::*;
            {
                use crate::*;
                #name
            }
        }
    }
}

/// Each argument that reads the claims reads them as what they are. Never called.
pub(super) fn arguments(types: &[&Type], private: &TokenStream) -> TokenStream {
    if types.is_empty() {
        return TokenStream::new();
    }
    let here = Span::mixed_site();
    let bound = marker(private);
    let each = types.iter().map(|ty| {
        let at = ty.span().resolved_at(here);
        quote_spanned!(at=> #private::Extracted::<#ty>::new().is_bound(#bound);)
    });
    quote_spanned! {here=>
        let _ = || {
            use #private::OtherExtractor as _;
            #(#each)*
        };
    }
}

/// What the arguments read the claims as, for the builder; none of a handler with parameters of its own, which a constant
/// cannot speak of.
pub(super) fn claims(types: &[&Type], signature: &Signature, private: &TokenStream) -> TokenStream {
    let here = Span::mixed_site();
    if !signature.generics.params.is_empty() || types.iter().any(|ty| mentions_self(ty.to_token_stream())) {
        return TokenStream::new();
    }
    quote_spanned! {here=>
        #(|| {
            use #private::OtherExtractor as _;
            #private::Extracted::<#types>::new().claims_type()
        }),*
    }
}

fn mentions_self(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(word) => word == "Self",
        TokenTree::Group(group) => mentions_self(group.stream()),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}
