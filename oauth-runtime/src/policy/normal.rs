//! The normal form of a rule: the same for two policies that differ only in order, spelling or nesting.
//!
//! Every step keeps the decision, *unknown* included: negations move inwards to the terms, nested conditions of one kind
//! become one, and what is left is sorted without repetition.

use std::fmt;

use crate::policy::{Decision, Rule, Test, Value};

/// Words that mean something else than a claim where they begin a term.
pub(crate) const WORDS: [&str; 8] = ["scope", "fresh", "acr", "path", "all", "any", "not", "crate"];

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Normal {
    Term(String),
    All(Vec<Normal>),
    Any(Vec<Normal>),
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match normal(self, false) {
            Normal::All(terms) => f.write_str(&list(&terms)),
            other => write!(f, "{other}"),
        }
    }
}

/// For each term of each `any(..)`, what it admits by itself: tokens with it and with what is beside the `any(..)`.
pub(crate) fn alone(rules: &[&Rule]) -> Vec<String> {
    fn collect(normal: &Normal, beside: &[String], into: &mut Vec<String>) {
        match normal {
            Normal::Term(_) => {}
            Normal::All(terms) => {
                for (place, term) in terms.iter().enumerate() {
                    let others = terms.iter().enumerate().filter(|(other, _)| *other != place);
                    let others = others.map(|(_, other)| other.to_string()).filter(|other| other != ANY_TOKEN);
                    collect(term, &beside.iter().cloned().chain(others).collect::<Vec<_>>(), into);
                }
            }
            Normal::Any(terms) => {
                for term in terms {
                    into.push(if beside.is_empty() {
                        format!("{term} alone")
                    } else {
                        format!("{term} alone, beside {}", beside.join(", "))
                    });
                    collect(term, beside, into);
                }
            }
        }
    }
    let mut terms = Vec::new();
    for rule in rules {
        match normal(rule, false) {
            Normal::All(several) => terms.extend(several),
            other => terms.push(other),
        }
    }
    let mut found = Vec::new();
    collect(&Normal::All(terms), &[], &mut found);
    found
}

const ANY_TOKEN: &str = "any valid token";

impl fmt::Display for Normal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Normal::Term(term) => f.write_str(term),
            Normal::All(terms) => write!(f, "all({})", list(terms)),
            Normal::Any(terms) => write!(f, "any({})", list(terms)),
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Decision::True => "true",
            Decision::False => "false",
            Decision::Unknown => "unknown",
        })
    }
}

fn normal(rule: &Rule, negated: bool) -> Normal {
    let term = |text: String| Normal::Term(if negated { format!("not({text})") } else { text });
    match rule {
        Rule::Public => term("#[public]".to_owned()),
        Rule::Token => term(ANY_TOKEN.to_owned()),
        Rule::Not(rule) => normal(rule, !negated),
        // De Morgan's laws hold in Kleene's logic.
        Rule::All(rules) => several(rules, negated, !negated),
        Rule::Any(rules) => several(rules, negated, negated),
        Rule::Claim(name, test) => match (test, negated) {
            (Test::Equals(value), false) | (Test::Differs(value), true) => {
                Normal::Term(format!("{} = {value}", path(name)))
            }
            (Test::Equals(value), true) | (Test::Differs(value), false) => {
                Normal::Term(format!("{} != {value}", path(name)))
            }
            (Test::OneOf([value]), false) => Normal::Term(format!("{} = {value}", path(name))),
            (Test::OneOf([value]), true) => Normal::Term(format!("{} != {value}", path(name))),
            (Test::OneOf(values), _) => {
                let mut values: Vec<String> = values.iter().map(ToString::to_string).collect();
                values.sort();
                values.dedup();
                term(format!("{} = [{}]", path(name), values.join(", ")))
            }
            (Test::Orders(order, value), _) => {
                let order = if negated { order.opposite() } else { *order };
                Normal::Term(format!("{} {} {value}", path(name), order.as_str()))
            }
            (Test::Present, _) => term(path(name)),
        },
        Rule::Scope(tokens) => {
            let mut tokens = tokens.to_vec();
            tokens.sort_unstable();
            term(format!("scope = {:?}", tokens.join(" ")))
        }
        Rule::Fresh(seconds) => term(format!("fresh = {:?}", duration(*seconds))),
        Rule::Acr(wanted) => {
            let mut wanted: Vec<String> = wanted.iter().map(|acr| format!("{acr:?}")).collect();
            wanted.sort();
            term(match wanted.as_slice() {
                [one] => format!("acr = {one}"),
                several => format!("acr = [{}]", several.join(", ")),
            })
        }
        Rule::Typed(typed) => term(typed.pattern.to_owned()),
    }
}

fn several(rules: &[Rule], negated: bool, all: bool) -> Normal {
    let mut flat = Vec::new();
    for rule in rules {
        match (normal(rule, negated), all) {
            (Normal::All(inner), true) | (Normal::Any(inner), false) => flat.extend(inner),
            (other, _) => flat.push(other),
        }
    }
    flat.sort();
    flat.dedup();
    match flat.len() {
        1 => flat.swap_remove(0),
        _ if all => Normal::All(flat),
        _ => Normal::Any(flat),
    }
}

