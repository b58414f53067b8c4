//! The terms of a policy, and the errors of misplaced or malformed ones.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Lit, LitStr, Result, Token, token};

use crate::forms::{COMMA_SEPARATES, any_of, combinator_as_name};
use crate::mistakes::Mistakes;
use crate::peek::{at_end, begins_pattern, is_comma, next_token, peek_operator, tokens_ahead};
use crate::syntax::{
    COMBINATORS, Combinator, Name, OPERATORS, Operand, Operands, Operator, PATH, Predicate, SCOPE, Term,
};

/// Parses terms up to the end. `other` may consume something that is not a term, and says whether it did.
pub(super) fn parse_terms(
    within: Option<Combinator>,
    input: ParseStream<'_>,
    mistakes: &mut Mistakes,
    other: &mut dyn FnMut(ParseStream<'_>) -> Result<bool>,
) -> Result<Vec<Term>> {
    let mut terms = Vec::new();
    while !input.is_empty() {
        if let Err(mistake) = parse_term(within, input, &mut terms, other) {
            mistakes.add(mistake);
            skip_to_comma(input);
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(terms)
}

/// Stops before the comma that ends the term.
fn parse_term(
    within: Option<Combinator>,
    input: ParseStream<'_>,
    terms: &mut Vec<Term>,
    other: &mut dyn FnMut(ParseStream<'_>) -> Result<bool>,
) -> Result<()> {
    if other(input)? {
        return Ok(());
    }
    if begins_pattern(input) {
        return Err(pattern_beside_term(within, input));
    }
    if let Some(mistake) = value_as_term(terms.last(), input) {
        return Err(mistake);
    }
    let term: Term = input.parse()?;
    let mistake = (!at_end(input)).then(|| junk_after_term(&term, input));
    terms.push(term);
    mistake.map_or(Ok(()), Err)
}

fn skip_to_comma(input: ParseStream<'_>) {
    while !at_end(input) && input.parse::<TokenTree>().is_ok() {}
}

impl Parse for Term {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if let Some((combinator, span)) = peek_combinator(input) {
            input.call(Ident::parse_any)?;
            let content;
            let parentheses = syn::parenthesized!(content in input).span.join();
            let mut mistakes = Mistakes::default();
            let terms =
                parse_terms(Some(combinator), &content, &mut mistakes, &mut |input| match input.peek(Token![crate]) {
                    true => Err(input.error("`crate` says nothing of a claim: write it outside, beside the terms")),
                    false => Ok(false),
                })?;
            return mistakes.or(Term::Combined { combinator, span, parentheses, terms });
        }
        let name: Name = input.parse()?;
        if let Some(mistake) = word_without_parentheses(&name, input) {
            return Err(mistake);
        }
        let predicate = Predicate::parse(&name, input)?;
        Ok(Term::Claim { name, predicate })
    }
}

fn peek_combinator(input: ParseStream<'_>) -> Option<(Combinator, Span)> {
    let ahead = input.fork();
    let word = ahead.call(Ident::parse_any).ok()?;
    let (_, combinator, _) = COMBINATORS.iter().find(|(written, ..)| word == written)?;
    ahead.peek(token::Paren).then(|| (*combinator, word.span()))
}

/// `sub = path.owner, User { .. }`
fn pattern_beside_term(within: Option<Combinator>, input: ParseStream<'_>) -> Error {
    let message = match within {
        None => {
            "a pattern has to be the whole guard: write it as a second guard, `#[require_claim(User { .. })]`, below the first"
        }
        Some(Combinator::All) => {
            "a pattern cannot be inside `all(..)`: write it as a second guard, `#[require_claim(User { .. })]`, below \
             the first"
        }
        Some(Combinator::Any) => {
            "a pattern cannot be inside `any(..)`: write one pattern of it all, as in \
             `User { level: 3.., .. } | User { verified: true, .. }`"
        }
        Some(Combinator::Not) => {
            "a pattern cannot be inside `not(..)`: write a condition, as in `User { level, .. } if *level != 3`"
        }
    };
    Error::new(input.span(), message)
}

/// `level = 3, 4`: something that is not a claim's name was meant as one more value.
fn value_as_term(before: Option<&Term>, input: ParseStream<'_>) -> Option<Error> {
    let lit: Lit = input.fork().parse().ok().filter(|lit| !matches!(lit, Lit::Str(_)))?;
    let shown = lit.to_token_stream();
    let message = match before {
        Some(Term::Claim { name, predicate: Predicate::Compares(Operator::Equals, _, Operands::One(first)) })
            if !name.is(SCOPE) =>
        {
            let (name, first) = (name.shown(), first.shown());
            format!("`{shown}` is not a claim: several values are a list, as in `{name} = [{first}, {shown}]`")
        }
        _ => match turned_round(input) {
            Some(term) => format!("`{shown}` is not a claim: the claim stands on the left, as in `{term}`"),
            None => format!("`{shown}` is not a claim: a term begins with a claim's name, as in `role = \"admin\"`"),
        },
    };
    Some(Error::new_spanned(lit, message))
}

/// `3 < level` as `level > 3`.
fn turned_round(input: ParseStream<'_>) -> Option<String> {
    let ahead = input.fork();
    let lit: Lit = ahead.parse().ok()?;
    let written = peek_operator(&ahead)?;
    let (_, operator, _) = OPERATORS.iter().find(|(known, ..)| *known == written)?;
    for _ in written.chars() {
        ahead.parse::<TokenTree>().ok()?;
    }
    let name = ahead.call(Ident::parse_any).ok()?;
    let turned = match operator {
        Operator::Equals | Operator::Differs => *operator,
        Operator::Below => Operator::Above,
        Operator::AtMost => Operator::AtLeast,
        Operator::Above => Operator::Below,
        Operator::AtLeast => Operator::AtMost,
    };
    Some(format!("{name} {} {}", turned.written(), lit.to_token_stream()))
}

/// A combinator's word used like a claim's name: `all`, `any = 1`, `not role`.
fn word_without_parentheses(name: &Name, input: ParseStream<'_>) -> Option<Error> {
    let (word, _, example) = COMBINATORS.iter().find(|(word, ..)| name.is(word))?;
    if input.peek(Token![.]) {
        return None;
    }
    let inside: TokenStream = input.cursor().token_stream().into_iter().take_while(|token| !is_comma(token)).collect();
    let message = if name.is_dynamic && input.peek(token::Paren) {
        let inside = inside.to_string();
        let (_, terms) = inside.split_once('(')?;
        format!("`dyn` stands before a claim: write it within, as in `{word}(dyn {terms}`")
    } else if input.peek(Ident::peek_any) {
        format!("`{word}` takes its terms in parentheses: write `{word}({inside})`")
    } else {
        combinator_as_name(word, example)
    };
    Some(name.error(message))
}

const AFTER_TERM: &str = "after a term comes a comma or the end";

fn junk_after_term(term: &Term, input: ParseStream<'_>) -> Error {
    let Some(operator) = peek_operator(input) else {
        let found = next_token(input);
        let message = if found == "and" {
            format!("write a comma instead of `and`: {COMMA_SEPARATES}")
        } else if found == "or" {
            "write `any(one, other)` instead of `one or other`".to_owned()
        } else if input.peek(Ident::peek_any) || (input.peek(LitStr) && input.peek2(Token![=])) {
            format!("a comma is missing before `{found}`")
        } else {
            match several_values(term).filter(|_| input.peek(Lit)) {
                Some(values) => format!("unexpected `{found}`: several values are written {values}"),
                None => format!("unexpected `{found}`: {AFTER_TERM}"),
            }
        };
        return input.error(message);
    };
    let message = match operator.as_str() {
        "|" | "||" => {
            let values = several_values(term).map(|values| format!("several values are written {values}; "));
            let values = values.unwrap_or_default();
            format!("unexpected `{operator}`: {values}either of two terms is `any(one, other)`")
        }
        "&" | "&&" | ";" => format!("write a comma instead of `{operator}`: {COMMA_SEPARATES}"),
        ".." => match term {
            Term::Claim { name, predicate: Predicate::Compares(_, _, Operands::One(first)) } if !name.is(SCOPE) => {
                format!(
                    "unexpected `..`: a range is two terms, as in `{name} >= {first}, {name} < 9`",
                    name = name.shown(),
                    first = first.shown()
                )
            }
            Term::Claim { .. } | Term::Combined { .. } => format!("unexpected `..`: {AFTER_TERM}"),
        },
        "." => match term {
            Term::Claim {
                predicate: Predicate::Compares(_, _, Operands::One(Operand::Parameter { name, .. })),
                ..
            } => {
                format!("a parameter has one name: write `{PATH}.{name}`")
            }
            Term::Claim { .. } | Term::Combined { .. } => format!("unexpected `.`: {AFTER_TERM}"),
        },
        known if OPERATORS.iter().any(|(written, ..)| *written == known) => match term {
            Term::Claim { name, predicate: Predicate::Compares(..) } => {
                let name = name.shown();
                format!(
                    "unexpected `{known}`: a claim that is compared twice is two terms, as in `{name} > 3, {name} < 9`"
                )
            }
            Term::Claim { .. } | Term::Combined { .. } => format!("unexpected `{known}`: {AFTER_TERM}"),
        },
        _ => format!("unexpected `{operator}`: {AFTER_TERM}"),
    };
    Error::new_spanned(tokens_ahead(input, operator.len()), message)
}

/// How to write several values of the claim, if a term like this one may have meant that.
fn several_values(term: &Term) -> Option<String> {
    match term {
        Term::Claim { name, predicate: Predicate::Compares(Operator::Equals, ..) | Predicate::Present } => {
            Some(any_of(name))
        }
        Term::Claim { .. } | Term::Combined { .. } => None,
    }
}
