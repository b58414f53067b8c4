//! A claim's name, and the errors if there is none.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative as _;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Lit, LitStr, Result, Token};

use crate::forms::combinators;
use crate::peek::{begins_pattern, between, next_token, tokens_ahead};
use crate::syntax::{Name, Segment};

impl Parse for Name {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        // Before an operator it is a claim of that name.
        let is_dynamic = input.peek(Token![dyn]) && (input.peek2(Ident::peek_any) || input.peek2(LitStr));
        if is_dynamic {
            input.parse::<Token![dyn]>()?;
        }
        let begin = input.fork();
        let mut segments = vec![Segment::parse(input, no_term)?];
        while input.peek(Token![.]) && !input.peek(Token![..]) {
            let ahead = input.fork();
            ahead.parse::<Token![.]>()?;
            let segment = Segment::parse(&ahead, |_| no_segment(&segments, input))?;
            segments.push(segment);
            input.advance_to(&ahead);
        }
        Ok(Name { is_dynamic, segments, tokens: between(&begin, input) })
    }
}

impl Segment {
    pub(super) fn parse(input: ParseStream<'_>, none: impl FnOnce(ParseStream<'_>) -> Error) -> Result<Self> {
        if input.peek(Token![_]) {
            return Err(input.error("`_` names no claim: write the claim's name, as in `role = \"admin\"`"));
        }
        if let Some(text) = input.parse::<Option<LitStr>>()? {
            if !text.suffix().is_empty() {
                return Err(suffix_of_name(&text));
            }
            return Ok(Segment { text: text.value(), quoted: true });
        }
        if input.peek(Ident::peek_any) {
            return Ok(Segment { text: input.call(Ident::parse_any)?.unraw().to_string(), quoted: false });
        }
        Err(none(input))
    }
}

/// The error for something that does not begin a term.
fn no_term(input: ParseStream<'_>) -> Error {
    let found = next_token(input);
    let message = match found.as_str() {
        "," => "a term is missing before this comma: write `role = \"admin\"`, or leave the comma out".to_owned(),
        "=" => "a claim's name is missing before `=`: write `role = \"admin\"`".to_owned(),
        "!" if begins_pattern_after_punct(input) => {
            "a pattern is not negated: write a condition, as in `User { level, .. } if *level != 3`".to_owned()
        }
        "(..)" if begins_pattern_in_parentheses(input) => "a pattern takes no parentheses: leave them out".to_owned(),
        "!" => "there is no operator `!` before a term: write `not(..)`, as in `not(role = \"guest\")`".to_owned(),
        "(..)" => format!("parentheses follow a word: write {}", combinators()),
        _ => format!("`{found}` does not begin a term: write a claim's name, as in `role = \"admin\"`"),
    };
    input.error(message)
}

fn begins_pattern_after_punct(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    ahead.parse::<TokenTree>().is_ok() && begins_pattern(&ahead)
}

fn begins_pattern_in_parentheses(input: ParseStream<'_>) -> bool {
    let inside = |input: ParseStream<'_>| {
        let content;
        syn::parenthesized!(content in input);
        let begins = begins_pattern(&content);
        content.parse::<TokenStream>()?;
        Ok(begins)
    };
    inside(&input.fork()).unwrap_or(false)
}

/// There is no name after `realm.`.
fn no_segment(before: &[Segment], input: ParseStream<'_>) -> Error {
    let names: Vec<String> = before.iter().map(Segment::shown).collect();
    let names = names.join(".");
    let dot = tokens_ahead(input, 1);
    let message = if input.peek2(Lit) {
        format!("an array's elements have no names: write `{names} = \"value\"`, which holds when one of them does")
    } else {
        format!("a name is missing after `{names}.`: write `{names}.name = \"value\"`")
    };
    Error::new_spanned(dot, message)
}

fn suffix_of_name(text: &LitStr) -> Error {
    let message = format!("a claim's name has no suffix such as `{}`: write `{:?}`", text.suffix(), text.value());
    Error::new_spanned(text, message)
}
