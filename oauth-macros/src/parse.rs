//! Reads the arguments of an attribute. `check.rs` says what they mean.

mod name;
mod operand;
mod pattern;
mod predicate;
mod term;

use proc_macro2::Span;
use syn::parse::{Parse, ParseStream};
use syn::{Error, LitStr, Path, Result, Token};

use crate::mistakes::Mistakes;
use crate::peek::{at_end, begins_pattern, next_token};
use crate::syntax::{BareArguments, Pattern, Policy, PolicyArguments};
use term::parse_terms;

impl Parse for PolicyArguments {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if begins_pattern(input) {
            return PolicyArguments::parse_pattern(input);
        }
        let mut arguments = PolicyArguments::default();
        let mut mistakes = Mistakes::default();
        let runtime = &mut arguments.runtime;
        let terms = parse_terms(None, input, &mut mistakes, &mut |input| {
            let ours = input.peek(Token![crate]);
            if ours { parse_runtime(input, runtime, QUOTED_CRATE).map(|()| true) } else { Ok(false) }
        })?;
        arguments.policy = Policy::Terms(terms);
        mistakes.or(arguments)
    }
}

impl PolicyArguments {
    fn parse_pattern(input: ParseStream<'_>) -> Result<Self> {
        let pattern = Pattern::parse(input)?;
        let mut arguments = PolicyArguments { runtime: None, policy: Policy::Pattern(Box::new(pattern)) };
        while input.parse::<Option<Token![,]>>()?.is_some() && !input.is_empty() {
            if !input.peek(Token![crate]) {
                return Err(term_beside_pattern(input));
            }
            parse_runtime(input, &mut arguments.runtime, QUOTED_CRATE)?;
        }
        Ok(arguments)
    }
}

/// `User { .. }, sub = path.owner`
fn term_beside_pattern(input: ParseStream<'_>) -> Error {
    Error::new(
        input.span(),
        "a pattern has to be the whole guard: write this as a second guard, `#[require_claim(..)]`, below the first",
    )
}

impl Parse for BareArguments {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut arguments = BareArguments::default();
        while input.peek(Token![crate]) {
            parse_runtime(input, &mut arguments.runtime, "")?;
            if input.is_empty() {
                break;
            }
            input.parse::<Token![,]>()?;
        }
        arguments.rest = input.parse()?;
        Ok(arguments)
    }
}

const QUOTED_CRATE: &str = ", or quote a claim of this name: `\"crate\"`";

/// `crate = "path"`; `or_else` is the alternative where claims are named.
fn parse_runtime(input: ParseStream<'_>, runtime: &mut Option<Path>, or_else: &str) -> Result<()> {
    const CURE: &str = "write `crate = \"my_name_for_oauth_runtime\"`";
    let keyword: Token![crate] = input.parse()?;
    let wrong =
        |span: Span| Error::new(span, format!("`crate` says under which name oauth-runtime is known: {CURE}{or_else}"));
    if !input.peek(Token![=]) || input.peek(Token![==]) || input.peek(Token![=>]) {
        return Err(wrong(keyword.span));
    }
    let equals: Token![=] = input.parse()?;
    if at_end(input) {
        return Err(wrong(equals.span));
    }
    let Some(path) = input.parse::<Option<LitStr>>()? else { return Err(wrong(input.span())) };
    let path = path.parse_with(Path::parse_mod_style).map_err(|_| wrong(path.span()))?;
    if runtime.replace(path).is_some() {
        return Err(Error::new(keyword.span, "`crate` is given twice: leave one out"));
    }
    if at_end(input) { Ok(()) } else { Err(junk_after_runtime(input)) }
}

fn junk_after_runtime(input: ParseStream<'_>) -> Error {
    input.error(format!("unexpected `{}`: after `crate = \"..\"` comes a comma or the end", next_token(input)))
}
