//! What an attribute does: it reads its arguments and the function below it, and writes the guarded function or all
//! errors of both.

use proc_macro2::{Span, TokenStream};
use syn::{Error, Result};

use crate::guard::{Guard, Kind, Requirement};
use crate::handler::Handler;
use crate::rule::{Check, Rule};
use crate::syntax::{BareArguments, Policy, PolicyArguments};
use crate::{check, expand, mark};

/// The guarded handler; or the errors, with a handler so that nothing else about it is reported.
pub(crate) fn guard(kind: Kind, arguments: TokenStream, item: TokenStream) -> TokenStream {
    let (arguments, ordered) = mark::take_mark(arguments);
    match (read(kind, arguments.clone()), syn::parse2::<Handler>(item.clone())) {
        (Ok(mut guard), Ok(mut handler)) => {
            let mut mistakes = std::mem::take(&mut handler.corrections);
            match stacked_terms(&guard, &handler, ordered) {
                Ok(checks) => guard.checks.extend(checks),
                Err(mistake) => mistakes.add(mistake),
            }
            if let Some((other, message)) = handler.contradiction(kind) {
                mistakes.add(Error::new_spanned(other, message));
                handler.drop_guards_like(kind);
            }
            if let Some(mistake) = handler.belongs_elsewhere() {
                mistakes.add(mistake);
            }
            if let Err(mistake) = check::route::parameters(&guard.parameters, &handler.routes()) {
                mistakes.add(mistake);
            }
            if let Requirement::Pattern(pattern) = &guard.requirement
                && let Err(mistake) = check::pattern::arguments(pattern, &handler.arguments)
            {
                mistakes.add(mistake);
            }
            match mistakes.take() {
                Some(mistake) if handler.is_another_function() => refused(&mistake, item),
                Some(mistake) => refused(&mistake, expand::guarded(handler, &guard)),
                None if ordered || !handler.is_stacked() => expand::guarded(handler, &guard),
                None => expand::stacked(kind, &arguments, handler, &guard),
            }
        }
        (Err(mistake), Ok(mut handler)) => match handler.corrections.take() {
            Some(other) => refused(&both(mistake, other), item),
            None => refused(&mistake, item),
        },
        (Ok(_), Err(mistake)) => refused(&mistake, item),
        (Err(mistake), Err(other)) => refused(&both(mistake, other), item),
    }
}

/// Checks terms of this guard and of guards below it about the same claim.
fn stacked_terms(guard: &Guard, handler: &Handler, ordered: bool) -> Result<Vec<Check>> {
    let mut checks = Vec::new();
    // Once the stack is reversed, what is below was written above.
    let is_first = !ordered && handler.is_stacked();
    // A guard with a mistake reports it itself.
    for below in handler.policies_below().into_iter().filter_map(|policy| read(Kind::Claim, policy).ok()) {
        let (above, below) = if is_first { (&guard.parts, &below.parts) } else { (&below.parts, &guard.parts) };
        checks.extend(check::together::stacked(above, below)?);
    }
    Ok(checks)
}

/// `policy!(..)`
pub(crate) fn policy(arguments: TokenStream) -> TokenStream {
    let guard = read(Kind::Policy, arguments).and_then(|guard| match guard.parameters.first() {
        Some(parameter) => Err(Error::new_spanned(
            &parameter.tokens,
            "a `policy!(..)` has no route, and so no parameters: write this term in `#[require_claim(..)]`",
        )),
        None => Ok(guard),
    });
    guard.map_or_else(|mistake| expand::refused_policy(&mistake), |guard| expand::policy(&guard))
}

fn both(mut mistake: Error, other: Error) -> Error {
    mistake.combine(other);
    mistake
}

/// After an error, the output is only for the compiler to check; nothing is built from it.
fn refused(mistake: &Error, item: TokenStream) -> TokenStream {
    let mut tokens = mistake.to_compile_error();
    tokens.extend(item);
    tokens
}

