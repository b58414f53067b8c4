//! What is said of a mistake: its name, and what to write instead, out of the parser's own tables.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::{Error, Ident, Lit, LitStr, Token};

use crate::near::near;
use crate::policy::{
    ACR, CONDITIONS, Condition, FRESH, Name, OPERATORS, Operand, Operator, PATH, SCOPE, Segment, Term, Test, Value,
    begins_pattern, peek_operator,
};

const LITERALS: &str = "write a string, a number, `true` or `false`";

/// What other languages call the operators.
const OPERATOR_WORDS: [(&str, Operator); 14] = [
    ("in", Operator::Equals),
    ("is", Operator::Equals),
    ("as", Operator::Equals),
    ("has", Operator::Equals),
    ("contains", Operator::Equals),
    ("includes", Operator::Equals),
    ("eq", Operator::Equals),
    ("equals", Operator::Equals),
    ("any", Operator::Equals),
    ("ne", Operator::Differs),
    ("lt", Operator::Below),
    ("le", Operator::AtMost),
    ("gt", Operator::Above),
    ("ge", Operator::AtLeast),
];

/// What other languages call the conditions.
const CONDITION_WORDS: [(&str, Condition); 10] = [
    ("and", Condition::All),
    ("both", Condition::All),
    ("each", Condition::All),
    ("every", Condition::All),
    ("or", Condition::Any),
    ("either", Condition::Any),
    ("one", Condition::Any),
    ("some", Condition::Any),
    ("no", Condition::Not),
    ("none", Condition::Not),
];

const COMMA_SEPARATES: &str = "it separates terms that must all hold";

const AFTER_TERM: &str = "after a term comes a comma or the end";

pub(crate) const NO_CONDITION: &str = "a condition is missing after `if`, as in `User { level, .. } if *level > 3`";

/// The ways to write a term about this claim. Operators that take the same are named together.
pub(crate) fn forms(name: &Name) -> String {
    if name.is(SCOPE) || name.is(FRESH) || name.is(ACR) {
        return any_of(name);
    }
    let shown = name.shown();
    let mut kinds: Vec<(Operator, &str, Vec<String>)> = Vec::new();
    for (written, operator, examples) in &OPERATORS {
        let Some(example) = examples.first() else { continue };
        match kinds.iter_mut().find(|(_, taken, _)| taken == example) {
            Some((.., others)) => others.push(format!("`{written}`")),
            None => kinds.push((*operator, example, Vec::new())),
        }
    }
    let mut forms = Vec::new();
    for (operator, _, others) in kinds {
        let mut examples = examples(&shown, operator).into_iter();
        let others = if others.is_empty() { String::new() } else { format!(" (or {})", others.join(", ")) };
        forms.extend(examples.next().map(|first| first + &others));
        forms.extend(examples);
    }
    format!("{}, or `{shown}` alone (the claim is there)", forms.join(", "))
}

/// The ways to write this operator after this claim.
fn forms_of(name: &Name, operator: Operator) -> String {
    if name.is(SCOPE) || name.is(FRESH) || name.is(ACR) {
        return any_of(name);
    }
    examples(&name.shown(), operator).join(" or ")
}

fn examples(name: &str, operator: Operator) -> Vec<String> {
    operator.examples().iter().map(|value| format!("`{name} {} {value}`", operator.written())).collect()
}

