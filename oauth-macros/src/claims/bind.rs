//! `claims!(User)`: the guards of this crate are checked against the type.

use std::sync::atomic::{AtomicUsize, Ordering};

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{Error, LitStr, Path, Result, Token, Type, parse_quote, token};

use super::shape::last_word;
use crate::found::AT_THE_ROOT;
use crate::peek::is_raw;
use crate::syntax::{ACR, SCOPE};

/// Numbers the names that an expansion writes, so that two expansions share only one name.
static NEXT: AtomicUsize = AtomicUsize::new(0);

pub(crate) fn claims(arguments: TokenStream) -> TokenStream {
    match syn::parse2::<Binding>(arguments) {
        Ok(binding) => binding.tokens(),
        Err(mistake) => mistake.to_compile_error(),
    }
}

/// `User, Robot, scope = ["read"], acr = ["mfa"]`
#[derive(Default)]
struct Binding {
    types: Vec<Type>,
    scopes: Option<Vec<LitStr>>,
    acr: Option<Vec<LitStr>>,
    runtime: Option<Path>,
}

impl Parse for Binding {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut binding = Binding::default();
        while !input.is_empty() {
            if input.peek2(Token![=]) {
                binding.option(input)?;
            } else {
                binding.types.push(no_type(input).map_or_else(|| input.parse(), Err)?);
            }
            if !input.is_empty() && input.parse::<Token![,]>().is_err() {
                return Err(input.error(format!("a comma is missing here, as in `{EXAMPLE}`")));
            }
        }
        if binding.types.is_empty() {
            return Err(Error::new(
                Span::call_site(),
                "no type is named: write that of the claims, as in `claims!(User)`",
            ));
        }
        Ok(binding)
    }
}

const EXAMPLE: &str = "claims!(User, scope = [\"read\"])";

/// What is written in place of a type.
fn no_type(input: ParseStream<'_>) -> Option<Error> {
    let is_option = input.peek(syn::Ident) && input.peek2(Token![:]) && !input.peek2(Token![::]);
    let message = if let Ok(text) = input.fork().parse::<LitStr>() {
        format!("a type stands here without quotes: write `claims!({})`", text.value())
    } else if input.peek(Token![struct]) || input.peek(Token![enum]) || input.peek(Token![type]) {
        "the type stands elsewhere, and is named here: write `claims!(User)`".to_owned()
    } else if is_option {
        let word = input.fork().parse::<Ident>().map_or_else(|_| SCOPE.to_owned(), |word| word.to_string());
        format!("`{word}` is followed by `=`: write it as in `{EXAMPLE}`")
    } else {
        return None;
    };
    Some(input.error(message))
}

impl Binding {
    fn option(&mut self, input: ParseStream<'_>) -> Result<()> {
        if input.peek(Token![crate]) {
            input.parse::<Token![crate]>()?;
            input.parse::<Token![=]>()?;
            self.runtime = Some(input.parse::<LitStr>()?.parse_with(Path::parse_mod_style)?);
            return Ok(());
        }
        let word: Ident = input.parse()?;
        input.parse::<Token![=]>()?;
        let option = match word.to_string().as_str() {
            SCOPE => &mut self.scopes,
            ACR => &mut self.acr,
            other => {
                return Err(Error::new(
                    word.span(),
                    format!(
                        "unknown `{other}`: after the types come `scope = [\"read\", \"write\"]` and `acr = [\"mfa\"]`"
                    ),
                ));
            }
        };
        if !input.peek(token::Bracket) {
            let one = input.fork().parse::<LitStr>().map_or_else(|_| "read".to_owned(), |text| text.value());
            return Err(input.error(format!("`{word}` is a list: write `{word} = [{one:?}]`")));
        }
        let content;
        syn::bracketed!(content in input);
        let texts = Punctuated::<LitStr, Token![,]>::parse_terminated(&content)?;
        // As in a guard, a comma is part of a name that is written `r"a,b"`.
        let is_several = |text: &&LitStr| text.value().contains(' ') || (text.value().contains(',') && !is_raw(text));
        if let Some(text) = texts.iter().find(|text| text.value().is_empty() || is_several(text)) {
            return Err(Error::new(text.span(), "each string has one name: write several as a list"));
        }
        if option.replace(texts.into_iter().collect()).is_some() {
            return Err(Error::new(word.span(), format!("`{word}` is given twice: leave one out")));
        }
        Ok(())
    }

