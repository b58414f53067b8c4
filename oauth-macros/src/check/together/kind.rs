//! The kinds of values that a claim can have, as far as its terms distinguish them, and what a term says about each.

use std::cmp::Ordering;

use crate::rule::{Kind, Order, Rule, Test, Value};

/// The outcome of a rule, as in Kleene's logic: the least decides `all(..)`, the greatest `any(..)`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Truth {
    False,
    Unknown,
    True,
}

/// The value of the route's parameter, if the terms name one.
pub(super) type Scenario = Option<String>;

/// The one claim that a rule is about.
pub(super) fn subject(rule: &Rule) -> Option<&Vec<String>> {
    match rule {
        Rule::Claim(name, _) => Some(name),
        Rule::Not(rule) => subject(rule),
        Rule::All(rules) | Rule::Any(rules) => {
            let first = subject(rules.first()?)?;
            rules.iter().all(|rule| subject(rule) == Some(first)).then_some(first)
        }
        Rule::Public | Rule::Token | Rule::Scope(_) | Rule::Fresh(_) | Rule::Acr(_) => None,
    }
}

/// The parameters of the route that these name.
pub(super) fn parameters(rules: &[&Rule]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for value in values(rules) {
        match value {
            Value::Parameter(name) if !names.contains(&name) => names.push(name),
            Value::Parameter(_) | Value::Str(_) | Value::Int(_) | Value::Float(_) | Value::Bool(_) => {}
        }
    }
    names
}

/// All values of the parameter that the terms distinguish: each of their texts, another, and a number.
pub(super) fn scenarios(rules: &[&Rule]) -> Vec<Scenario> {
    if parameters(rules).is_empty() {
        return vec![None];
    }
    let texts = values(rules).into_iter().filter_map(|value| match value {
        Value::Str(text) => Some(text),
        Value::Parameter(_) | Value::Int(_) | Value::Float(_) | Value::Bool(_) => None,
    });
    texts.chain(["\0".to_owned(), NUMBER.to_string()]).map(Some).collect()
}

const NUMBER: i128 = 1;

/// The kinds that are not lists.
pub(super) fn scalars(rules: &[&Rule], scenario: &Scenario) -> Vec<Kind> {
    let (mut texts, mut numbers): (Vec<String>, Vec<Value>) = (Vec::new(), Vec::new());
    texts.extend(scenario.clone());
    numbers.extend(scenario.as_ref().and_then(|text| text.parse().ok()).map(Value::Int));
    for value in values(rules) {
        match value {
            Value::Str(text) => texts.push(text),
            Value::Int(_) | Value::Float(_) => numbers.push(value),
            Value::Bool(_) | Value::Parameter(_) => {}
        }
    }
    texts.sort();
    texts.dedup();
    numbers.sort_by(Value::order);
    numbers.dedup_by(|one, other| one.matches(other));
    let mut kinds = vec![Kind::Absent, Kind::Bool(false), Kind::Bool(true), Kind::Object];
    kinds.extend(texts.iter().cloned().map(Kind::Text));
    kinds.push(Kind::OtherText(texts));
    for (index, number) in numbers.iter().enumerate() {
        let before = index.checked_sub(1).map(|before| numbers[before].clone());
        kinds.push(Kind::Between(before, Some(number.clone())));
        kinds.push(Kind::Is(number.clone()));
    }
    kinds.push(Kind::Between(numbers.last().cloned(), None));
    kinds
}

/// The lists, by which of the values are in them; `None` if there are too many values. Other elements make no term
/// hold.
pub(super) fn lists(rules: &[&Rule], scenario: &Scenario) -> Option<Vec<Kind>> {
    let named = |kind: &Kind| match kind {
        Kind::Text(_) | Kind::Is(_) => true,
        Kind::Bool(truth) => values(rules).contains(&Value::Bool(*truth)),
        Kind::Absent | Kind::OtherText(_) | Kind::Between(..) | Kind::Object | Kind::List(_) => false,
    };
    subsets(scalars(rules, scenario).into_iter().filter(named).collect())
}

