//! `role(..)`: this is not a term, and the name tells what was meant.

use proc_macro2::{TokenStream, TokenTree};
use syn::{Error, Lit};

use crate::forms::{any_of, combinators};
use crate::near::near;
use crate::syntax::{COMBINATOR_WORDS, COMBINATORS, Name, OPERATOR_WORDS, SCOPE, Segment};

/// `role("admin")`: not a word of the language, or one that does not take what is in the parentheses.
pub(super) fn called(name: &Name, inside: &TokenStream) -> Error {
    let shown = name.shown();
    let words = COMBINATORS.iter().map(|(word, ..)| *word);
    let inner = inside.to_string();
    let one_literal = syn::parse2::<Lit>(inside.clone()).is_ok();
    let only = match name.segments.as_slice() {
        [only] => Some(only),
        _ => None,
    };
    let quoted = only.filter(|only| only.quoted && words.clone().any(|word| word == only.text));
    let meant = only.filter(|only| !only.quoted).and_then(|only| {
        let known = COMBINATOR_WORDS.iter().find(|(word, _)| only.text.eq_ignore_ascii_case(word));
        known.map(|(_, combinator)| combinator.word()).or_else(|| near(&only.text, words))
    });
    let message = if name.is_word() {
        format!("`{shown}(..)` is not a term: write {}", any_of(name))
    } else if inner.is_empty() {
        format!("`{shown}()` is not a term: write `{shown}` alone (the claim is there)")
    } else if let Some(term) = method(name, &inner) {
        format!("`{shown}(..)` is not a term: write `{term}`")
    } else if let Some(term) = has(only, inside) {
        format!("`{shown}(..)` is not a term: write `{term}`")
    } else if one_literal {
        format!("`{shown}(..)` is not a term: write `{shown} = {inner}`")
    } else if let Some(quoted) = quoted {
        format!("in quotes this is a claim's name: write `{}(..)` without them", quoted.text)
    } else if let Some((word, _, example)) = COMBINATORS.iter().find(|(word, ..)| Some(*word) == meant) {
        format!("`{shown}(..)` is not a condition, did you mean `{word}(..)`, as in `{example}`?")
    } else {
        format!("`{shown}(..)` is not a condition: there are {}", combinators())
    };
    name.error(message)
}

/// `hasRole("ADMIN")` as `role = "ADMIN"`, also with the quotes of other languages.
fn has(only: Option<&Segment>, inside: &TokenStream) -> Option<String> {
    let rest = only?.text.strip_prefix("has").filter(|rest| rest.starts_with(|first: char| !first.is_lowercase()))?;
    let rest = rest.trim_start_matches('_');
    let name = rest.strip_prefix("Any").or_else(|| rest.strip_prefix("any_")).unwrap_or(rest).to_lowercase();
    let mut values = Vec::new();
    for token in inside.clone() {
        match token {
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                let inner = text.trim_matches(['\'', '"']);
                values.push(if inner == text { text } else { format!("{inner:?}") });
            }
            TokenTree::Punct(punct) if punct.as_char() == ',' => {}
            TokenTree::Group(_) | TokenTree::Ident(_) | TokenTree::Punct(_) => return None,
        }
    }
    match values.as_slice() {
        _ if name.is_empty() => None,
        [] => None,
        [value] => Some(format!("{name} = {value}")),
        several if name == SCOPE => Some(format!("{name} = {:?}", several.join(" ").replace('"', ""))),
        several => Some(format!("{name} = [{}]", several.join(", "))),
    }
}

/// `roles.contains("admin")` as `roles = "admin"`.
fn method(name: &Name, inside: &str) -> Option<String> {
    let [base @ .., called] = name.segments.as_slice() else { return None };
    let (_, operator) = OPERATOR_WORDS.iter().find(|(word, _)| !base.is_empty() && *word == called.text)?;
    let base: Vec<String> = base.iter().map(Segment::shown).collect();
    let value = if inside.contains(',') { format!("[{inside}]") } else { inside.to_owned() };
    Some(format!("{} {} {value}", base.join("."), operator.written()))
}
