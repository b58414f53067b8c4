//! What `claims!(..)` writes at the root of a crate, as what each guard of the crate finds.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;

/// The module that `claims!(..)` writes; the compiler shows its name where there are two.
pub(crate) const AT_THE_ROOT: &str = "__CLAIMS_MACRO_IS_WRITTEN_ONCE_AT_THE_ROOT_OF_THE_CRATE";

/// What `claims!(..)` wrote under this name, or else what stands in its place. Nothing of the user's may stand in this block,
/// where each name could be another.
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
