//! What the attributes write. Every path starts at the runtime or at `core`, and no item is visible to the handler, so
//! that an attribute works wherever a function can be.

mod fit;
mod rule;

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
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

/// Puts the guard in front of the handler's arguments: they become one argument, which is extracted after the decision.
///
/// The body moves into an async block, so that its `return` and `?` end only the body. A block cannot have a return
/// type, and the compiler does not use an async closure's until the body is checked: so an unreachable `return` states
/// it first, which keeps coercions and error messages as in the handler itself.
pub(crate) fn guarded(handler: Handler, guard: &Guard) -> TokenStream {
    // Locals with this span are invisible to the body.
    let here = Span::mixed_site();
    let runtime = guard.runtime_path();
    let private = quote_spanned!(here=> #runtime::__private);
    let routes = handler.routes();
    let Handler { attributes, visibility, mut signature, arguments, body, .. } = handler;

    let types: Vec<&Type> = arguments.iter().map(|argument| &argument.ty).collect();
    let reads = fit::Reads::of(&types, &signature.generics, &private);
    let output: Type = match signature.output {
        ReturnType::Default => parse_quote_spanned!(here=> ()),
        ReturnType::Type(_, ty) => *ty,
    };
    let is_private = !matches!(guard.requirement, Requirement::Rule(Rule::Public));
    let stated = state_return_type(&output);
    // The compiler says here that an answer is no `Responder`.
    let at_output = output.span().resolved_at(here);
    let refused = quote_spanned!(at_output=> return #private::Answer::refused(__oauth_refusal, #is_private););
    let given = quote_spanned!(at_output=> #private::Answer::given(__oauth_answer, #is_private));
    signature.inputs = parse_quote_spanned!(here=> __oauth_guarded: #private::Guarded<(#(#types,)*)>);
    let answer = quote_spanned!(at_output=> #private::Answer);
    // A crate of the author's naming that is not there is reported where they name it.
    let answer = if guard.runtime.is_none() { fit::moved(answer, at_output) } else { answer };
    signature.output = parse_quote_spanned!(at_output=> -> #answer<#output>);

    let data = guard_tokens(guard, &signature, &routes, &reads.told, &private);
    let never_called = reads.never_called;
    // All of it has the span of the arguments: if one of them is not an extractor, the compiler reports it there, once.
    let at_arguments = signature.paren_token.span.join().resolved_at(here);
    let admitted = quote_spanned!(at_arguments=> __oauth_guarded.admit(#data).await);
    // Without their types, in which the compiler would report a mistake twice.
    let bindings = arguments.iter().enumerate().map(|(index, Argument { attributes, pattern, .. })| {
        let index = Index::from(index);
        quote_spanned!(here=> #(#attributes)* let #pattern = __oauth_arguments.#index;)
    });

    let block = quote_spanned! {here=>
        #never_called
        let __oauth_arguments = match #admitted {
            ::core::result::Result::Ok(__oauth_arguments) => __oauth_arguments,
            ::core::result::Result::Err(__oauth_refusal) => {
                #refused
            }
        };
        // A handler may return a future, such as a response's builder.
        #[allow(clippy::async_yields_async)]
        let __oauth_answer = async move {
            #stated
            #(#bindings)*
            #body
        }
        .await;
        #given
    };
    let mut block = Group::new(Delimiter::Brace, block);
    block.set_span(at_output);
    quote_spanned! {here=>
        #(#attributes)*
        // A request belongs to one thread, and so does the future that holds it.
        #[allow(clippy::future_not_send)]
        #visibility #signature #block
    }
}

/// Stacked guards, in the order that makes them decide from the top down.
///
/// The compiler expands from the top, and each attribute wraps what it finds, so the last one decides first. So the
/// topmost reverses the stack and goes last itself, marked so that this happens once. All of them move above any other
/// attributes of the handler.
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

/// An unreachable `return`, for its type. `Option` is the shortest way to a value of any type without a lint.
fn state_return_type(output: &Type) -> TokenStream {
    let here = Span::mixed_site();
    // The compiler explains here why it expects this type.
    let at_output = output.span().resolved_at(here);
    let (inferred, _) = infer_impl_traits(output.clone());
    let returned = quote_spanned!(at_output=> __oauth_answer);
    quote_spanned! {here=>
        if let ::core::option::Option::Some(#returned) = ::core::option::Option::None::<#inferred> {
            return #returned;
        }
    }
}

/// The guard as a constant that registers itself, in a block that the body cannot see.
fn guard_tokens(
    guard: &Guard,
    signature: &Signature,
    routes: &[Route],
    claims: &TokenStream,
    private: &TokenStream,
) -> TokenStream {
    let here = Span::mixed_site();
    let name = signature.ident.unraw().to_string();
    // A macro may write several handlers with one name; then the places of their names differ.
    let handler = Named { name: Some(name), of_route: Some(signature.ident.to_string()), at: signature.ident.span() };
    let registered = registered(guard, &handler, routes, claims, private);
    quote_spanned!(here=> { #registered &__OAUTH_GUARD })
}

/// `policy!(..)`
pub(crate) fn policy(guard: &Guard) -> TokenStream {
    let here = Span::mixed_site();
    let runtime = guard.runtime_path();
    let unnamed = Named { name: None, of_route: None, at: Span::call_site() };
    let private = quote_spanned!(here=> #runtime::__private);
    let registered = registered(guard, &unnamed, &[], &TokenStream::new(), &private);
    quote_spanned!(here=> { #registered #runtime::Policy(&__OAUTH_GUARD) })
}

/// An error in place of a policy, and a policy that rejects every request, so that nothing else is reported.
pub(crate) fn refused_policy(mistake: &syn::Error) -> TokenStream {
    let here = Span::mixed_site();
    let mistake = mistake.to_compile_error();
    let policy = policy(&Guard::reject_all());
    quote_spanned!(here=> { #mistake #policy })
}

/// The handler, or a `policy!(..)`, which has no name.
struct Named {
    name: Option<String>,
    /// As actix-web names the resource: `r#type` keeps its mark.
    of_route: Option<String>,
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
    // Not the place of this attribute's expansion, which differs for each guard of a handler.
    let named_at = quote_spanned!(handler.at=> (::core::line!(), ::core::column!()));
    let policy = &guard.policy;
    let checks = fit::checks(&guard.checks, private);
    let bound = fit::bound(private);
    let dynamic = guard.dynamic.iter().map(|name| quote_spanned!(here=> &[#(#name),*]));
    let rule = match &guard.requirement {
        Requirement::Rule(rule) => rule_tokens(rule, private),
        Requirement::Pattern(pattern) => typed_tokens(pattern, policy, private),
    };
    let routes = routes.iter().map(|Route { methods, pattern, name }| {
        let name = name.as_ref().or(handler.of_route.as_ref());
        quote_spanned!(here=> #private::Route::new(&[#(#methods),*], #pattern, #name))
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
            dynamic: &[#(#dynamic),*],
            module: ::core::module_path!(),
            place: || #private::place_of(|| ()),
            named_at: #named_at,
            file: ::core::file!(),
            line: ::core::line!(),
        };
        #private::inventory::submit! { #private::Registered(&__OAUTH_GUARD) }
    }
}

/// The compiler finds the type of the pattern: only it knows what `a::B` is.
fn typed_tokens(Pattern { pattern, condition }: &Pattern, text: &str, private: &TokenStream) -> TokenStream {
    let here = Span::mixed_site();
    let can_fail = condition.is_none().then(|| can_fail_tokens(pattern, private));
    let alternatives = fit::alternatives(pattern, private);
    let condition = condition.as_ref().map(|condition| quote_spanned!(here=> if #condition));
    let written = first_span(pattern);
    let otherwise = if has_alternatives(pattern) {
        // Without this macro's span, for which the lint would be silent.
        quote_spanned!(written=> #[deny(unreachable_patterns, reason = #CANNOT_FAIL)] _)
    } else {
        quote_spanned!(here=> _)
    };
    let pattern = values_as_paths(pattern);
    // The compiler reports here that this type is not read from claims.
    let bound = fit::marker(written, private);
    let closure = quote_spanned! {written.resolved_at(here)=>
        |__oauth_question| __oauth_question.ask_bound(#bound, |__oauth_claims: &_| match __oauth_claims {
            #[deny(irrefutable_let_patterns, unused_comparisons)]
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

/// An error if the pattern cannot fail, even where lints are silent: in a dependency, and in code that another crate's
/// macro wrote. The code after the pattern is then unreachable, and the compiler leaves it out of the future. It does
/// not see that alternatives cover every variant: that is left to the lint.
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
    // The compiler reports it at this place.
    let function = fit::moved(quote_spanned!(at=> #private::can_fail), written);
    let checked = quote_spanned!(written=> #function(#CANNOT_FAIL, #checked));
    quote_spanned!(at=> const _: () = #checked;)
}
