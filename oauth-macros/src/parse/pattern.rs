//! A Rust pattern over the application's own claims type, and its parse errors.

use proc_macro2::Span;
use syn::parse::ParseStream;
use syn::{Error, Pat, Result, Token};

use crate::peek::{at_end, next_token, peek_operator, tokens_ahead};
use crate::syntax::Pattern;

impl Pattern {
    /// Parses up to the comma that ends it.
    pub(super) fn parse(input: ParseStream<'_>) -> Result<Self> {
        let first = input.span();
        let pattern = Pat::parse_multi_with_leading_vert(input).map_err(|mistake| no_pattern(first, mistake))?;
        let condition = match input.parse::<Option<Token![if]>>()? {
            Some(keyword) if at_end(input) => return Err(Error::new(keyword.span, NO_CONDITION)),
            Some(keyword) => Some(input.parse().map_err(|mistake| no_condition(keyword.span, mistake))?),
            None => None,
        };
        if at_end(input) { Ok(Pattern { pattern, condition }) } else { Err(junk_after_pattern(input)) }
    }
}

const NO_CONDITION: &str = "a condition is missing after `if`, as in `User { level, .. } if *level > 3`";

/// `User { level > 3 }`: the parser says what it missed, and this says what to write.
fn no_pattern(first: Span, mistake: Error) -> Error {
    let message = "this is not a pattern: write `User { level: 3.., .. }`, or compare after `if`, as in \
                   `User { level, .. } if *level > 3`";
    Error::new(within_tokens(first, &mistake), message)
}

/// `User { level, .. } if *level >`
fn no_condition(keyword: Span, mistake: Error) -> Error {
    let message = format!("this is not a condition ({mistake}): write it as in `User {{ level, .. }} if *level > 3`");
    Error::new(within_tokens(keyword, &mistake), message)
}

/// Where a parser stopped; or, if that is the end, whose span is the whole attribute, where it began.
fn within_tokens(begin: Span, mistake: &Error) -> Span {
    if mistake.to_string().contains("end of input") { begin } else { mistake.span() }
}

fn junk_after_pattern(input: ParseStream<'_>) -> Error {
    const EXAMPLE: &str = "as in `User { level, .. } if *level > 3`";
    let operator = peek_operator(input);
    let found = operator.clone().unwrap_or_else(|| next_token(input));
    let message = match found.as_str() {
        "&&" | "||" | "&" | "where" => format!("unexpected `{found}`: after a pattern comes `if`, {EXAMPLE}"),
        ":" => format!("a pattern is not a closure: write the type and its fields, {EXAMPLE}"),
        "if" => "one `if` is enough: write `&&` instead of the second".to_owned(),
        "crate" => "a comma is missing before `crate`".to_owned(),
        _ => format!("unexpected `{found}`: after a pattern comes `if`, a comma or the end"),
    };
    Error::new_spanned(tokens_ahead(input, operator.map_or(1, |operator| operator.len())), message)
}