/// The way to write a term about several values of this claim.
pub(crate) fn any_of(name: &Name) -> String {
    if name.is(SCOPE) {
        return "`scope = \"read write\"`, which wants every scope in it".to_owned();
    }
    if name.is(FRESH) {
        return "`fresh = \"5m\"`, the time since the person signed in".to_owned();
    }
    if name.is(ACR) {
        return "`acr = \"urn:example:mfa\"`, or a list of such strings".to_owned();
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

pub(crate) fn unknown_operator(name: &Name, written: &str, input: ParseStream<'_>) -> Error {
    let tokens = tokens_ahead(input, written.len());
    let unquoted = name.segments.last().is_some_and(|last: &Segment| !last.quoted);
    let spelled = spelled_ahead(input);
    let whole = name.shown() + &spelled;
    if unquoted && matches!(written, "::" | "-" | "/" | "->") {
        let dotted = if written == "::" { format!(", or `{}`", whole.replace("::", ".")) } else { String::new() };
        let message = format!("`{whole}` is no identifier: write such a name in quotes, `\"{whole}\"`{dotted}");
        return Error::new_spanned(tokens, message);
    }
    // `urn:example:role`, but not `role: "admin"`.
    if unquoted && written == ":" && spelled.len() > 1 && !input.peek2(Lit) {
        let message = format!("`{whole}` is no identifier: write such a name in quotes, `\"{whole}\"`");
        return Error::new_spanned(tokens, message);
    }
    let shown = name.shown();
    let message = match written {
        "||" | "|" => format!("write `any({shown}, ..)` instead of `{written}`"),
        "&&" | "&" | ";" => format!("write a comma instead of `{written}`: {COMMA_SEPARATES}"),
        ".." => format!("a name is missing between the dots: write `{}`", whole.replace("..", ".")),
        "!" if matches!(input.cursor().token_stream().into_iter().nth(1), Some(TokenTree::Group(_))) => {
            format!("`{shown}!(..)` is no term, since a policy calls no macro: write `role = \"admin\"`")
        }
        _ => {
            let meant = match written {
                "==" | ":" => Some(Operator::Equals),
                // What is no number is no order, and was meant as an arrow.
                "=>" if input.peek3(LitStr) => Some(Operator::Equals),
                "=>" => Some(Operator::AtLeast),
                "=<" => Some(Operator::AtMost),
                "<>" | "=!" | "!" => Some(Operator::Differs),
                _ => None,
            };
            match meant {
                Some(meant) => did_you_mean(name, written, meant),
                None => format!("unknown operator `{written}`: write {}", forms(name)),
            }
        }
    };
    Error::new_spanned(tokens, message)
}

fn did_you_mean(name: &Name, written: &str, meant: Operator) -> String {
    format!("unknown operator `{written}`, did you mean `{}`? Write {}", meant.written(), forms_of(name, meant))
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

/// A condition's word that is used like a claim's name: `all`, `any = 1`, `not role`.
pub(crate) fn word_without_parentheses(name: &Name, input: ParseStream<'_>) -> Option<Error> {
    let (word, _, example) = CONDITIONS.iter().find(|(word, ..)| name.is(word))?;
    if input.peek(Token![.]) {
        return None;
    }
    let inside: TokenStream = input.cursor().token_stream().into_iter().take_while(|token| !is_comma(token)).collect();
    let message = if input.peek(Ident::peek_any) {
        format!("`{word}` takes its terms in parentheses: write `{word}({inside})`")
    } else {
        format!(
            "`{word}` is followed by terms in parentheses, as in `{example}`; a claim of this name is written in quotes, \
             `\"{word}\"`"
        )
    };
    Some(name.error(message))
}

/// After a name came neither an operator nor the end of the term.
pub(crate) fn junk_after_name(name: &Name, input: ParseStream<'_>) -> Error {
    let found = next_token(input);
    let shown = name.shown();
    let after_word = input.peek2(Lit) || input.peek2(syn::token::Bracket);
    let operator = OPERATOR_WORDS.iter().find(|(word, _)| *word == found).map(|(_, operator)| *operator);
    let message = if name.is("let") {
        "a pattern stands alone: leave `let` out, as in `User { level: 3.., .. }`".to_owned()
    } else if found == "if" {
        format!("`{shown}` is no pattern: write the type, as in `User {{ level, .. }} if *level > 3`")
    } else if found == "and" {
        format!("write a comma instead of `and`: {COMMA_SEPARATES}")
    } else if found == "or" {
        format!("write `any({shown}, ..)` instead of `or`")
    } else if found == "not" || found == "is" && input.peek2(Ident::peek_any) {
        format!(
            "`{found}` does not stand within a term: write {}, or `not(..)` around one",
            forms_of(name, Operator::Differs)
        )
    } else if let Some(meant) = operator {
        did_you_mean(name, &found, meant)
    } else if input.peek(Ident::peek_any) && !after_word {
        format!("a comma is missing before `{found}`: write `{shown}, {found}`")
    } else if input.peek(Ident::peek_any) {
        format!("unknown operator `{found}`: write {}", forms(name))
    } else if input.peek(Lit) && !name.is(SCOPE) && !name.is(FRESH) && !name.is(ACR) {
        format!("an operator is missing before `{found}`: write `{shown} = {found}`")
    } else {
        format!("an operator is missing before `{found}`: write {}", forms_of(name, Operator::Equals))
    };
    input.error(message)
}

pub(crate) fn junk_after_term(term: &Term, input: ParseStream<'_>) -> Error {
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
            Term::Claim { name, test: Test::Compares(_, _, Value::One(first)) } if !name.is(SCOPE) => format!(
                "unexpected `..`: a range is two terms, as in `{name} >= {first}, {name} < 9`",
                name = name.shown(),
                first = first.shown()
            ),
            Term::Claim { .. } | Term::Condition { .. } => format!("unexpected `..`: {AFTER_TERM}"),
        },
        "." => match term {
            Term::Claim { test: Test::Compares(_, _, Value::One(Operand::Parameter { name, .. })), .. } => {
                format!("a parameter has one name: write `{PATH}.{name}`")
            }
            Term::Claim { .. } | Term::Condition { .. } => format!("unexpected `.`: {AFTER_TERM}"),
        },
        known if OPERATORS.iter().any(|(written, ..)| *written == known) => match term {
            Term::Claim { name, test: Test::Compares(..) } => {
                let name = name.shown();
                format!(
                    "unexpected `{known}`: a claim that is compared twice is two terms, as in `{name} > 3, {name} < 9`"
                )
            }
            Term::Claim { .. } | Term::Condition { .. } => format!("unexpected `{known}`: {AFTER_TERM}"),
        },
        _ => format!("unexpected `{operator}`: {AFTER_TERM}"),
    };
    Error::new_spanned(tokens_ahead(input, operator.len()), message)
}

/// How to write several values of the claim, where that is what a term like this one may have meant.
fn several_values(term: &Term) -> Option<String> {
    match term {
        Term::Claim { name, test: Test::Compares(Operator::Equals, ..) | Test::Present } => Some(any_of(name)),
        Term::Claim { .. } | Term::Condition { .. } => None,
    }
}

pub(crate) fn junk_after_runtime(input: ParseStream<'_>) -> Error {
    input.error(format!("unexpected `{}`: after `crate = \"..\"` comes a comma or the end", next_token(input)))
}

/// `User { level > 3 }`: the compiler's parser says what it missed, and this what to write.
pub(crate) fn no_pattern(first: Span, mistake: Error) -> Error {
    let message = "this is no pattern: write `User { level: 3.., .. }`, or compare after `if`, as in \
                   `User { level, .. } if *level > 3`";
    Error::new(within_tokens(first, &mistake), message)
}

/// `User { level, .. } if *level >`
pub(crate) fn no_condition(keyword: Span, mistake: Error) -> Error {
    let message = format!("this is no condition ({mistake}): write it as in `User {{ level, .. }} if *level > 3`");
    Error::new(within_tokens(keyword, &mistake), message)
}

/// Where a parser stopped; where that is the end, which is the whole attribute, rather where it began.
fn within_tokens(begin: Span, mistake: &Error) -> Span {
    if mistake.to_string().contains("end of input") { begin } else { mistake.span() }
}

pub(crate) fn junk_after_pattern(input: ParseStream<'_>) -> Error {
    const EXAMPLE: &str = "as in `User { level, .. } if *level > 3`";
    let operator = peek_operator(input);
    let found = operator.clone().unwrap_or_else(|| next_token(input));
    let message = match found.as_str() {
        "&&" | "||" | "&" | "where" => format!("unexpected `{found}`: after a pattern comes `if`, {EXAMPLE}"),
        ":" => format!("a pattern is no closure: write the type and its fields, {EXAMPLE}"),
        "if" => "one `if` is enough: write `&&` instead of the second".to_owned(),
        "crate" => "a comma is missing before `crate`".to_owned(),
        _ => format!("unexpected `{found}`: after a pattern comes `if`, a comma or the end"),
    };
    Error::new_spanned(tokens_ahead(input, operator.map_or(1, |operator| operator.len())), message)
}

/// `User { .. }, sub = path.owner`
pub(crate) fn term_beside_pattern(input: ParseStream<'_>) -> Error {
    Error::new(
        input.span(),
        "a pattern stands alone: write this as a second guard, `#[require_claim(..)]`, below the first",
    )
}

/// `sub = path.owner, User { .. }`
pub(crate) fn pattern_beside_term(within: Option<Condition>, input: ParseStream<'_>) -> Error {
    let message = match within {
        None => "a pattern stands alone: write it as a second guard, `#[require_claim(User { .. })]`, below the first",
        Some(Condition::All) => {
            "a pattern does not stand in `all(..)`: write it as a second guard, `#[require_claim(User { .. })]`, below \
             the first"
        }
        Some(Condition::Any) => {
            "a pattern does not stand in `any(..)`: write one pattern of it all, as in \
             `User { level: 3.., .. } | User { verified: true, .. }`"
        }
        Some(Condition::Not) => {
            "a pattern does not stand in `not(..)`: write a condition, as in `User { level, .. } if *level != 3`"
        }
    };
    Error::new(input.span(), message)
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
        _ => match turned_round(input) {
            Some(term) => format!("`{shown}` is no claim: the claim stands on the left, as in `{term}`"),
            None => format!("`{shown}` is no claim: a term begins with a claim's name, as in `role = \"admin\"`"),
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

/// Where a term should begin stands something that begins none.
pub(crate) fn no_term(input: ParseStream<'_>) -> Error {
    let found = next_token(input);
    let message = match found.as_str() {
        "," => "a term is missing before this comma: write `role = \"admin\"`, or leave the comma out".to_owned(),
        "=" => "a claim's name is missing before `=`: write `role = \"admin\"`".to_owned(),
        "!" if begins_pattern_after_punct(input) => {
            "a pattern is not negated: write a condition, as in `User { level, .. } if *level != 3`".to_owned()
        }
        "(..)" if begins_pattern_in_parentheses(input) => "a pattern takes no parentheses: leave them out".to_owned(),
        "!" => "there is no operator `!` before a term: write `not(..)`, as in `not(role = \"guest\")`".to_owned(),
        "(..)" => format!("parentheses follow a word: write {}", conditions()),
        _ => format!("`{found}` begins no term: write a claim's name, as in `role = \"admin\"`"),
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

/// After `realm.` comes no name.
pub(crate) fn no_segment(before: &[Segment], input: ParseStream<'_>) -> Error {
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

pub(crate) fn no_parameter(input: ParseStream<'_>) -> Error {
    let path = tokens_ahead(input, 2);
    Error::new_spanned(path, format!("`{PATH}.` wants a parameter of the route: write `{PATH}.owner` for `{{owner}}`"))
}

pub(crate) fn no_value(name: &Name, operator: Operator, tokens: TokenStream) -> Error {
    Error::new_spanned(tokens, format!("a value is missing: write {}", forms_of(name, operator)))
}

pub(crate) fn no_value_before_comma(name: &Name, input: ParseStream<'_>) -> Error {
    input.error(format!("a value is missing before this comma: write {}", any_of(name)))
}

/// `3u8`, or `5m` where a time is wanted.
pub(crate) fn suffix(name: &Name, lit: &Lit) -> Error {
    let (whole, suffix) = (lit.to_token_stream().to_string(), lit.suffix());
    let message = if name.is(FRESH) && !matches!(lit, Lit::Str(_)) {
        format!("a time is written in quotes: write `{FRESH} = \"{whole}\"`")
    } else {
        let bare = whole.strip_suffix(suffix).unwrap_or(&whole).trim_end_matches('_');
        format!("a claim is JSON, whose values have no suffix such as `{suffix}`: write `{bare}`")
    };
    Error::new_spanned(lit, message)
}

pub(crate) fn suffix_of_name(text: &LitStr) -> Error {
    let message = format!("a claim's name has no suffix such as `{}`: write `{:?}`", text.suffix(), text.value());
    Error::new_spanned(text, message)
}

pub(crate) fn list_without_commas(name: &Name, list: ParseStream<'_>) -> Error {
    list.error(format!("the values of a list are separated by commas: {}", any_of(name)))
}

/// What stands for a value is none.
pub(crate) fn no_literal(name: &Name, operator: Operator, input: ParseStream<'_>) -> Error {
    let tokens: Vec<TokenTree> =
        input.cursor().token_stream().into_iter().take_while(|token| !is_comma(token)).collect();
    let shown = name.shown();
    let takes_parameters = !name.is(SCOPE) && !name.is(FRESH) && !name.is(ACR);
    let parameter = parameter_meant(&tokens).filter(|_| takes_parameters);
    let message = match tokens.as_slice() {
        [TokenTree::Ident(word)] => match word.to_string().as_str() {
            "null" | "None" if operator == Operator::Differs => {
                format!("JSON's null counts as absent: write `{shown}` alone (the claim is there)")
            }
            "null" | "None" => format!("JSON's null counts as absent: write `not({shown})`"),
            PATH => format!("`{PATH}` is followed by a parameter of the route: write `{shown} = {PATH}.owner`"),
            text => match text.to_lowercase().as_str() {
                truth @ ("true" | "false") => format!("`{text}` is no literal: write `{truth}`"),
                _ if takes_parameters => {
                    format!("`{text}` is no literal: write `{text:?}`, or `{PATH}.{text}` for a parameter of the route")
                }
                _ => format!("`{text}` is no literal: write `{text:?}`"),
            },
        },
        [TokenTree::Punct(second), ..] if is_operator(operator, second.as_char()) => {
            let whole = format!("{}{second}", operator.written());
            format!("`{whole}` is one operator: write it without a space")
        }
        _ => match parameter {
            Some(parameter) => format!("a parameter of the route is written `{shown} = {PATH}.{parameter}`"),
            None => match tokens.as_slice() {
                [TokenTree::Group(_)] => {
                    format!("this is no literal: {LITERALS}; several values are written {}", any_of(name))
                }
                _ => format!("this is no literal: {LITERALS}, as in `{shown} = \"value\"`"),
            },
        },
    };
    Error::new_spanned(tokens.into_iter().collect::<TokenStream>(), message)
}

/// Whether the two were one operator, had there been no space between them.
fn is_operator(first: Operator, second: char) -> bool {
    let whole = format!("{}{second}", first.written());
    OPERATORS.iter().any(|(written, ..)| *written == whole)
}

/// `{owner}`, `path("owner")`, `path::owner`, `Path.owner`: the route's parameter that was meant.
fn parameter_meant(tokens: &[TokenTree]) -> Option<String> {
    let inside = |token: &TokenTree| match token {
        TokenTree::Group(group) if group.delimiter() != Delimiter::None => match group.stream().into_iter().next() {
            Some(TokenTree::Ident(word)) => Some(word.to_string()),
            Some(TokenTree::Literal(literal)) => {
                syn::parse_str::<LitStr>(&literal.to_string()).ok().map(|text| text.value())
            }
            Some(TokenTree::Group(_) | TokenTree::Punct(_)) | None => None,
        },
        TokenTree::Ident(word) => Some(word.to_string()),
        TokenTree::Group(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => None,
    };
    match tokens {
        [TokenTree::Group(group)]
            if group.delimiter() == Delimiter::Brace && group.stream().into_iter().count() == 1 =>
        {
            match group.stream().into_iter().next() {
                Some(TokenTree::Ident(word)) => Some(word.to_string()),
                Some(TokenTree::Group(_) | TokenTree::Punct(_) | TokenTree::Literal(_)) | None => None,
            }
        }
        [TokenTree::Ident(word), .., last] if word.to_string().eq_ignore_ascii_case(PATH) => inside(last),
        _ => None,
    }
}

fn is_comma(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',')
}

/// `role("admin")`: no word of the language, or none that takes what is in the parentheses.
pub(crate) fn called(name: &Name, inside: &TokenStream) -> Error {
    let shown = name.shown();
    let words = CONDITIONS.iter().map(|(word, ..)| *word);
    let inner = inside.to_string();
    let one_literal = syn::parse2::<Lit>(inside.clone()).is_ok();
    let only = match name.segments.as_slice() {
        [only] => Some(only),
        _ => None,
    };
    let quoted = only.filter(|only| only.quoted && words.clone().any(|word| word == only.text));
    let meant = only.filter(|only| !only.quoted).and_then(|only| {
        let known = CONDITION_WORDS.iter().find(|(word, _)| only.text.eq_ignore_ascii_case(word));
        known.map(|(_, condition)| condition.word()).or_else(|| near(&only.text, words))
    });
    let message = if name.is(FRESH) || name.is(SCOPE) || name.is(ACR) {
        format!("`{shown}(..)` is no term: write {}", any_of(name))
    } else if inner.is_empty() {
        format!("`{shown}()` is no term: write `{shown}` alone (the claim is there)")
    } else if let Some(term) = method(name, &inner) {
        format!("`{shown}(..)` is no term: write `{term}`")
    } else if one_literal {
        format!("`{shown}(..)` is no term: write `{shown} = {inner}`")
    } else if let Some(quoted) = quoted {
        format!("in quotes this is a claim's name: write `{}(..)` without them", quoted.text)
    } else if let Some((word, _, example)) = CONDITIONS.iter().find(|(word, ..)| Some(*word) == meant) {
        format!("`{shown}(..)` is no condition, did you mean `{word}(..)`, as in `{example}`?")
    } else {
        format!("`{shown}(..)` is no condition: there are {}", conditions())
    };
    name.error(message)
}

/// `roles.contains("admin")` as `roles = "admin"`.
fn method(name: &Name, inside: &str) -> Option<String> {
    let [base @ .., called] = name.segments.as_slice() else { return None };
    let (_, operator) = OPERATOR_WORDS.iter().find(|(word, _)| !base.is_empty() && *word == called.text)?;
    let base: Vec<String> = base.iter().map(Segment::shown).collect();
    let value = if inside.contains(',') { format!("[{inside}]") } else { inside.to_owned() };
    Some(format!("{} {} {value}", base.join("."), operator.written()))
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
