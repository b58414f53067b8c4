//! What the attributes write. Every path starts at the runtime or at `core`, and no item is left where the handler could
//! see it, so that an attribute works wherever a function can stand.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::ext::IdentExt;
use syn::{Path, ReturnType, Type, parse_quote_spanned};

use crate::check::{Literal, Rule, Test};
use crate::handler::{self, Handler};

/// Puts the guard before the handler's arguments: they become one, which is extracted after the decision.
///
/// The body moves into an async closure, because only there do `return`, `?` and coercions see the return type that
/// its author wrote; an `async` block has no place for one. The closure's parameters are the handler's own.
pub(crate) fn guarded(handler: Handler, rule: &Rule, policy: &str, runtime: Option<&Path>) -> TokenStream {
    // Locals of this span are invisible to the body.
    let here = Span::mixed_site();
    let private = private(runtime);
    let rule = rule_tokens(rule, &private);

    let Handler { attributes, visibility, mut signature, arguments, body } = handler;
    let name = signature.ident.unraw().to_string();
    let answer: Type = match signature.output {
        ReturnType::Default => parse_quote_spanned!(here=> ()),
        ReturnType::Type(_, ty) => *ty,
    };
    let types = arguments.iter().map(|argument| &argument.ty);
    signature.inputs = parse_quote_spanned!(here=> __guarded: #private::Guarded<(#(#types,)*)>);
    signature.output = parse_quote_spanned!(here=> -> ::core::result::Result<#answer, #private::Error>);

    let (inner_answer, _) = handler::infer_impl_traits(answer);
    let parameters = arguments.iter().map(|handler::Argument { attributes, pattern, ty }| {
        quote_spanned!(here=> #(#attributes)* #pattern: #ty)
    });
    let extracted = (0..arguments.len()).map(syn::Index::from);

    quote_spanned! {here=>
        #(#attributes)*
        #visibility #signature {
            let __arguments = __guarded.admit({
                static GUARD: #private::Guard = #private::Guard {
                    rule: #rule,
                    policy: #policy,
                    handler: #name,
                    module: ::core::module_path!(),
                    file: ::core::file!(),
                    line: ::core::line!(),
                };
                &GUARD
            }).await?;
            ::core::result::Result::Ok((async move |#(#parameters),*| -> #inner_answer #body)(#(__arguments.#extracted),*).await)
        }
    }
}

fn private(runtime: Option<&Path>) -> TokenStream {
    let here = Span::mixed_site();
    match runtime {
        Some(path) => quote_spanned!(here=> #path::__private),
        None => quote_spanned!(here=> ::oauth_runtime::__private),
    }
}

fn rule_tokens(rule: &Rule, private: &TokenStream) -> TokenStream {
    let here = Span::mixed_site();
    match rule {
        Rule::Token => quote_spanned!(here=> #private::Rule::Token),
        Rule::All(rules) => {
            let rules = rules.iter().map(|rule| rule_tokens(rule, private));
            quote_spanned!(here=> #private::Rule::All(&[#(#rules),*]))
        }
        Rule::Claim(name, test) => {
            let test = test_tokens(test, private);
            quote_spanned!(here=> #private::Rule::Claim(#name, #test))
        }
        Rule::Scope(tokens) => quote_spanned!(here=> #private::Rule::Scope(&[#(#tokens),*])),
    }
}

fn test_tokens(test: &Test, private: &TokenStream) -> TokenStream {
    let here = Span::mixed_site();
    match test {
        Test::Present => quote_spanned!(here=> #private::Test::Present),
        Test::Equals(literal) => {
            let literal = literal_tokens(literal, private);
            quote_spanned!(here=> #private::Test::Equals(#literal))
        }
        Test::OneOf(literals) => {
            let literals = literals.iter().map(|literal| literal_tokens(literal, private));
            quote_spanned!(here=> #private::Test::OneOf(&[#(#literals),*]))
        }
    }
}

fn literal_tokens(literal: &Literal, private: &TokenStream) -> TokenStream {
    let here = Span::mixed_site();
    match literal {
        Literal::Str(text) => quote_spanned!(here=> #private::Literal::Str(#text)),
        Literal::Int(int) => quote_spanned!(here=> #private::Literal::Int(#int)),
        Literal::Float(float) => quote_spanned!(here=> #private::Literal::Float(#float)),
        Literal::Bool(truth) => quote_spanned!(here=> #private::Literal::Bool(#truth)),
    }
}
