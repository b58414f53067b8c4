//! What `claims!(..)` writes at the root of a crate, for each guard of the crate to find.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;

/// The module that `claims!(..)` writes; the compiler shows its name if there are two.
pub(crate) const AT_THE_ROOT: &str = "__CLAIMS_MACRO_IS_WRITTEN_ONCE_AT_THE_ROOT_OF_THE_CRATE";

/// What `claims!(..)` wrote under this name, or else the fallback. No code of the user may be in this block, where
/// names could change their meaning.
pub(crate) fn found(name: &str, private: &TokenStream) -> TokenStream {
    let here = Span::mixed_site();
    let [name, module] = [name, AT_THE_ROOT].map(|name| Ident::new(name, Span::call_site()));
    quote_spanned! {here=>
        {
            use #private::unbound::#module;
            {
                use crate::*;
                #module::#name
            }
        }
    }
}
