//! The ways to write a term, for error messages, from the parser's own tables.

use crate::syntax::{ACR, COMBINATORS, FRESH, Name, OPERATORS, Operator, SCOPE};

pub(crate) const COMMA_SEPARATES: &str = "it separates terms that must all hold";

/// The ways to write a term about this claim. Operators with the same operands are named together.
pub(crate) fn forms(name: &Name) -> String {
    if name.is_word() {
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
pub(crate) fn forms_of(name: &Name, operator: Operator) -> String {
    if name.is_word() {
        return any_of(name);
    }
    examples(&name.shown(), operator).join(" or ")
}

fn examples(name: &str, operator: Operator) -> Vec<String> {
    operator.examples().iter().map(|value| format!("`{name} {} {value}`", operator.written())).collect()
}

/// What is wrong with a combinator's word in place of a claim's name.
pub(crate) fn combinator_as_name(word: &str, example: &str) -> String {
    format!(
        "`{word}` is followed by terms in parentheses, as in `{example}`; a claim of this name is written in quotes, \
         `\"{word}\"`"
    )
}

/// The way to write a term about several values of this claim.
pub(crate) fn any_of(name: &Name) -> String {
    if name.is(SCOPE) {
        return "`scope = \"read write\"`, which requires every scope in it".to_owned();
    }
    if name.is(FRESH) {
        return "`fresh = \"5m\"`, the time since the person signed in".to_owned();
    }
    if name.is(ACR) {
        return "`acr = \"urn:example:mfa\"`, or a list of such strings".to_owned();
    }
    format!("`{} = [\"one\", \"other\"]`", name.shown())
}

/// The combinators, by example.
pub(crate) fn combinators() -> String {
    let examples: Vec<String> = COMBINATORS.iter().map(|(.., example)| format!("`{example}`")).collect();
    match examples.as_slice() {
        [rest @ .., last] => format!("{} or {last}", rest.join(", ")),
        [] => String::new(),
    }
}
