//! The meaning of a checked policy: the rule of the handler.

use std::cmp::Ordering;

use proc_macro2::{Ident, Span, TokenStream};

use crate::syntax::{ACR, COMBINATORS, FRESH, PATH, SCOPE, WORDS};

/// The mirror of `oauth_runtime::rule::Rule`, except for patterns.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Rule {
    Public,
    Token,
    All(Vec<Rule>),
    Any(Vec<Rule>),
    Not(Box<Rule>),
    Claim(Vec<String>, Test),
    Scope(Vec<String>),
    /// In seconds.
    Fresh(u64),
    Acr(Vec<String>),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Test {
    Present,
    Equals(Value),
    Differs(Value),
    OneOf(Vec<Value>),
    Orders(Order, Value),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Order {
    Below,
    AtMost,
    Above,
    AtLeast,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Str(String),
    Int(i128),
    Float(f64),
    Bool(bool),
    Parameter(String),
}

/// The values of two tests as one list, if no value meets both.
pub(crate) fn either(one: &Test, other: &Test) -> Option<String> {
    let (one, other) = (one.values(), other.values());
    let is_shared = |value: &Value| other.iter().any(|it| it.matches(value));
    let are_apart = one.iter().chain(other).all(Value::is_literal) && !one.iter().any(is_shared);
    let list = || Value::listed(&one.iter().chain(other).cloned().collect::<Vec<_>>());
    (are_apart && !one.is_empty() && !other.is_empty()).then(|| format!("[{}]", list()))
}

impl Test {
    /// The values of which one is demanded.
    pub(crate) fn values(&self) -> &[Value] {
        match self {
            Test::Equals(value) => std::slice::from_ref(value),
            Test::OneOf(values) => values,
            Test::Present | Test::Differs(_) | Test::Orders(..) => &[],
        }
    }

    /// The values that it names.
    pub(crate) fn named(&self) -> &[Value] {
        match self {
            Test::Equals(value) | Test::Differs(value) | Test::Orders(_, value) => std::slice::from_ref(value),
            Test::OneOf(values) => values,
            Test::Present => &[],
        }
    }
}

/// A parameter of the route, and where the policy names it.
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) tokens: TokenStream,
    /// `dyn path.owner`: the route is stated elsewhere.
    pub(crate) is_dynamic: bool,
}

/// One of several terms that apply together, including those of nested conditions of the same sort.
#[derive(Clone)]
pub(crate) struct Part {
    pub(crate) rule: Rule,
    pub(crate) first: Span,
    pub(crate) last: Span,
    /// `dyn name`: the compiler does not check it.
    pub(crate) is_dynamic: bool,
    /// The number of its term, or of the one around it.
    pub(crate) within: usize,
}

/// What the compiler compares with the type of the crate's claims, and the place for its message.
pub(crate) struct Check {
    pub(crate) asks: Asks,
    pub(crate) first: Span,
    pub(crate) last: Span,
}

pub(crate) enum Asks {
    /// Whether this term, counted from the first, can hold and can fail.
    Term(usize),
    /// Whether the type does not have the claim of this name, as `dyn` says.
    Absent(Vec<String>),
    /// Whether the claim of this name can be of one of these kinds, for which no term of an `any(..)` holds.
    Any(Vec<String>, Vec<Kind>),
    /// Whether the claim of this name can be of one of these kinds, for which several terms hold together; and what to write.
    Together(Vec<String>, Vec<Kind>, String),
}

/// A kind of value, for all of which each term gives the same answer. The mirror of `oauth_runtime::rule::Kind`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// Not there, or `null`.
    Absent,
    Bool(bool),
    Text(String),
    /// Any text but these.
    OtherText(Vec<String>),
    /// A number.
    Is(Value),
    /// The numbers above the one and below the other.
    Between(Option<Value>, Option<Value>),
    Object,
    /// A list of values of these kinds.
    List(Vec<Kind>),
}

/// A claim's name as it is written in a policy.
pub(crate) fn path(name: &[String]) -> String {
    let is_one = name.len() == 1;
    let is_of_language = |text: &str| {
        text == PATH || WORDS.contains(&text) || COMBINATORS.iter().any(|(combinator, ..)| *combinator == text)
    };
    let is_word = |text: &str| syn::parse_str::<Ident>(text).is_ok() && !(is_one && is_of_language(text));
    let segments = name.iter().map(|text| if is_word(text) { text.clone() } else { format!("{text:?}") });
    segments.collect::<Vec<_>>().join(".")
}

