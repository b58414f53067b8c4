//! What a policy means once it is checked: the rule that the handler carries.

use proc_macro2::{Span, TokenStream};

/// The mirror of `oauth_runtime::policy::Rule`, but for patterns.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Rule {
    Public,
    Token,
    All(Vec<Rule>),
    Any(Vec<Rule>),
    Not(Box<Rule>),
    Claim(Vec<String>, Test),
    Scope(Vec<String>),
    /// Seconds.
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

/// The values of two demands as one list, where no value meets both.
pub(crate) fn either(one: &Test, other: &Test) -> Option<String> {
    let (one, other) = (one.values(), other.values());
    let is_shared = |value: &Value| other.iter().any(|it| it.matches(value));
    let are_apart = one.iter().chain(other).all(Value::is_literal) && !one.iter().any(is_shared);
    let list: Vec<String> = one.iter().chain(other).map(Value::shown).collect();
    are_apart.then(|| format!("[{}]", list.join(", ")))
}

impl Test {
    /// Those of which one is demanded.
    pub(crate) fn values(&self) -> &[Value] {
        match self {
            Test::Equals(value) => std::slice::from_ref(value),
            Test::OneOf(values) => values,
            Test::Present | Test::Differs(_) | Test::Orders(..) => &[],
        }
    }
}

/// A parameter of the route, and where the policy names it.
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) tokens: TokenStream,
    /// `dyn path.owner`: of a route that is stated elsewhere.
    pub(crate) is_dynamic: bool,
}

/// What the compiler compares with the type of the crate's claims, and where it says that it does not fit.
pub(crate) struct Check {
    pub(crate) asks: Asks,
    pub(crate) first: Span,
    pub(crate) last: Span,
}

pub(crate) enum Asks {
    /// Whether this term can hold, and need not: the rule, and which it is, counted from the first.
    Term(Rule, usize),
    /// Whether the claim of this name can have another value than these.
    Any(Vec<String>, Vec<Value>),
    /// Whether the claim of this name can have two values; and the list that stands for either of them.
    Both(Vec<String>, String),
}

impl Value {
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

    /// Whether the two let the same tokens in: the runtime holds 3 and 3.0 to be one number.
    pub(crate) fn matches(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Int(int), Value::Float(float)) | (Value::Float(float), Value::Int(int)) => {
                float.fract() == 0.0 && *float as i128 == *int
            }
            _ => self == other,
        }
    }
}
