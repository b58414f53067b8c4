//! What is compared with the type of the crate's claims: constants that are evaluated while the crate is compiled, and code
//! that is never called.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Pat, Signature, Type};

use super::{CANNOT_FAIL, first_span, rule_tokens};
use crate::check::variants::{self, Alternatives};
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
            Asks::Both(name, either) => ("check_both", quote_spanned!(here=> [#(#name),*], #either)),
        };
        // The call is the user's, and reaches from the first token of the term to its last: there the compiler says so.
        let function = Ident::new(function, *first);
        let function = moved(quote_spanned!(here=> #private::#function), *first);
        let mut arguments = Group::new(Delimiter::Parenthesis, quote_spanned!(here=> &__OAUTH_BOUND, &#asked));
        arguments.set_span(*last);
        quote_spanned!(here=> const _: () = #function #arguments;)
    });
    quote_spanned! {here=>
        const _: () = {
            const __OAUTH_BOUND: #private::Bound = #bound;
            #(#checks)*
        };
    }
}

/// The same tokens in another place.
fn moved(tokens: TokenStream, place: Span) -> TokenStream {
    let tokens = tokens.into_iter().map(|mut token| {
        token.set_span(place);
        token
    });
    tokens.collect()
}

/// A value of the type by which the compiler knows what the crate's claims are.
pub(super) fn marker(at: Span, private: &TokenStream) -> TokenStream {
    // One group, which is the user's own for what the compiler says of it.
    moved(found("__OAuthClaims", private), at)
}

/// What `claims!(..)` wrote at the root of the crate, or else what stands in its place. Nothing of the user's may stand in this
/// block, where each name could be another.
fn found(name: &str, private: &TokenStream) -> TokenStream {
    let here = Span::mixed_site();
    let name = Ident::new(name, Span::call_site());
    quote_spanned! {here=>
        {
            use #private::unbound::#name;
            {
                use crate::*;
                #name
            }
        }
    }
}

/// What the arguments read the claims as: compared with what the crate's claims are, and told to the builder.
#[derive(Default)]
pub(super) struct Reads {
    /// A closure for each argument.
    pub(super) told: TokenStream,
    /// In place of them where the handler has parameters of its own, of which a constant cannot speak.
    pub(super) never_called: TokenStream,
}

impl Reads {
    pub(super) fn of(types: &[&Type], signature: &Signature, private: &TokenStream) -> Self {
        let here = Span::mixed_site();
        let each: Vec<TokenStream> = types
            .iter()
            .map(|ty| {
                let bound = marker(ty.span(), private);
                quote_spanned! {here=>
                    || {
                        use #private::OtherExtractor as _;
                        let __oauth_extracted = #private::Extracted::<#ty>::new();
                        __oauth_extracted.is_bound(#bound);
                        __oauth_extracted.claims_type()
                    }
                }
            })
            .collect();
        let is_generic = !signature.generics.params.is_empty();
        if is_generic || types.iter().any(|ty| mentions_self(ty.to_token_stream())) {
            return Reads { never_called: quote_spanned!(here=> #(let _ = #each;)*), told: TokenStream::new() };
        }
        Reads { told: quote_spanned!(here=> #(#each),*), never_called: TokenStream::new() }
    }
}

fn mentions_self(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(word) => word == "Self",
        TokenTree::Group(group) => mentions_self(group.stream()),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// An error where alternatives name every variant of an enum of which `#[derive(Claims)]` lists them.
pub(super) fn alternatives(pattern: &Pat, private: &TokenStream) -> TokenStream {
    let here = Span::mixed_site();
    let each = variants::alternatives(pattern).into_iter().map(|Alternatives { of, written }| {
        let others = Ident::new("__oauth_others", here);
        let function = moved(quote_spanned!(here=> #private::names_some), first_span(&written));
        let checked = quote_spanned!(first_span(&written)=> #function(#others, #CANNOT_FAIL));
        quote_spanned! {here=>
            const _: () = {
                use #private::NotListed as _;
                let __oauth_all = #private::Probe::<#of>::ALL;
                let mut __oauth_index = 0;
                let mut #others = __oauth_all.is_empty();
                while __oauth_index < __oauth_all.len() {
                    #others |= match __oauth_all[__oauth_index] {
                        #written => false,
                        #[allow(unreachable_patterns)]
                        _ => true,
                    };
                    __oauth_index += 1;
                }
                #checked
            };
        }
    });
    each.collect()
}