impl Rule {
    /// As it is written in a policy.
    pub(crate) fn shown(&self) -> String {
        let several = |rules: &[Rule]| rules.iter().map(Rule::shown).collect::<Vec<_>>().join(", ");
        match self {
            Rule::Public | Rule::Token => String::new(),
            Rule::All(rules) => format!("all({})", several(rules)),
            Rule::Any(rules) => format!("any({})", several(rules)),
            Rule::Not(rule) => format!("not({})", rule.shown()),
            Rule::Claim(name, test) => {
                let (name, values) = (path(name), Value::listed(test.named()));
                match test {
                    Test::Present => name,
                    Test::Equals(_) => format!("{name} = {values}"),
                    Test::Differs(_) => format!("{name} != {values}"),
                    Test::OneOf(_) => format!("{name} = [{values}]"),
                    Test::Orders(Order::Below, _) => format!("{name} < {values}"),
                    Test::Orders(Order::AtMost, _) => format!("{name} <= {values}"),
                    Test::Orders(Order::Above, _) => format!("{name} > {values}"),
                    Test::Orders(Order::AtLeast, _) => format!("{name} >= {values}"),
                }
            }
            Rule::Scope(tokens) => format!("{SCOPE} = {:?}", tokens.join(" ")),
            Rule::Fresh(seconds) => format!("{FRESH} = \"{seconds}s\""),
            Rule::Acr(wanted) => match wanted.as_slice() {
                [only] => format!("{ACR} = {only:?}"),
                several => format!("{ACR} = {several:?}"),
            },
        }
    }

    /// All tests of claims in it.
    pub(crate) fn tests(&self) -> Vec<&Test> {
        match self {
            Rule::All(rules) | Rule::Any(rules) => rules.iter().flat_map(Rule::tests).collect(),
            Rule::Not(rule) => rule.tests(),
            Rule::Claim(_, test) => vec![test],
            Rule::Public | Rule::Token | Rule::Scope(_) | Rule::Fresh(_) | Rule::Acr(_) => Vec::new(),
        }
    }
}

impl Value {
    fn listed(values: &[Value]) -> String {
        values.iter().map(Value::shown).collect::<Vec<_>>().join(", ")
    }

    /// As it is written in a policy.
    fn shown(&self) -> String {
        match self {
            Value::Str(text) => format!("{text:?}"),
            Value::Int(int) => int.to_string(),
            Value::Float(float) => format!("{float:?}"),
            Value::Bool(truth) => truth.to_string(),
            Value::Parameter(name) => format!("path.{name}"),
        }
    }

    fn is_literal(&self) -> bool {
        match self {
            Value::Str(_) | Value::Int(_) | Value::Float(_) | Value::Bool(_) => true,
            Value::Parameter(_) => false,
        }
    }

    pub(crate) fn is_number(&self) -> bool {
        match self {
            Value::Int(_) | Value::Float(_) => true,
            Value::Str(_) | Value::Bool(_) | Value::Parameter(_) => false,
        }
    }

    /// Whether the two admit the same tokens: to the runtime, 3 and 3.0 are equal.
    pub(crate) fn matches(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Int(_), Value::Float(_)) | (Value::Float(_), Value::Int(_)) => self.order(other) == Ordering::Equal,
            _ => self == other,
        }
    }

    /// Compares numbers without rounding.
    pub(crate) fn order(&self, other: &Value) -> Ordering {
        match (self, other) {
            (Value::Int(one), Value::Int(other)) => one.cmp(other),
            (Value::Float(one), Value::Float(other)) => one.partial_cmp(other).unwrap_or(Ordering::Equal),
            (Value::Float(float), Value::Int(int)) => compare(*float, *int),
            (Value::Int(int), Value::Float(float)) => compare(*float, *int).reverse(),
            // Not numbers.
            _ => Ordering::Equal,
        }
    }
}

/// A float beyond the integers of claims is clamped to one just beyond them.
fn compare(float: f64, int: i128) -> Ordering {
    match (float.floor() as i128).cmp(&int) {
        Ordering::Equal if float.fract() != 0.0 => Ordering::Greater,
        order => order,
    }
}
