//! What the attributes write. Every path starts at the runtime or at `core`, and no item is left where the handler could
//! see it, so that an attribute works wherever a function can stand.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::ext::IdentExt;
use syn::{Attribute, Meta, ReturnType, Type, parse_quote_spanned};

use crate::check::{Literal, Rule, Test};
use crate::handler::{self, Handler};
use crate::{Guard, Kind};

/// Puts the guard before the handler's arguments: they become one, which is extracted after the decision.
///
/// The body moves into an async closure, because only there do `return`, `?` and coercions see the return type that
/// its author wrote; an `async` block has no place for one. The closure's parameters are the handler's own.
pub(crate) fn guarded(handler: Handler, guard: &Guard) -> TokenStream {
    // Locals of this span are invisible to the body.
    let here = Span::mixed_site();
    let runtime = guard.runtime_path();
    let private = quote_spanned!(here=> #runtime::__private);
    let rule = rule_tokens(&guard.rule, &private);
    let policy = &guard.policy;

    let Handler { attributes, visibility, mut signature, arguments, body } = handler;
    let name = signature.ident.unraw().to_string();
    // In a block of its own, where the body cannot see it.
    let data = quote_spanned! {here=>
        static GUARD: #private::Guard = #private::Guard {
            rule: #rule,
            policy: #policy,
            handler: #name,
            module: ::core::module_path!(),
            file: ::core::file!(),
            line: ::core::line!(),
        };
        &GUARD
    };
    let answer: Type = match signature.output {
        ReturnType::Default => parse_quote_spanned!(here=> ()),
        ReturnType::Type(_, ty) => *ty,
    };
    let types = arguments.iter().map(|argument| &argument.ty);
    signature.inputs = parse_quote_spanned!(here=> __guarded: #private::Guarded<(#(#types,)*)>);
    // One span for all of it, that of the arguments: when one of them is no extractor, there the compiler says so, once.
    let at_arguments = signature.paren_token.span.join().resolved_at(here);
    let admitted = quote_spanned!(at_arguments=> __guarded.admit({ #data }).await?);
    signature.output = parse_quote_spanned!(here=> -> ::core::result::Result<#answer, #private::Error>);

    let (inner_answer, _) = handler::infer_impl_traits(answer);
    let parameters = arguments
        .iter()
        .map(|handler::Argument { attributes, pattern, ty }| quote_spanned!(here=> #(#attributes)* #pattern: #ty));
    let extracted = (0..arguments.len()).map(syn::Index::from);

    quote_spanned! {here=>
        #(#attributes)*
        #visibility #signature {
            let __arguments = #admitted;
            ::core::result::Result::Ok((async move |#(#parameters),*| -> #inner_answer #body)(#(__arguments.#extracted),*).await)
        }
    }
}

/// Guards that are stacked, in the order that makes them decide from the top down.
///
/// The compiler expands from the top, and each attribute stands before what it finds: the last one decides first. So
/// the topmost turns the stack round and goes last itself, marked so that this happens once. They gather above
/// whatever else is on the handler.
pub(crate) fn stacked(kind: Kind, arguments: &TokenStream, mut handler: Handler, guard: &Guard) -> TokenStream {
    let here = Span::mixed_site();
    let runtime = guard.runtime_path();
    let below = handler.take_guards().into_iter().rev();
    let name = Ident::new(kind.name(), here);
    let Handler { attributes, visibility, signature, body, .. } = handler;
    quote_spanned! {here=>
        #(#below)*
        #[#runtime::#name(@stacked #arguments)]
        #(#attributes)*
        #visibility #signature #body
    }
}

/// The arguments without the mark of [`stacked`], and whether it was there.
pub(crate) fn take_mark(arguments: TokenStream) -> (TokenStream, bool) {
    let mut tokens = arguments.clone().into_iter();
    match (tokens.next(), tokens.next()) {
        (Some(TokenTree::Punct(at)), Some(TokenTree::Ident(word))) if at.as_char() == '@' && word == "stacked" => {
            (tokens.collect(), true)
        }
        _ => (arguments, false),
    }
}

pub(crate) fn is_marked(guard: &Attribute) -> bool {
    matches!(&guard.meta, Meta::List(list) if take_mark(list.tokens.clone()).1)
}

impl Guard {
    fn runtime_path(&self) -> TokenStream {
        let here = Span::mixed_site();
        self.runtime.as_ref().map_or_else(|| quote_spanned!(here=> ::oauth_runtime), ToTokens::to_token_stream)
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