fn list(terms: &[Normal]) -> String {
    terms.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn path(name: &[&str]) -> String {
    let shown = |(index, name): (usize, &&str)| {
        if index == 0 && WORDS.contains(name) { format!("{name:?}") } else { segment(name) }
    };
    name.iter().enumerate().map(shown).collect::<Vec<_>>().join(".")
}

/// A word, or a text in quotes.
fn segment(name: &str) -> String {
    let is_word = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
        && name != "_";
    if is_word { name.to_owned() } else { format!("{name:?}") }
}

/// In the largest unit without a remainder.
fn duration(seconds: u64) -> String {
    let units = [("d", 86_400), ("h", 3_600), ("m", 60)];
    match units.into_iter().find(|(_, unit)| seconds > 0 && seconds.is_multiple_of(*unit)) {
        Some((name, unit)) => format!("{}{name}", seconds / unit),
        None => format!("{seconds}s"),
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Str(text) => write!(f, "{text:?}"),
            Value::Int(int) => write!(f, "{int}"),
            Value::Float(float) => write!(f, "{float:?}"),
            Value::Bool(truth) => write!(f, "{truth}"),
            Value::Parameter(name) => write!(f, "path.{}", segment(name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Order;

    const A: Rule = Rule::Claim(&["a"], Test::Equals(Value::Int(1)));
    const B: Rule = Rule::Claim(&["b"], Test::Present);
    const C: Rule = Rule::Claim(&["c"], Test::Orders(Order::Above, Value::Float(1.5)));

    #[test]
    fn each_way_through_an_any_is_named() {
        const EITHER: Rule = Rule::Any(&[A, B]);
        for (rules, expected) in [
            (&[&A, &B, &Rule::Not(&EITHER)][..], &[][..]),
            (&[&EITHER], &["a = 1 alone", "b alone"]),
            (&[&Rule::Token, &EITHER], &["a = 1 alone", "b alone"]),
            (&[&EITHER, &C], &["a = 1 alone, beside c > 1.5", "b alone, beside c > 1.5"]),
            (&[&Rule::Not(&Rule::All(&[A, B]))], &["a != 1 alone", "not(b) alone"]),
            (
                &[&Rule::Any(&[C, Rule::All(&[A, Rule::Any(&[B, Rule::Fresh(60)])])])],
                &[
                    "c > 1.5 alone",
                    "all(a = 1, any(b, fresh = \"1m\")) alone",
                    "b alone, beside a = 1",
                    "fresh = \"1m\" alone, beside a = 1",
                ],
            ),
        ] {
            assert_eq!(alone(rules), expected, "{rules:?}");
        }
    }

    #[test]
    fn order_spelling_and_nesting_make_no_difference() {
        for (rule, expected) in [
            (Rule::All(&[B, A]), "a = 1, b"),
            (Rule::All(&[A, Rule::All(&[B, A])]), "a = 1, b"),
            (Rule::Any(&[C, Rule::Any(&[B, Rule::All(&[A])])]), "any(a = 1, b, c > 1.5)"),
            (Rule::All(&[Rule::Any(&[A, B]), C]), "c > 1.5, any(a = 1, b)"),
            (Rule::Not(&Rule::Not(&A)), "a = 1"),
            (Rule::Not(&A), "a != 1"),
            (Rule::Not(&Rule::All(&[A, B])), "any(a != 1, not(b))"),
            (Rule::Not(&Rule::Any(&[A, C])), "a != 1, c <= 1.5"),
            (Rule::Not(&Rule::All(&[Rule::Not(&A), Rule::Any(&[B, C])])), "any(a = 1, all(c <= 1.5, not(b)))"),
            (Rule::Claim(&["a"], Test::OneOf(&[Value::Str("y"), Value::Str("x")])), "a = [\"x\", \"y\"]"),
            (Rule::Not(&Rule::Claim(&["a"], Test::OneOf(&[Value::Str("x")]))), "a != \"x\""),
            (Rule::Scope(&["b", "a"]), "scope = \"a b\""),
            (Rule::Fresh(300), "fresh = \"5m\""),
            (Rule::Fresh(90), "fresh = \"90s\""),
            (Rule::Fresh(86_400), "fresh = \"1d\""),
            (Rule::Acr(&["x"]), "acr = \"x\""),
            (Rule::Claim(&["sub"], Test::Equals(Value::Parameter("owner"))), "sub = path.owner"),
            (Rule::Claim(&["scope"], Test::Present), "\"scope\""),
            (Rule::Claim(&["x", "scope"], Test::Present), "x.scope"),
            (Rule::Claim(&["https://a/b", "c d"], Test::Present), "\"https://a/b\".\"c d\""),
        ] {
            assert_eq!(rule.to_string(), expected, "{rule:?}");
        }
    }
}