/// A list for each choice of these.
pub(super) fn subsets(of: Vec<Kind>) -> Option<Vec<Kind>> {
    if of.len() > MOST {
        return None;
    }
    let chosen = |choice: usize| of.iter().enumerate().filter(move |(index, _)| choice >> index & 1 == 1);
    Some((0..1 << of.len()).map(|choice| Kind::List(chosen(choice).map(|(_, kind)| kind.clone()).collect())).collect())
}

const MOST: usize = 7;

/// What a rule about one claim says about a value of this kind.
pub(super) fn decide(rule: &Rule, kind: &Kind, scenario: &Scenario) -> Truth {
    match rule {
        Rule::All(rules) => rules.iter().map(|rule| decide(rule, kind, scenario)).min().unwrap_or(Truth::True),
        Rule::Any(rules) => rules.iter().map(|rule| decide(rule, kind, scenario)).max().unwrap_or(Truth::False),
        Rule::Not(rule) => decide(rule, kind, scenario).not(),
        Rule::Claim(_, test) => match test {
            Test::Present => Truth::of(!matches!(kind, Kind::Absent | Kind::Bool(false))),
            Test::Equals(value) => equals(kind, value, scenario),
            Test::Differs(value) => equals(kind, value, scenario).not(),
            Test::OneOf(values) => {
                values.iter().map(|value| equals(kind, value, scenario)).max().unwrap_or(Truth::False)
            }
            Test::Orders(order, value) => compare(kind, value).map_or(Truth::Unknown, |found| {
                Truth::of(match order {
                    Order::Below => found == Ordering::Less,
                    Order::AtMost => found != Ordering::Greater,
                    Order::Above => found == Ordering::Greater,
                    Order::AtLeast => found != Ordering::Less,
                })
            }),
        },
        Rule::Public | Rule::Token | Rule::Scope(_) | Rule::Fresh(_) | Rule::Acr(_) => Truth::Unknown,
    }
}

impl Truth {
    fn of(holds: bool) -> Truth {
        if holds { Truth::True } else { Truth::False }
    }

    fn not(self) -> Truth {
        match self {
            Truth::True => Truth::False,
            Truth::Unknown => Truth::Unknown,
            Truth::False => Truth::True,
        }
    }
}

fn equals(kind: &Kind, value: &Value, scenario: &Scenario) -> Truth {
    match (kind, value) {
        // A list is searched, one level deep.
        (Kind::List(items), _) => items.iter().map(|item| equals(item, value, scenario)).max().unwrap_or(Truth::False),
        (Kind::Text(text), Value::Str(value)) => Truth::of(text == value),
        (Kind::Text(text), Value::Parameter(_)) => Truth::of(Some(text) == scenario.as_ref()),
        (Kind::OtherText(_), Value::Str(_) | Value::Parameter(_)) => Truth::False,
        (Kind::Bool(truth), Value::Bool(value)) => Truth::of(truth == value),
        (Kind::Is(_) | Kind::Between(..), Value::Int(_) | Value::Float(_)) => {
            compare(kind, value).map_or(Truth::Unknown, |found| Truth::of(found == Ordering::Equal))
        }
        (Kind::Is(_) | Kind::Between(..), Value::Parameter(_)) => {
            match scenario.as_ref().and_then(|it| it.parse().ok()) {
                Some(number) => equals(kind, &Value::Int(number), scenario),
                None => Truth::Unknown,
            }
        }
        (Kind::Absent | Kind::Object | Kind::Bool(_), _) | (Kind::Text(_) | Kind::OtherText(_), _) => Truth::Unknown,
        (Kind::Is(_) | Kind::Between(..), _) => Truth::Unknown,
    }
}

/// How numbers of this kind compare with a number that the terms name.
fn compare(kind: &Kind, value: &Value) -> Option<Ordering> {
    match kind {
        Kind::Is(number) => Some(number.order(value)),
        Kind::Between(Some(below), _) if below.order(value) != Ordering::Less => Some(Ordering::Greater),
        Kind::Between(..) => Some(Ordering::Less),
        Kind::Absent | Kind::Bool(_) | Kind::Text(_) | Kind::OtherText(_) | Kind::Object | Kind::List(_) => None,
    }
}

/// All values that they name.
pub(super) fn values(rules: &[&Rule]) -> Vec<Value> {
    rules.iter().flat_map(|rule| rule.tests()).flat_map(Test::named).cloned().collect()
}
