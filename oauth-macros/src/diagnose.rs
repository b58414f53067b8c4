//! What is said of a mistake: its name, and what to write instead, out of the parser's own tables.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::{Error, Ident, Lit, LitStr, Token};

use crate::policy::{
    ACR, CONDITIONS, FRESH, Name, OPERATORS, Operator, PATH, SCOPE, Segment, Term, Test, Value, peek_operator,
};

/// Several mistakes, reported together.
#[derive(Default)]
pub(crate) struct Mistakes(Option<Error>);

impl Mistakes {
    pub(crate) fn add(&mut self, mistake: Error) {
        self.0 = Some(std::mem::take(self).and(mistake));
    }

    pub(crate) fn and(mut self, mistake: Error) -> Error {
        match self.take() {
            Some(mut first) => {
                first.combine(mistake);
                first
            }
            None => mistake,
        }
    }

    pub(crate) fn take(&mut self) -> Option<Error> {
        self.0.take()
    }

    pub(crate) fn or<T>(self, value: T) -> syn::Result<T> {
        self.0.map_or(Ok(value), Err)
    }
}

const LITERALS: &str = "write a string, a number, `true` or `false`";

pub(crate) const NO_CONDITION: &str = "a condition is missing after `if`, as in `User { level, .. } if *level > 3`";

/// The ways to write a term about this claim.
pub(crate) fn forms(name: &Name) -> String {
    if name.is(SCOPE) || name.is(FRESH) || name.is(ACR) {
        return any_of(name);
    }
    let name = name.shown();
    let forms = OPERATORS.iter().flat_map(|(written, _, values)| values.iter().map(move |value| (written, value)));
    let forms: Vec<String> = forms.map(|(written, value)| format!("`{name} {written} {value}`")).collect();
    format!("{} or `{name}` alone (the claim is there)", forms.join(", "))
}

/// The way to write a term about several values of this claim.
pub(crate) fn any_of(name: &Name) -> String {
    if name.is(SCOPE) {
        return "`scope = \"read write\"`, which wants every scope in it".to_owned();
    }
    if name.is(FRESH) {
        return "`fresh = \"5m\"`, the time since the person signed in".to_owned();
    }
    format!("`{} = [\"one\", \"other\"]`", name.shown())
}

/// The conditions, by example.
pub(crate) fn conditions() -> String {
    let examples: Vec<String> = CONDITIONS.iter().map(|(.., example)| format!("`{example}`")).collect();
    match examples.as_slice() {
        [rest @ .., last] => format!("{} or {last}", rest.join(", ")),
        [] => String::new(),
    }
}