fn read(kind: Kind, arguments: TokenStream) -> Result<Guard> {
    // The compiler breaks long lines.
    let policy = arguments.to_string().replace('\n', " ");
    let rule = match kind {
        Kind::Claim | Kind::Policy => {
            let PolicyArguments { runtime, policy: parsed } = syn::parse2(arguments)?;
            let requirement = match parsed {
                Policy::Terms(terms) if terms.is_empty() => return Err(empty_policy(kind)),
                Policy::Terms(terms) => {
                    let check::Checked { rule, parts, parameters, checks, dynamic } = check::rule(&terms)?;
                    let guard = Guard::of(Requirement::Rule(rule), policy, runtime);
                    return Ok(Guard { parts, parameters, checks, dynamic, ..guard });
                }
                Policy::Pattern(pattern) => {
                    check::pattern::pattern(&pattern)?;
                    Requirement::Pattern(pattern)
                }
            };
            return Ok(Guard::of(requirement, policy, runtime));
        }
        Kind::Token => Rule::Token,
        Kind::Public => Rule::Public,
    };
    let BareArguments { runtime, rest } = syn::parse2(arguments)?;
    if !rest.is_empty() {
        let asks = if kind == Kind::Public { "nothing" } else { "a valid token and nothing else" };
        let cure = match read(Kind::Claim, rest.clone()) {
            Ok(_) => format!("write `#[require_claim({rest})]`"),
            Err(_) => "leave this out".to_owned(),
        };
        let message = format!("`#[{}]` asks for {asks}: {cure}", kind.name());
        return Err(Error::new_spanned(rest, message));
    }
    let requirement = Requirement::Rule(rule);
    Ok(Guard::of(requirement, policy, runtime))
}

