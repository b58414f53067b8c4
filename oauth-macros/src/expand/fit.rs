//! What is compared with the type of the crate's claims: constants that are evaluated while the crate is compiled, and code
//! that is never called.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens as _, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{GenericArgument, Pat, PathArguments, Type, TypePath};

use super::rule::kind_tokens;
use crate::check::variants::{self, Alternatives};
use crate::peek::{first_span, words};
use crate::rule::{Asks, Check};

/// A constant that panics at the first term that does not fit.
pub(super) fn checks(checks: &[Check], private: &TokenStream) -> TokenStream {
    if checks.is_empty() {
        return TokenStream::new();
    }
    let here = Span::mixed_site();
    let checks = checks.iter().map(|Check { asks, first, last }| {
        let (function, asked) = match asks {
            Asks::Term(index) => ("check", quote_spanned!(here=> &__OAUTH_GUARD, #index)),
            Asks::Any(name, kinds) => {
                let kinds = kinds.iter().map(|kind| kind_tokens(kind, private));
                ("check_any", quote_spanned!(here=> &__OAUTH_GUARD.bound, &[#(#name),*], &[#(#kinds),*]))
            }
            Asks::Together(name, kinds, cure) => {
                let kinds = kinds.iter().map(|kind| kind_tokens(kind, private));
                ("check_together", quote_spanned!(here=> &__OAUTH_GUARD.bound, &[#(#name),*], &[#(#kinds),*], #cure))
            }
        };
        // The call is the user's, and reaches from the first token of the term to its last: there the compiler says so.
        let function = Ident::new(function, *first);
        let function = moved(quote_spanned!(here=> #private::#function), *first);
        let mut arguments = Group::new(Delimiter::Parenthesis, quote_spanned!(here=> #asked));
        arguments.set_span(*last);
        quote_spanned!(here=> #function #arguments;)
    });
    quote_spanned! {here=>
        #[allow(long_running_const_eval)]
        const _: () = {
            #(#checks)*
        };
    }
}

/// What the guards of the crate are bound to.
pub(super) fn bound(private: &TokenStream) -> TokenStream {
    found("__OAUTH_CLAIMS", private)
}

/// The same tokens in another place.
pub(super) fn moved(tokens: TokenStream, place: Span) -> TokenStream {
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
pub(super) struct Reads {
    /// In the handler's body, whose type parameters it may speak of.
    pub(super) never_called: TokenStream,
    /// In a constant: a closure for each argument that reads the claims.
    pub(super) told: TokenStream,
}

impl Reads {
    pub(super) fn of(types: &[&Type], private: &TokenStream) -> Self {
        let here = Span::mixed_site();
        // By its name, as it is written everywhere: to compare each type costs the compiler time.
        let reads_claims =
            |ty: &&&Type| words(ty.to_token_stream()).iter().any(|word| word == "Claims") && !reads_parameter(ty);
        let compared: Vec<TokenStream> = types
            .iter()
            .filter(reads_claims)
            .map(|ty| {
                let bound = marker(ty.span(), private);
                quote_spanned!(here=> #private::Extracted::<#ty>::new().is_bound(#bound);)
            })
            .collect();
        let never_called = quote_spanned! {here=>
            let _ = || {
                use #private::OtherExtractor as _;
                #(#compared)*
            };
        };
        let told = types.iter().filter(|ty| reads_known_claims(ty)).map(|ty| {
            quote_spanned! {here=>
                || {
                    use #private::OtherExtractor as _;
                    #private::Extracted::<#ty>::new().claims_type()
                }
            }
        });
        let told = quote_spanned!(here=> #(#told),*);
        Reads { never_called: if compared.is_empty() { TokenStream::new() } else { never_called }, told }
    }
}

/// `Claims<User>`, also within `Option` and `Result`: what is in there. Of the parameters of an `impl` around the handler a
/// constant cannot speak, and a name is all there is to tell them by.
fn claims_read(ty: &Type) -> Option<&Type> {
    let Type::Path(TypePath { path, .. }) = ty else { return None };
    let last = path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    let Some(GenericArgument::Type(first)) = arguments.args.first() else { return None };
    match last.ident.to_string().as_str() {
        "Option" | "Result" => claims_read(first),
        "Claims" => Some(first),
        _ => None,
    }
}

fn reads_known_claims(ty: &Type) -> bool {
    claims_read(ty).is_some() && !reads_parameter(ty)
}

/// `Claims<T>`
fn reads_parameter(ty: &Type) -> bool {
    let looks_like_one = |word: &String| word == "Self" || word.len() < 3 || *word == word.to_uppercase();
    claims_read(ty).is_some_and(|read| words(read.to_token_stream()).iter().any(looks_like_one))
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

pub(super) const CANNOT_FAIL: &str = "a pattern that cannot fail admits everybody: ask something of a field, as in `level: 3..`, or \
                           write `if` and a condition; where any valid token is enough, write `#[require_token]`";