/// The one of these words that was probably meant.
pub(crate) fn near<'a>(written: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = written.to_lowercase();
    let allowed = if written.chars().count() < 3 { 1 } else { 2 };
    let near = words.into_iter().map(|word| (distance(&written, &word.to_lowercase()), word));
    near.filter(|(distance, word)| *distance <= allowed && *distance < word.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// How many characters have to be put in, taken out, changed, or swapped with a neighbour.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=other.len()).collect()];
    for i in 1..=one.len() {
        let mut row = vec![i];
        for j in 1..=other.len() {
            let changed = rows[i - 1][j - 1] + usize::from(one[i - 1] != other[j - 1]);
            let mut least = changed.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[one.len()][other.len()]
}

pub(crate) fn unknown_operator(name: &Name, written: &str, input: ParseStream<'_>) -> Error {
    let tokens = tokens_ahead(input, written.len());
    let unquoted = name.segments.last().is_some_and(|last: &Segment| !last.quoted);
    if unquoted && matches!(written, "::" | "-" | "/" | "->") {
        let whole = name.shown() + &spelled_ahead(input);
        return Error::new_spanned(
            tokens,
            format!("`{whole}` is no identifier: write such a name in quotes, `\"{whole}\"`"),
        );
    }
    let meant = match written {
        "==" => "=",
        "=>" => ">=",
        "=<" => "<=",
        "<>" | "=!" => "!=",
        _ => return Error::new_spanned(tokens, format!("unknown operator `{written}`: write {}", forms(name))),
    };
    Error::new_spanned(tokens, format!("unknown operator `{written}`, did you mean `{meant}`? Write {}", forms(name)))
}

/// What looks like more of a name, up to the term's operator or its end.
fn spelled_ahead(input: ParseStream<'_>) -> String {
    let mut spelled = String::new();
    for token in input.cursor().token_stream() {
        match token {
            TokenTree::Ident(ident) => spelled += &ident.to_string(),
            TokenTree::Punct(punct) if matches!(punct.as_char(), '.' | ':' | '-' | '/' | '>') => {
                spelled.push(punct.as_char())
            }
            TokenTree::Literal(literal) => spelled += &literal.to_string().replace('"', ""),
            TokenTree::Punct(_) | TokenTree::Group(_) => break,
        }
    }
    spelled
}

/// After a name came neither an operator nor the end of the term.
pub(crate) fn junk_after_name(name: &Name, input: ParseStream<'_>) -> Error {
    const WORDS: [&str; 8] = ["in", "is", "as", "has", "contains", "matches", "eq", "ne"];
    let found = next_token(input);
    let message = if name.is("not") {
        format!("`not` takes its term in parentheses: write `not({found})`")
    } else if found == "and" {
        "write a comma instead of `and`: it separates terms that must all hold".to_owned()
    } else if found == "or" {
        format!("write `any({}, ..)` instead of `or`", name.shown())
    } else if WORDS.contains(&found.as_str()) {
        format!("unknown operator `{found}`: write {}", forms(name))
    } else if input.peek(Ident::peek_any) {
        format!("a comma is missing before `{found}`: write `{}, {found}`", name.shown())
    } else {
        format!("an operator is missing before `{found}`: write {}", forms(name))
    };
    input.error(message)
}

pub(crate) fn junk_after_term(term: &Term, input: ParseStream<'_>) -> Error {
    let several = match term {
        Term::Claim { name, test: Test::Compares(Operator::Equals, ..) | Test::Present | Test::Called(_) } => {
            format!("several values are written {}", any_of(name))
        }
        Term::Claim { .. } | Term::Condition { .. } => format!("several terms are written {}", conditions()),
    };
    let Some((operator, _)) = peek_operator(input) else {
        let found = next_token(input);
        let message = if found == "and" {
            "write a comma instead of `and`: it separates terms that must all hold".to_owned()
        } else if found == "or" {
            "write `any(one, other)` instead of `one or other`".to_owned()
        } else if input.peek(Ident::peek_any) || (input.peek(LitStr) && input.peek2(Token![=])) {
            format!("a comma is missing before `{found}`")
        } else if input.peek(Lit) {
            format!("unexpected `{found}`: {several}")
        } else {
            format!("unexpected `{found}`: after a term comes a comma or the end")
        };
        return input.error(message);
    };
    let message = match operator.as_str() {
        "|" | "||" => format!("unexpected `{operator}`: {several}; either of two terms is `any(one, other)`"),
        "&" | "&&" | ";" => format!("write a comma instead of `{operator}`: it separates terms that must all hold"),
        _ => format!("unexpected `{operator}`: after a term comes a comma or the end"),
    };
    Error::new_spanned(tokens_ahead(input, operator.len()), message)
}

pub(crate) fn junk_after_runtime(input: ParseStream<'_>) -> Error {
    input.error(format!("unexpected `{}`: after `crate = \"..\"` comes a comma or the end", next_token(input)))
}

pub(crate) fn junk_after_pattern(input: ParseStream<'_>) -> Error {
    let found = next_token(input);
    let message = match peek_operator(input).map(|(operator, _)| operator).as_deref() {
        Some("&&" | "||" | "&") => {
            format!("unexpected `{found}`: after a pattern comes `if`, as in `User {{ level, .. }} if *level > 3`")
        }
        _ => format!("unexpected `{found}`: after a pattern comes `if`, a comma or the end"),
    };
    input.error(message)
}

/// `User { .. }, sub = path.owner`
pub(crate) fn term_beside_pattern(input: ParseStream<'_>) -> Error {
    Error::new(
        input.span(),
        "a pattern stands alone: write this as a second guard, `#[require_claim(..)]`, below the first",
    )
}

/// `sub = path.owner, User { .. }`
pub(crate) fn pattern_beside_term(input: ParseStream<'_>) -> Error {
    Error::new(
        input.span(),
        "a pattern stands alone: write it as a second guard, `#[require_claim(User { .. })]`, below the first",
    )
}

/// `level = 3, 4`: what is no claim's name was meant as one more value.
pub(crate) fn value_as_term(before: Option<&Term>, input: ParseStream<'_>) -> Option<Error> {
    let lit: Lit = input.fork().parse().ok().filter(|lit| !matches!(lit, Lit::Str(_)))?;
    let shown = lit.to_token_stream();
    let message = match before {
        Some(Term::Claim { name, test: Test::Compares(Operator::Equals, _, Value::One(first)) }) if !name.is(SCOPE) => {
            let (name, first) = (name.shown(), first.shown());
            format!("`{shown}` is no claim: several values are a list, as in `{name} = [{first}, {shown}]`")
        }
        _ => format!("`{shown}` is no claim: a term begins with a claim's name, as in `role = \"admin\"`"),
    };
    Some(Error::new_spanned(lit, message))
}

/// Where a term should begin stands something that begins none.
pub(crate) fn no_term(input: ParseStream<'_>) -> Error {
    let found = next_token(input);
    let message = match found.as_str() {
        "," => "a term is missing before this comma: write `role = \"admin\"`, or leave the comma out".to_owned(),
        "=" => "a claim's name is missing before `=`: write `role = \"admin\"`".to_owned(),
        "!" => "there is no operator `!` before a term: write `not(..)`, as in `not(role = \"guest\")`".to_owned(),
        "(..)" => format!("parentheses follow a word: write {}", conditions()),
        _ => format!("`{found}` begins no term: write a claim's name, as in `role = \"admin\"`"),
    };
    input.error(message)
}

/// After `realm.` comes no name.
pub(crate) fn no_segment(before: &[Segment], input: ParseStream<'_>) -> Error {
    let names: Vec<&str> = before.iter().map(|segment| segment.text.as_str()).collect();
    let names = names.join(".");
    let dot = tokens_ahead(input, 1);
    Error::new_spanned(dot, format!("a name is missing after `{names}.`: write `{names}.name = \"value\"`"))
}

pub(crate) fn no_parameter(input: ParseStream<'_>) -> Error {
    let path = tokens_ahead(input, 2);
    Error::new_spanned(path, format!("`{PATH}.` wants a parameter of the route: write `{PATH}.owner` for `{{owner}}`"))
}

pub(crate) fn no_value(name: &Name, operator: Span) -> Error {
    Error::new(operator, format!("a value is missing: write {}", forms(name)))
}

pub(crate) fn no_value_before_comma(name: &Name, input: ParseStream<'_>) -> Error {
    input.error(format!("a value is missing before this comma: write {}", any_of(name)))
}

pub(crate) fn list_without_commas(name: &Name, list: ParseStream<'_>) -> Error {
    list.error(format!("the values of a list are separated by commas: {}", any_of(name)))
}

/// What stands for a value is none.
pub(crate) fn no_literal(name: &Name, input: ParseStream<'_>) -> Error {
    let tokens: Vec<TokenTree> =
        input.cursor().token_stream().into_iter().take_while(|token| !is_comma(token)).collect();
    let shown = name.shown();
    let message = match tokens.as_slice() {
        [TokenTree::Ident(word)] => match word.to_string().as_str() {
            "null" | "None" => format!("JSON's null counts as absent: write `not({shown})`"),
            "path" => format!("`{PATH}` is followed by a parameter of the route: write `{shown} = {PATH}.owner`"),
            text => match text.to_lowercase().as_str() {
                truth @ ("true" | "false") => format!("`{text}` is no literal: write `{truth}`"),
                _ => {
                    format!("`{text}` is no literal: write `{text:?}`, or `{PATH}.{text}` for a parameter of the route")
                }
            },
        },
        [TokenTree::Group(_)] => format!("this is no literal: {LITERALS}; several values are written {}", any_of(name)),
        _ => format!("this is no literal: {LITERALS}, as in `{shown} = \"value\"`"),
    };
    Error::new_spanned(tokens.into_iter().collect::<TokenStream>(), message)
}

fn is_comma(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',')
}

/// `role("admin")`: no word of the language, or none that takes what is in the parentheses.
pub(crate) fn called(name: &Name, inside: &TokenStream) -> Error {
    let shown = name.shown();
    let words = CONDITIONS.iter().map(|(word, ..)| *word);
    let single = name.segments.len() == 1 && name.segments.iter().all(|segment| !segment.quoted);
    let inner = inside.to_string();
    let one_literal = syn::parse2::<Lit>(inside.clone()).is_ok();
    let message = if name.is(FRESH) || name.is(SCOPE) || name.is(ACR) {
        format!("`{shown}(..)` is no term: write {}", any_of(name))
    } else if let Some(value) = Some(&inner).filter(|_| one_literal) {
        format!("`{shown}(..)` is no term: write `{shown} = {value}`")
    } else if let Some(meant) = near(&shown, words).filter(|_| single) {
        format!("`{shown}(..)` is no condition, did you mean `{meant}(..)`? There are {}", conditions())
    } else {
        format!("`{shown}(..)` is no condition: there are {}", conditions())
    };
    Error::new(name.span, message)
}

fn tokens_ahead(input: ParseStream<'_>, count: usize) -> TokenStream {
    input.cursor().token_stream().into_iter().take(count).collect()
}

fn next_token(input: ParseStream<'_>) -> String {
    match input.cursor().token_tree() {
        Some((TokenTree::Group(group), _)) => match group.delimiter() {
            Delimiter::Parenthesis => "(..)".to_owned(),
            Delimiter::Bracket => "[..]".to_owned(),
            Delimiter::Brace => "{..}".to_owned(),
            Delimiter::None => group.stream().to_string(),
        },
        Some((token, _)) => token.to_string(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_misses() {
        let words = ["all", "any", "not"];
        for (written, meant) in [
            ("al", Some("all")),
            ("nay", Some("any")),
            ("nto", Some("not")),
            ("ALL", Some("all")),
            ("every", None),
            ("role", None),
            ("x", None),
        ] {
            assert_eq!(near(written, words), meant, "{written}");
        }
    }
}