    fn tokens(&self) -> TokenStream {
        let here = Span::mixed_site();
        let runtime = self.runtime.clone().unwrap_or_else(|| parse_quote!(::oauth_runtime));
        let private = quote_spanned!(here=> #runtime::__private);
        let types = &self.types;
        let checked = types.iter().map(|ty| {
            let at = ty.span();
            let checked = quote_spanned!(at=> check_claims(
                ::core::stringify!(#ty),
                &<#ty as #runtime::rule::Shaped>::SHAPE,
                #private::Probe::<#ty>::IS_ISSUED
            ));
            quote_spanned! {here=>
                const _: () = {
                    use #private::{NotIssued as _, check_claims};
                    #checked
                };
            }
        });
        let list = |texts: &Option<Vec<LitStr>>| match texts {
            Some(texts) => quote_spanned!(here=> ::core::option::Option::Some(&[#(#texts),*])),
            None => quote_spanned!(here=> ::core::option::Option::None),
        };
        let (scopes, acr) = (list(&self.scopes), list(&self.acr));
        // Each guard of the crate finds it by the names in the module, wherever the guard is. If this macro is written
        // twice, only the module is a duplicate: that is one error, and its name explains it.
        let once = Ident::new(AT_THE_ROOT, Span::call_site());
        let of_this = NEXT.fetch_add(1, Ordering::Relaxed);
        let [marker, bound] = ["__OAuthClaims", "__CLAIMS_MACRO_BELONGS_OUTSIDE_OF_FUNCTIONS_"]
            .map(|name| Ident::new(&format!("{name}{of_this}"), Span::call_site()));
        // A type that is named here has its own impl.
        let is_named = |word: &str| types.iter().any(|ty| last_word(ty).is_some_and(|last| last == word));
        let json = [("Value", "Json"), ("Map", "JsonObject"), ("HashMap", "JsonMap"), ("BTreeMap", "JsonTree")];
        let json = json.iter().filter(|(word, _)| !is_named(word)).map(|(_, name)| Ident::new(name, here));
        quote_spanned! {here=>
            #[doc(hidden)]
            #[allow(dead_code, non_camel_case_types)]
            pub(crate) struct #marker;
            #[doc(hidden)]
            #[allow(dead_code)]
            pub(crate) const #bound: #private::Bound = #private::Bound {
                types: &[#(#private::BoundType {
                    shape: <#types as #runtime::rule::Shaped>::SHAPE,
                    is_issued: {
                        use #private::NotIssued as _;
                        #private::Probe::<#types>::IS_ISSUED
                    },
                    named: || (::core::any::TypeId::of::<#types>(), ::core::any::type_name::<#types>()),
                }),*],
                scopes: #scopes,
                acr: #acr,
            };
            #[doc(hidden)]
            #[allow(non_snake_case, unused_imports)]
            pub(crate) mod #once {
                pub(crate) use super::{#bound as __OAUTH_CLAIMS, #marker as __OAuthClaims};
            }
            // Elsewhere no guard would find it, and nothing would be checked.
            const _: () = #private::at_root(::core::module_path!());
            #(#checked)*
            #(impl #private::Binds<#types> for #marker {})*
            // Claims that are read as JSON fit any type.
            #(impl #private::Binds<#private::#json> for #marker {})*
            #private::inventory::submit! { #private::Binding(&#bound) }
        }
    }
}
