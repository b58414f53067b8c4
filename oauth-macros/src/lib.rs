//! The attributes of `oauth-runtime`.
#![forbid(unsafe_code)]

mod check;
mod expand;
mod handler;
mod policy;

use proc_macro2::TokenStream;
use syn::{Path, Result};

use check::Rule;
use handler::Handler;
use policy::{Mistakes, NoPolicy, Policy};

/// Guards a handler by the claims of its token.
#[proc_macro_attribute]
pub fn require_claim(policy: proc_macro::TokenStream, handler: proc_macro::TokenStream) -> proc_macro::TokenStream {
    guard(Kind::Claim, policy.into(), handler.into()).into()
}

/// Guards a handler by a valid token, whatever its claims.
#[proc_macro_attribute]
pub fn require_token(arguments: proc_macro::TokenStream, handler: proc_macro::TokenStream) -> proc_macro::TokenStream {
    guard(Kind::Token, arguments.into(), handler.into()).into()
}

/// The handler, guarded; or what is wrong, and the handler as it was, so that nothing else about it is reported.
fn guard(kind: Kind, arguments: TokenStream, item: TokenStream) -> TokenStream {
    let policy = arguments.to_string();
    let mut mistakes = Mistakes::default();
    let rule = kind.read(arguments).map_err(|mistake| mistakes.add(mistake));
    let handler = syn::parse2::<Handler>(item.clone()).map_err(|mistake| mistakes.add(mistake));
    match (mistakes.or(()), rule, handler) {
        (Ok(()), Ok((runtime, rule)), Ok(handler)) => expand::guarded(handler, &rule, &policy, runtime.as_ref()),
        (mistakes, ..) => {
            let mut tokens = mistakes.map_or_else(|mistakes| mistakes.to_compile_error(), |()| TokenStream::new());
            tokens.extend(item);
            tokens
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Claim,
    Token,
}

impl Kind {
    fn read(self, arguments: TokenStream) -> Result<(Option<Path>, Rule)> {
        match self {
            Kind::Claim => {
                let policy: Policy = syn::parse2(arguments)?;
                let rule = check::rule(&policy)?;
                Ok((policy.runtime, rule))
            }
            Kind::Token => Ok((syn::parse2::<NoPolicy>(arguments)?.runtime, Rule::Token)),
        }
    }
}