fn empty_policy(kind: Kind) -> Error {
    let message = if kind == Kind::Policy {
        "this demands no claim: name one, as in `policy!(role = \"admin\")`"
    } else {
        "this demands no claim: name one, as in `#[require_claim(role = \"admin\")]`, or write `#[require_token]` \
        if any valid token is enough"
    };
    Error::new(Span::call_site(), message)
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    #[test]
    fn the_topmost_of_a_stack_goes_last() {
        let handler = quote!(
            #[get("/")]
            #[require_token]
            #[allow(unused)]
            #[oauth_runtime::require_claim(b)]
            async fn handler() -> String {}
        );
        let expected = quote!(
            #[oauth_runtime::require_claim(b)]
            #[require_token]
            #[::oauth_runtime::require_claim(@stacked a)]
            #[get("/")]
            #[allow(unused)]
            async fn handler() -> String {}
        );
        assert_eq!(guard(Kind::Claim, quote!(a), handler).to_string(), expected.to_string());
    }

    #[test]
    fn a_stack_in_its_order_is_expanded() {
        let below = quote!(#[::oauth_runtime::require_claim(@stacked a)]);
        let tokens = guard(Kind::Claim, quote!(b), quote!(#below async fn handler() -> String {})).to_string();
        assert!(tokens.starts_with(&below.to_string()) && tokens.contains("admit"), "{tokens}");
        let last = guard(
            Kind::Claim,
            quote!(@stacked a),
            quote!(
                async fn handler() -> String {}
            ),
        )
        .to_string();
        assert!(last.contains("policy : \"a\"") && last.contains("admit"), "{last}");
    }

    #[test]
    fn what_is_refused_is_not_left_open() {
        for (policy, handler) in [
            (
                quote!(a == 1),
                quote!(
                    async fn handler() -> String {}
                ),
            ),
            (
                quote!(a = 1),
                quote!(
                    fn handler() -> String {}
                ),
            ),
            (
                quote!(),
                quote!(
                    struct Handler;
                ),
            ),
            (quote!(a), quote!()),
        ] {
            for kind in Kind::ATTRIBUTES {
                let tokens = guard(kind, policy.clone(), handler.clone()).to_string();
                assert!(tokens.contains("compile_error") || tokens.contains("admit"), "{tokens}");
            }
        }
    }

    /// Anything that a user writes, even a mark of their own, ends in an error or in a guard.
    #[test]
    fn no_mark_leaves_a_guard_out() {
        let handlers = [
            quote!(
                async fn handler() -> String {}
            ),
            quote!(
                fn handler() -> String {}
            ),
            quote!(
                async fn handler(argument: impl FromRequest) -> String {}
            ),
            quote!(
                async fn handler(&self) -> String {}
            ),
            quote!(
                async fn handler() {}
            ),
            quote!(
                struct Handler;
            ),
        ];
        for mark in ["silenced", "stacked", "admitted", "public", "@"] {
            for rest in ["", "a", "a = 1", "crate = \"x\""] {
                let policy: TokenStream = format!("@{mark} {rest}").parse().expect("tokens");
                for (kind, handler) in
                    Kind::ATTRIBUTES.into_iter().flat_map(|kind| handlers.iter().map(move |handler| (kind, handler)))
                {
                    for item in
                        [handler.clone(), quote!(#[require_claim(#policy)] #handler), quote!(#[require_token] #handler)]
                    {
                        let tokens = guard(kind, policy.clone(), item).to_string();
                        assert!(tokens.contains("compile_error") || tokens.contains("admit"), "{tokens}");
                    }
                }
            }
        }
    }

    /// Between spaces.
    const WORDS: &str = r#"any not path fresh . >= if User role scope all crate self async fn pub type r#type _ true impl x = == !=
        < : :: , , ; - | & ! # @ 'a -> .. ( ) [ ] { } "x" "" b"x" 'c' 3 3u8 1e999 "x"s stacked public require_token"#;

    const RIGHT: [&str; 5] = [
        "role = \"admin\" , level = [ 3 , - 4.5 , true ] , active , scope = \"a b\" , crate = \"x\"",
        "any ( all ( a . b >= 3 , c != true ) , not ( d ) , fresh = \"5m\" ) , acr = \"x\" , sub = path . owner",
        "User { role : Role :: Admin | Role :: Auditor , level : 3 .. , .. } if * level > 3 , crate = \"x\"",
        "# [ get ( \"/\" ) ] pub async fn handler ( mut a : A , B ( b ) : B ) -> Result < impl C , D > { a ; b }",
        "# [ require_claim ( a ) ] async fn handler < T > ( # [ allow ( x ) ] _ : T ) -> T where T : U { # ! [ x ] }",
    ];

    /// Each random number is below its argument.
    fn random() -> impl FnMut(usize) -> usize {
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        move |below| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % below as u64) as usize
        }
    }

    /// Random tokens, or correct ones with a few changes.
    fn random_text(round: usize, random: &mut impl FnMut(usize) -> usize) -> String {
        let all: Vec<&str> = WORDS.split_whitespace().collect();
        let mut words: Vec<&str> = match round % 6 {
            0 => (0..random(12)).map(|_| "x").collect(),
            right => RIGHT[right - 1].split(' ').collect(),
        };
        for _ in 0..=random(if round.is_multiple_of(6) { 12 } else { 3 }) {
            let place = random(words.len() + 1);
            let word = all[random(all.len())];
            match random(3) {
                0 => words.insert(place, word),
                1 if place < words.len() => words[place] = word,
                _ if place < words.len() => drop(words.remove(place)),
                _ => words.push(word),
            }
        }
        words.join(" ")
    }

    #[test]
    fn no_tokens_make_it_panic() {
        let mut random = random();
        let mut read = 0;
        for round in 0..20_000 {
            let text = random_text(round, &mut random);
            let Ok(tokens) = text.parse::<TokenStream>() else { continue };
            read += 1;
            let handler = quote!(
                async fn handler() -> String {}
            );
            for kind in Kind::ATTRIBUTES {
                for (policy, item) in [(tokens.clone(), handler.clone()), (quote!(a), tokens.clone())] {
                    let expansion = guard(kind, policy, item).to_string();
                    let stacked = expansion.contains("@ stacked");
                    assert!(expansion.contains("compile_error") || expansion.contains("admit") || stacked, "{text}");
                }
                let expansion = policy(tokens.clone()).to_string();
                assert!(expansion.contains("compile_error") || expansion.contains("GUARD"), "{text}");
            }
        }
        assert!(read > 5_000, "only {read} token streams to read");
    }
}
