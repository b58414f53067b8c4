//! What the attributes write. Every path starts at the runtime or at `core`, and no item is left where the handler could
//! see it, so that an attribute works wherever a function can stand.

mod fit;
mod rule;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Index, Pat, ReturnType, Signature, Type, parse_quote_spanned};

use crate::check::pattern::{has_alternatives, values_as_paths};
use crate::guard::{Guard, Kind, Requirement};
use crate::handler::Handler;
use crate::handler::argument::{Argument, infer_impl_traits};
use crate::handler::route::Route;
use crate::peek::first_span;
use crate::rule::Rule;
use crate::syntax::Pattern;
use fit::CANNOT_FAIL;
use rule::rule_tokens;

/// Puts the guard before the handler's arguments: they become one, which is extracted after the decision.
///
/// The body moves into an async block, so that its `return` and `?` end the body and not what stands around it. A block
/// has no place for a return type, and the compiler does not look at an async closure's until the body is checked: a
/// `return` that never happens states it first, so that coercions and error messages are those of the handler alone.
pub(crate) fn guarded(handler: Handler, guard: &Guard) -> TokenStream {
    // Locals of this span are invisible to the body.
    let here = Span::mixed_site();
    let runtime = guard.runtime_path();
    let private = quote_spanned!(here=> #runtime::__private);
    let routes = handler.routes();
    let Handler { attributes, visibility, mut signature, arguments, body, .. } = handler;

    let types: Vec<&Type> = arguments.iter().map(|argument| &argument.ty).collect();
    let reads = fit::Reads::of(&types, &private);
    let output: Type = match signature.output {
        ReturnType::Default => parse_quote_spanned!(here=> ()),
        ReturnType::Type(_, ty) => *ty,
    };
    let stated = state_return_type(&output);
    signature.inputs = parse_quote_spanned!(here=> __oauth_guarded: #private::Guarded<(#(#types,)*)>);
    signature.output = parse_quote_spanned!(here=> -> #private::Answer<#output>);
    let is_private = !matches!(guard.requirement, Requirement::Rule(Rule::Public));

    let data = guard_tokens(guard, &signature, &routes, &reads.told, &private);
    let never_called = reads.never_called;
    // One span for all of it, that of the arguments: when one of them is no extractor, there the compiler says so, once.
    let at_arguments = signature.paren_token.span.join().resolved_at(here);
    let admitted = quote_spanned!(at_arguments=> __oauth_guarded.admit(#data).await);
    // Without their types, which would have the compiler report one mistake in them twice.
    let bindings = arguments.iter().enumerate().map(|(index, Argument { attributes, pattern, .. })| {
        let index = Index::from(index);
        quote_spanned!(here=> #(#attributes)* let #pattern = __oauth_arguments.#index;)
    });

    quote_spanned! {here=>
        #(#attributes)*
        // A request is of one thread, and so is what holds it.
        #[allow(clippy::future_not_send)]
        #visibility #signature {
            #never_called
            let __oauth_arguments = match #admitted {
                ::core::result::Result::Ok(__oauth_arguments) => __oauth_arguments,
                ::core::result::Result::Err(__oauth_refusal) => {
                    return #private::Answer::refused(__oauth_refusal, #is_private);
                }
            };
            // A handler may return a future, as that of a response's builder.
            #[allow(clippy::async_yields_async)]
            let __oauth_answer = async move {
                #stated
                #(#bindings)*
                #body
            }
            .await;
            #private::Answer::given(__oauth_answer, #is_private)
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

/// A `return` that never happens, for its type. `Option` is the shortest way to a value of any type that no lint minds.
fn state_return_type(output: &Type) -> TokenStream {
    let here = Span::mixed_site();
    // Where the compiler says why it expects this type.
    let at_output = output.span().resolved_at(here);
    let (inferred, _) = infer_impl_traits(output.clone());
    let returned = quote_spanned!(at_output=> __oauth_answer);
    quote_spanned! {here=>
        if let ::core::option::Option::Some(#returned) = ::core::option::Option::None::<#inferred> {
            return #returned;
        }
    }
}

/// The guard as a constant that registers itself, in a block of its own where the body cannot see it.
fn guard_tokens(
    guard: &Guard,
    signature: &Signature,
    routes: &[Route],
    claims: &TokenStream,
    private: &TokenStream,
) -> TokenStream {
    let here = Span::mixed_site();
    let name = signature.ident.unraw().to_string();
    // A macro may write several handlers of one name, and then their names stand apart.
    let handler = Named { name: Some(name), at: signature.ident.span() };
    let registered = registered(guard, &handler, routes, claims, private);
    quote_spanned!(here=> { #registered &__OAUTH_GUARD })
}

/// `policy!(..)`
pub(crate) fn policy(guard: &Guard) -> TokenStream {
    let here = Span::mixed_site();
    let runtime = guard.runtime_path();
    let unnamed = Named { name: None, at: Span::call_site() };
    let private = quote_spanned!(here=> #runtime::__private);
    let registered = registered(guard, &unnamed, &[], &TokenStream::new(), &private);
    quote_spanned!(here=> { #registered #runtime::Policy(&__OAUTH_GUARD) })
}

/// An error in place of a policy, with one that rejects every request, so that nothing else is reported.
pub(crate) fn refused_policy(mistake: &syn::Error) -> TokenStream {
    let here = Span::mixed_site();
    let mistake = mistake.to_compile_error();
    let policy = policy(&Guard::reject_all());
    quote_spanned!(here=> { #mistake #policy })
}

/// The handler, or a `policy!(..)`, which has no name.
struct Named {
    name: Option<String>,
    at: Span,
}

fn registered(
    guard: &Guard,
    handler: &Named,
    routes: &[Route],
    claims: &TokenStream,
    private: &TokenStream,
) -> TokenStream {
    let here = Span::mixed_site();
    let name = match &handler.name {
        Some(name) => quote_spanned!(here=> ::core::option::Option::Some(#name)),
        None => quote_spanned!(here=> ::core::option::Option::None),
    };
    // Not of this attribute's expansion, which is at another place for each guard of a handler.
    let named_at = quote_spanned!(handler.at=> (::core::line!(), ::core::column!()));
    let policy = &guard.policy;
    let checks = fit::checks(&guard.checks, private);
    let (bound, is_dynamic) = (fit::bound(private), guard.is_dynamic);
    let rule = match &guard.requirement {
        Requirement::Rule(rule) => rule_tokens(rule, private),
        Requirement::Pattern(pattern) => typed_tokens(pattern, policy, private),
    };
    let routes = routes.iter().map(|Route { methods, pattern, name }| {
        let name = name.as_ref().or(handler.name.as_ref());
        quote_spanned!(here=> #private::Route { methods: &[#(#methods),*], pattern: #pattern, name: #name })
    });
    let parameters = guard.parameters.iter().map(|parameter| &parameter.name);
    quote_spanned! {here=>
        #checks
        static __OAUTH_GUARD: #private::Guard = #private::Guard {
            rule: #rule,
            parameters: &[#(#parameters),*],
            policy: #policy,
            handler: #name,
            routes: &[#(#routes),*],
            claims: &[#claims],
            bound: #bound,
            is_dynamic: #is_dynamic,
            module: ::core::module_path!(),
            place: || #private::place_of(|| ()),
            named_at: #named_at,
            file: ::core::file!(),
            line: ::core::line!(),
        };
        #private::inventory::submit! { #private::Registered(&__OAUTH_GUARD) }
    }
}

/// The type that the pattern is of is for the compiler to find: only it knows what `a::B` is.
fn typed_tokens(Pattern { pattern, condition }: &Pattern, text: &str, private: &TokenStream) -> TokenStream {
    let here = Span::mixed_site();
    let can_fail = condition.is_none().then(|| can_fail_tokens(pattern, private));
    let alternatives = fit::alternatives(pattern, private);
    let condition = condition.as_ref().map(|condition| quote_spanned!(here=> if #condition));
    let written = first_span(pattern);
    let otherwise = if has_alternatives(pattern) {
        // Not of this macro, or the lint would not be heard.
        quote_spanned!(written=> #[deny(unreachable_patterns, reason = #CANNOT_FAIL)] _)
    } else {
        quote_spanned!(here=> _)
    };
    let pattern = values_as_paths(pattern);
    // Where the compiler says that this type is not read from claims.
    let bound = fit::marker(written, private);
    let closure = quote_spanned! {written.resolved_at(here)=>
        |__oauth_question| __oauth_question.ask_bound(#bound, |__oauth_claims: &_| match __oauth_claims {
            #[deny(unused_comparisons)]
            #pattern #condition => true,
            #otherwise => false,
        })
    };
    quote_spanned! {here=>
        #private::Rule::Typed(#private::Typed {
            pattern: #text,
            answer: { #can_fail #alternatives #closure },
        })
    }
}

/// An error where the pattern cannot fail, also where lints are not heard: in a dependency, and in what another crate's
/// macro wrote. What follows the pattern is then unreachable, and the compiler leaves it out of the future. It does not see
/// that alternatives name every variant: there the lint has to do.
fn can_fail_tokens(pattern: &Pat, private: &TokenStream) -> TokenStream {
    let written = first_span(pattern);
    let at = written.resolved_at(Span::mixed_site());
    let pattern = values_as_paths(pattern);
    let checked = quote_spanned! {at=>
        &|__oauth_claims: &'static _| async move {
            match __oauth_claims {
                #pattern => {}
                _ => #private::Kept::new().await,
            }
        }
    };
    // Where the compiler says so.
    let function = fit::moved(quote_spanned!(at=> #private::can_fail), written);
    let checked = quote_spanned!(written=> #function(#CANNOT_FAIL, #checked));
    quote_spanned!(at=> const _: () = #checked;)
}
