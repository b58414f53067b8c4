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
use policy::{NoPolicy, Policy};

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
    let (arguments, ordered) = expand::take_mark(arguments);
    match (kind.read(arguments.clone()), syn::parse2::<Handler>(item.clone())) {
        (Ok(policy), Ok(handler)) if ordered || !handler.is_stacked() => expand::guarded(handler, &policy),
        (Ok(policy), Ok(handler)) => expand::stacked(kind, &arguments, handler, &policy),
        (Err(mistake), Ok(_)) => refused(&mistake, item),
        (Ok(_), Err(mistake)) => refused(&mistake, handler::without_guards(item)),
        (Err(mut mistake), Err(other)) => {
            mistake.combine(other);
            refused(&mistake, handler::without_guards(item))
        }
    }
}

/// An error is never without effect: the handler that follows it does not compile into anything.
fn refused(mistake: &syn::Error, item: TokenStream) -> TokenStream {
    let mut tokens = mistake.to_compile_error();
    tokens.extend(item);
    tokens
}

#[derive(Clone, Copy)]
enum Kind {
    Claim,
    Token,
}

/// What one attribute demands.
struct Guard {
    rule: Rule,
    /// As written.
    policy: String,
    runtime: Option<Path>,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Claim => "require_claim",
            Kind::Token => "require_token",
        }
    }

    fn read(self, arguments: TokenStream) -> Result<Guard> {
        let policy = arguments.to_string();
        match self {
            Kind::Claim => {
                let syntax: Policy = syn::parse2(arguments)?;
                let rule = check::rule(&syntax)?;
                Ok(Guard { rule, policy, runtime: syntax.runtime })
            }
            Kind::Token => {
                let NoPolicy { runtime } = syn::parse2(arguments)?;
                Ok(Guard { rule: Rule::Token, policy, runtime })
            }
        }
    }
}
