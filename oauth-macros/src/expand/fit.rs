//! The comparison with the type of the crate's claims: constants that are evaluated at compile time, and code that is
//! never called.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens as _, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{GenericArgument, Generics, Pat, PathArguments, Type, TypePath};

use super::rule::kind_tokens;
use crate::check::variants::{self, Alternatives};
use crate::found::found;
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
            Asks::Absent(name) => ("check_absent", quote_spanned!(here=> &__OAUTH_GUARD.bound, &[#(#name),*])),
            Asks::Any(name, kinds) => {
                let kinds = kinds.iter().map(|kind| kind_tokens(kind, private));
                ("check_any", quote_spanned!(here=> &__OAUTH_GUARD.bound, &[#(#name),*], &[#(#kinds),*]))
            }
            Asks::Together(name, kinds, cure) => {
                let kinds = kinds.iter().map(|kind| kind_tokens(kind, private));
                ("check_together", quote_spanned!(here=> &__OAUTH_GUARD.bound, &[#(#name),*], &[#(#kinds),*], #cure))
            }
        };
        // The call has the user's span, from the first token of the term to its last: the compiler reports errors
        // there.
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
    // One group with the user's span, for the compiler's messages.
    moved(found("__OAuthClaims", private), at)
}

/// The types as which the arguments read the claims: compared with those of the crate, and passed to the builder.
pub(super) struct Reads {
    /// In the handler's body, whose type parameters it may use.
    pub(super) never_called: TokenStream,
    /// In a constant: a closure for each argument that reads the claims.
    pub(super) told: TokenStream,
}

impl Reads {
    pub(super) fn of(types: &[&Type], generics: &Generics, private: &TokenStream) -> Self {
        let here = Span::mixed_site();
        let leaves = || types.iter().flat_map(|ty| extractors(ty)).filter(|ty| !reads_parameter(ty, generics));
        let compared: Vec<TokenStream> = leaves()
            .filter(|ty| may_read_claims(ty))
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
        // An alias may be a type parameter, which a constant cannot use.
        let told = leaves().filter(|ty| claims_read(ty).is_some()).map(|ty| {
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

/// The extractors in this type: those of a tuple, an `Option`, a `Result` or an `Either`.
fn extractors(ty: &Type) -> Vec<&Type> {
    match ty {
        Type::Tuple(tuple) => tuple.elems.iter().flat_map(extractors).collect(),
        Type::Paren(inner) => extractors(&inner.elem),
        Type::Group(inner) => extractors(&inner.elem),
        _ => match named(ty) {
            Some((name, inner)) if ["Option", "Result", "Either"].contains(&name.as_str()) && !inner.is_empty() => {
                inner.into_iter().flat_map(extractors).collect()
            }
            _ => vec![ty],
        },
    }
}

/// The name of a type, and its type arguments.
fn named(ty: &Type) -> Option<(String, Vec<&Type>)> {
    let Type::Path(TypePath { path, .. }) = ty else { return None };
    let last = path.segments.last()?;
    let inner = match &last.arguments {
        PathArguments::AngleBracketed(arguments) => arguments.args.iter().filter_map(|argument| match argument {
            GenericArgument::Type(ty) => Some(ty),
            _ => None,
        }),
        PathArguments::None | PathArguments::Parenthesized(_) => return Some((last.ident.to_string(), Vec::new())),
    };
    Some((last.ident.to_string(), inner.collect()))
}

/// `Claims<User>`, or a possible alias. Comparing a type costs the compiler time, so common extractors are listed.
fn may_read_claims(ty: &Type) -> bool {
    const OTHERS: [&str; 11] = [
        "AccessToken",
        "Bytes",
        "Data",
        "Form",
        "Guarded",
        "HttpRequest",
        "Json",
        "OAuthService",
        "Path",
        "Query",
        "String",
    ];
    named(ty).is_some_and(|(name, _)| !OTHERS.contains(&name.as_str()))
}

/// The type in `Claims<User>`.
fn claims_read(ty: &Type) -> Option<&Type> {
    named(ty).filter(|(name, _)| name == "Claims").and_then(|(_, inner)| inner.first().copied())
}

/// `Claims<T>`: a constant cannot use the handler's parameters, nor those of an `impl` around it, which can only be
/// recognized by their names.
fn reads_parameter(ty: &Type, generics: &Generics) -> bool {
    let of_handler: Vec<String> = generics.type_params().map(|parameter| parameter.ident.to_string()).collect();
    // A module may have a short name, too: `db::User`.
    let looks_like_one = |word: &String| {
        let is_short = word.len() < 3 || *word == word.to_uppercase();
        word == "Self" || of_handler.contains(word) || (is_short && word.starts_with(char::is_uppercase))
    };
    claims_read(ty).is_some_and(|read| words(read.to_token_stream()).iter().any(looks_like_one))
}

/// An error if alternatives cover every variant of an enum, as listed by `#[derive(Claims)]`.
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

pub(super) const CANNOT_FAIL: &str = "a pattern that cannot fail admits everyone: test a field, as in `level: 3..`, or \
                           write `if` and a condition; if any valid token is enough, write `#[require_token]`";
