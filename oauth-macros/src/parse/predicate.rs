//! What follows a claim's name: an operator and its operands, and the errors of anything else.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Error, Lit, LitStr, Result, Token, token};

use crate::forms::{COMMA_SEPARATES, forms, forms_of};
use crate::peek::{at_end, next_token, peek_operator, tokens_ahead};
use crate::syntax::{Name, OPERATOR_WORDS, OPERATORS, Operands, Operator, Predicate, Segment};

impl Predicate {
    pub(super) fn parse(name: &Name, input: ParseStream<'_>) -> Result<Self> {
        if at_end(input) {
            return Ok(Predicate::Present);
        }
        if input.peek(token::Paren) {
            let content;
            syn::parenthesized!(content in input);
            return Ok(Predicate::Called(content.parse()?));
        }
        let Some(written) = peek_operator(input) else { return Err(junk_after_name(name, input)) };
        let Some((_, operator, _)) = OPERATORS.iter().find(|(known, ..)| *known == written) else {
            return Err(unknown_operator(name, &written, input));
        };
        let tokens = written.chars().map(|_| input.parse::<TokenTree>()).collect::<Result<TokenStream>>()?;
        if at_end(input) {
            return Err(no_value(name, *operator, tokens));
        }
        Ok(Predicate::Compares(*operator, tokens, Operands::parse(name, *operator, input)?))
    }
}

fn unknown_operator(name: &Name, written: &str, input: ParseStream<'_>) -> Error {
    let tokens = tokens_ahead(input, written.len());
    let unquoted = name.segments.last().is_some_and(|last: &Segment| !last.quoted);
    let spelled = spelled_ahead(input);
    let whole = name.shown() + &spelled;
    if unquoted && matches!(written, "::" | "-" | "/" | "->") {
        let dotted = if written == "::" { format!(", or `{}`", whole.replace("::", ".")) } else { String::new() };
        let message = format!("`{whole}` is not an identifier: write such a name in quotes, `\"{whole}\"`{dotted}");
        return Error::new_spanned(tokens, message);
    }
    // `role: Role::Admin`
    if unquoted && written == ":" && input.peek2(Ident::peek_any) && input.peek3(Token![::]) {
        let (shown, value) = (name.shown(), spelled.trim_start_matches(':'));
        let message = format!(
            "a path is not a literal: write `{shown} = \"value\"`, or, as the whole of a guard, a pattern: `User {{ {shown}: \
             {value}, .. }}`"
        );
        return Error::new_spanned(tokens, message);
    }
    // `urn:example:role`, but not `role: "admin"`.
    if unquoted && written == ":" && spelled.len() > 1 && !input.peek2(Lit) {
        let message = format!("`{whole}` is not an identifier: write such a name in quotes, `\"{whole}\"`");
        return Error::new_spanned(tokens, message);
    }
    let shown = name.shown();
    let message = match written {
        "||" | "|" => format!("write `any({shown}, ..)` instead of `{written}`"),
        "&&" | "&" | ";" => format!("write a comma instead of `{written}`: {COMMA_SEPARATES}"),
        ".." => format!("a name is missing between the dots: write `{}`", whole.replace("..", ".")),
        "!" if matches!(input.cursor().token_stream().into_iter().nth(1), Some(TokenTree::Group(_))) => {
            format!("`{shown}!(..)` is not a term, since a policy calls no macro: write `role = \"admin\"`")
        }
        _ => {
            let meant = match written {
                "==" | ":" => Some(Operator::Equals),
                // Before anything but a number this is not an ordering, but was meant as an arrow.
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

/// The rest of what looks like a name, up to the term's operator or its end.
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

/// The error if a name is followed by neither an operator nor the end of the term.
fn junk_after_name(name: &Name, input: ParseStream<'_>) -> Error {
    let found = next_token(input);
    let shown = name.shown();
    let after_word = input.peek2(Lit) || input.peek2(token::Bracket);
    if name.is("or") || name.is("and") {
        return name.error(format!("the comma separates the terms: leave `{shown}` out"));
    }
    if name.is("if") {
        return name.error("a term needs no `if`: leave it out");
    }
    let operator = OPERATOR_WORDS.iter().find(|(word, _)| *word == found).map(|(_, operator)| *operator);
    let message = if name.is("let") {
        "a pattern needs no `let`: leave it out, as in `User { level: 3.., .. }`".to_owned()
    } else if found == "if" {
        format!("`{shown}` is not a pattern: write the type, as in `User {{ level, .. }} if *level > 3`")
    } else if found == "and" {
        format!("write a comma instead of `and`: {COMMA_SEPARATES}")
    } else if found == "or" {
        format!("write `any({shown}, ..)` instead of `or`")
    } else if found == "not" || found == "is" && input.peek2(Ident::peek_any) {
        format!(
            "`{found}` cannot be inside a term: write {}, or `not(..)` around one",
            forms_of(name, Operator::Differs)
        )
    } else if let Some(meant) = operator {
        did_you_mean(name, &found, meant)
    } else if input.peek(Ident::peek_any) && !after_word {
        format!("a comma is missing before `{found}`: write `{shown}, {found}`")
    } else if input.peek(Ident::peek_any) {
        format!("unknown operator `{found}`: write {}", forms(name))
    } else if input.peek(Lit) && !name.is_word() {
        format!("an operator is missing before `{found}`: write `{shown} = {found}`")
    } else {
        format!("an operator is missing before `{found}`: write {}", forms_of(name, Operator::Equals))
    };
    input.error(message)
}

fn no_value(name: &Name, operator: Operator, tokens: TokenStream) -> Error {
    Error::new_spanned(tokens, format!("a value is missing: write {}", forms_of(name, operator)))
}
