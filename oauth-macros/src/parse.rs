//! Reads the arguments of an attribute. What they may mean is `check.rs`'s matter.

mod comparison;
mod name;
mod operand;
mod pattern;
mod term;

use proc_macro2::Span;
use syn::parse::{Parse, ParseStream};
use syn::{Error, LitStr, Path, Result, Token};

use crate::mistakes::Mistakes;
use crate::peek::{at_end, begins_pattern, next_token};
use crate::syntax::{Demand, NoPolicy, Pattern, Policy};
use term::parse_terms;

impl Parse for Policy {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if begins_pattern(input) {
            return Policy::parse_typed(input);
        }
        let mut policy = Policy::default();
        let mut mistakes = Mistakes::default();
        let runtime = &mut policy.runtime;
        let terms = parse_terms(None, input, &mut mistakes, &mut |input| {
            let ours = input.peek(Token![crate]);
            if ours { parse_runtime(input, runtime, QUOTED_CRATE).map(|()| true) } else { Ok(false) }
        })?;
        policy.demand = Demand::Terms(terms);
        mistakes.or(policy)
    }
}

impl Policy {
    fn parse_typed(input: ParseStream<'_>) -> Result<Self> {
        let mut policy = Policy { runtime: None, demand: Demand::Typed(Box::new(Pattern::parse(input)?)) };
        while input.parse::<Option<Token![,]>>()?.is_some() && !input.is_empty() {
            if !input.peek(Token![crate]) {
                return Err(term_beside_pattern(input));
            }
            parse_runtime(input, &mut policy.runtime, QUOTED_CRATE)?;
        }
        Ok(policy)
    }
}

/// `User { .. }, sub = path.owner`
fn term_beside_pattern(input: ParseStream<'_>) -> Error {
    Error::new(
        input.span(),
        "a pattern stands alone: write this as a second guard, `#[require_claim(..)]`, below the first",
    )
}

impl Parse for NoPolicy {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut arguments = NoPolicy::default();
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

/// `crate = "path"`; where claims are named, there is something else to write.
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
