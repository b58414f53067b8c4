//! What a guard demands, as data, and how it is decided: [`crate::rule`] is its public part.

pub(crate) mod bound;
mod claimed;
mod decision;
mod facts;
pub(crate) mod fit;
pub(crate) mod kept;
pub(crate) mod kind;
mod need;
mod normal;
mod number;
mod parameter;
pub(crate) mod said;
mod shape;
mod shapes;
mod typed;
mod unknown;
pub(crate) mod written;

use std::cmp::Ordering;
use std::time::Duration;

use serde_json::Value as Json;

use crate::model::numeric_date::NumericDate;
use crate::policy::number::Exact;

pub(crate) use claimed::{Beside, Claimed};
pub use decision::Decision;
pub use facts::Facts;
pub(crate) use need::Need;
pub(crate) use normal::alone;
pub(crate) use shape::Presence;
pub use shape::{Field, Shape, Shaped};
pub(crate) use shapes::{Shapes, read};
pub use typed::{Inquiry, Typed, Verdict};
pub(crate) use written::Guard;
pub use written::{Policy, Route};

/// What one `#[require_claim(..)]` demands.
///
/// Printed, it is in normal form: two policies that differ only in order, spelling or nesting read the same.
///
/// ```
/// use oauth_runtime::rule::{Decision, Facts, Rule, Test, Value};
///
/// // What `#[require_claim(level = [4, 3], role = "admin")]` becomes.
/// static RULE: Rule = Rule::All(&[
///     Rule::Claim(&["level"], Test::OneOf(&[Value::Int(4), Value::Int(3)])),
///     Rule::Claim(&["role"], Test::Equals(Value::Str("admin"))),
/// ]);
/// assert_eq!(RULE.to_string(), r#"level = [3, 4], role = "admin""#);
///
/// let claims = serde_json::json!({ "role": "admin", "level": 3.0 });
/// assert_eq!(RULE.decide(&Facts::new(claims.as_object().unwrap())), Decision::True);
///
/// let stranger = serde_json::json!({ "level": 3 });
/// assert_eq!(RULE.decide(&Facts::new(stranger.as_object().unwrap())), Decision::Unknown);
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Rule {
    /// Not even a token: what `#[public]` means.
    Public,
    /// A valid token is enough: what `#[require_token]` means.
    Token,
    /// Every one of these holds: what commas and `all(..)` mean. An empty list admits no one.
    All(&'static [Rule]),
    /// At least one of these holds: `any(..)`. An empty list admits no one.
    Any(&'static [Rule]),
    /// This does not hold, and it is known not to: `not(..)`.
    Not(&'static Rule),
    /// The claim of this name, or below these names, passes the test.
    Claim(&'static [&'static str], Test),
    /// The token's `scope` holds every one of these (RFC 6749 §3.3: in any order).
    Scope(&'static [&'static str]),
    /// The person signed in at most this many seconds ago, by `auth_time`: `fresh = "5m"`.
    Fresh(u64),
    /// The way the person signed in, `acr`, is one of these.
    Acr(&'static [&'static str]),
    /// The claims, as a type of the application, match a Rust pattern.
    Typed(Typed),
}

/// What is asked of one claim. For an array, `=` asks whether it contains the value, and `!=` whether it does not.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Test {
    /// `claim`: present, and neither `null` nor `false`.
    Present,
    /// `claim = value`
    Equals(Value),
    /// `claim != value`: present, of the value's type, and different.
    Differs(Value),
    /// `claim = [a, b]`: equal to one of them.
    OneOf(&'static [Value]),
    /// `claim < value`, `<=`, `>` and `>=`, on numbers.
    Orders(Order, Value),
}

/// The four orderings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
}

/// What a claim is compared with.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// A string, compared byte for byte.
    Str(&'static str),
    /// An integer of JSON's practical range, `i64::MIN..=u64::MAX`; compared exactly, so `3` equals `3.0`.
    Int(i128),
    /// A finite floating-point number.
    Float(f64),
    /// `true` or `false`.
    Bool(bool),
    /// `path.name`: the route's parameter, percent-decoded. A string is compared byte for byte, an integer by its digits.
    Parameter(&'static str),
}

impl Rule {
    /// Decides the rule, by Kleene's three-valued logic.
    #[must_use]
    pub fn decide(&self, facts: &Facts<'_>) -> Decision {
        match self {
            Rule::Public | Rule::Token => Decision::True,
            Rule::All(rules) => {
                rules.iter().map(|rule| rule.decide(facts)).reduce(Decision::and).unwrap_or(Decision::Unknown)
            }
            Rule::Any(rules) => {
                rules.iter().map(|rule| rule.decide(facts)).reduce(Decision::or).unwrap_or(Decision::Unknown)
            }
            Rule::Not(rule) => rule.decide(facts).not(),
            Rule::Claim(name, test) => test.decide(facts.claim(name).as_deref(), facts),
            Rule::Scope(wanted) => match facts.claim(&["scope"]).as_deref() {
                Some(Json::String(granted)) => {
                    Decision::of(wanted.iter().all(|token| granted.split(' ').any(|granted| granted == *token)))
                }
                Some(_) | None => Decision::Unknown,
            },
            Rule::Fresh(seconds) => match facts.claim(&["auth_time"]).as_deref().and_then(NumericDate::of) {
                // No one has signed in yet at a time that no clock shows: it says nothing of when they did.
                Some(at) if at.down() > facts.now() + CLOCKS_DIFFER => Decision::Unknown,
                Some(at) => Decision::of(facts.now().since(at.down()).as_secs() <= *seconds),
                None => Decision::Unknown,
            },
            Rule::Acr(wanted) => match facts.claim(&["acr"]).as_deref() {
                Some(Json::String(acr)) => Decision::of(wanted.contains(&acr.as_str())),
                Some(_) | None => Decision::Unknown,
            },
            Rule::Typed(typed) => typed.decide(facts),
        }
    }

    /// Every scope that the rule names.
    pub(crate) fn scopes(&self) -> Vec<&'static str> {
        match self {
            Rule::All(rules) | Rule::Any(rules) => rules.iter().flat_map(Rule::scopes).collect(),
            Rule::Not(rule) => rule.scopes(),
            Rule::Scope(tokens) => tokens.to_vec(),
            Rule::Public | Rule::Token | Rule::Claim(..) | Rule::Fresh(_) | Rule::Acr(_) | Rule::Typed(_) => Vec::new(),
        }
    }

    /// Every way of signing in that the rule names.
    pub(crate) fn acr_values(&self) -> Vec<&'static str> {
        match self {
            Rule::All(rules) | Rule::Any(rules) => rules.iter().flat_map(Rule::acr_values).collect(),
            Rule::Not(rule) => rule.acr_values(),
            Rule::Acr(values) => values.to_vec(),
            Rule::Public | Rule::Token | Rule::Claim(..) | Rule::Fresh(_) | Rule::Scope(_) | Rule::Typed(_) => {
                Vec::new()
            }
        }
    }
}

impl Test {
    fn decide(self, claim: Option<&Json>, facts: &Facts<'_>) -> Decision {
        match self {
            // It may be among the sealed claims, which were not opened here.
            Test::Present if claim.is_none() && facts.may_be_sealed() => Decision::Unknown,
            // This test asks about absence, so only here absence is an answer.
            Test::Present => Decision::of(!matches!(claim, None | Some(Json::Null | Json::Bool(false)))),
            Test::Equals(value) => value.decide(claim, facts),
            Test::Differs(value) => value.decide(claim, facts).not(),
            Test::OneOf(values) => {
                values.iter().map(|value| value.decide(claim, facts)).reduce(Decision::or).unwrap_or(Decision::Unknown)
            }
            Test::Orders(order, value) => match (claim.and_then(Exact::of_json), value.number()) {
                (Some(claim), Some(value)) => {
                    claim.cmp(value).map_or(Decision::Unknown, |is| Decision::of(order.holds(is)))
                }
                (None, _) | (_, None) => Decision::Unknown,
            },
        }
    }
}

impl Value {
    fn decide(self, claim: Option<&Json>, facts: &Facts<'_>) -> Decision {
        match claim {
            // A missing parameter is equal to nothing and different from nothing.
            Some(Json::Array(_)) if self.is_missing(facts) => Decision::Unknown,
            Some(Json::Array(items)) => items
                .iter()
                .map(|item| self.equals(item, facts).map_or(Decision::Unknown, Decision::of))
                .reduce(Decision::or)
                .unwrap_or(Decision::False),
            Some(value) => self.equals(value, facts).map_or(Decision::Unknown, Decision::of),
            None => Decision::Unknown,
        }
    }

    /// `None` if the two are of different JSON types, or if a handler may read the parameter differently.
    fn equals(self, claim: &Json, facts: &Facts<'_>) -> Option<bool> {
        match (self, claim) {
            (Value::Str(wanted), Json::String(given)) => Some(wanted == given),
            (Value::Bool(wanted), Json::Bool(given)) => Some(wanted == *given),
            (Value::Int(_) | Value::Float(_), Json::Number(given)) => {
                Some(self.number()?.cmp(Exact::of_number(given)?)? == Ordering::Equal)
            }
            (Value::Parameter(name), Json::String(given)) => parameter::is_text(&(facts.parameter)(name)?, given),
            (Value::Parameter(name), Json::Number(given)) => {
                parameter::is_integer(&(facts.parameter)(name)?, given.as_i128()?)
            }
            (Value::Str(_) | Value::Int(_) | Value::Float(_) | Value::Bool(_) | Value::Parameter(_), _) => None,
        }
    }

    fn number(self) -> Option<Exact> {
        match self {
            Value::Int(int) => Some(Exact::Integer(int)),
            Value::Float(double) => Some(Exact::of_double(double)),
            Value::Str(_) | Value::Bool(_) | Value::Parameter(_) => None,
        }
    }

    fn is_missing(self, facts: &Facts<'_>) -> bool {
        matches!(self, Value::Parameter(name) if (facts.parameter)(name).is_none())
    }
}

impl Order {
    fn holds(self, claim_is: Ordering) -> bool {
        match self {
            Order::Below => claim_is.is_lt(),
            Order::AtMost => claim_is.is_le(),
            Order::Above => claim_is.is_gt(),
            Order::AtLeast => claim_is.is_ge(),
        }
    }

    pub(crate) fn opposite(self) -> Order {
        match self {
            Order::Below => Order::AtLeast,
            Order::AtMost => Order::Above,
            Order::Above => Order::AtMost,
            Order::AtLeast => Order::Below,
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Order::Below => "<",
            Order::AtMost => "<=",
            Order::Above => ">",
            Order::AtLeast => ">=",
        }
    }
}

/// By how much the clock of an issuer may be ahead, here of the one that dated a sign-in.
const CLOCKS_DIFFER: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use serde_json::{Map, json};

    use super::*;
    use crate::model::Timestamp;

    fn decide(test: Test, claim: Json) -> Decision {
        let claims = json!({ "c": claim });
        Rule::Claim(&["c"], test).decide(&Facts::new(claims.as_object().expect("an object")))
    }

    #[test]
    fn equality_is_exact_and_typed() {
        use Decision::{False, True, Unknown};
        let three = Test::Equals(Value::Int(3));
        for (claim, expected) in [
            (json!(3), True),
            (json!(3.0), True),
            (json!(4), False),
            (json!(3.5), False),
            (json!("3"), Unknown),
            (json!(null), Unknown),
            (json!([1, 3]), True),
            (json!(["3"]), Unknown),
            (json!([null]), Unknown),
            (json!([[3]]), Unknown),
            (json!([4, "3"]), Unknown),
            (json!(["3", 3]), True),
            (json!([]), False),
            (json!({ "3": 3 }), Unknown),
        ] {
            assert_eq!(decide(three, claim.clone()), expected, "3 = {claim}");
            assert_eq!(decide(Test::Differs(Value::Int(3)), claim.clone()), expected.not(), "3 != {claim}");
        }
        // As doubles these two are the same number.
        let large = Test::Equals(Value::Int(i128::from(u64::MAX)));
        assert_eq!(decide(large, json!(u64::MAX)), True);
        assert_eq!(decide(large, json!(u64::MAX - 1)), False);
        assert_eq!(decide(Test::Equals(Value::Int(i128::from(i64::MIN))), json!(i64::MIN)), True);
        assert_eq!(decide(Test::Equals(Value::Float(3.0)), json!(3)), True);
        assert_eq!(
            decide(Test::Equals(Value::Float(9_007_199_254_740_992.0)), json!(9_007_199_254_740_993_u64)),
            False
        );
        assert_eq!(decide(Test::Equals(Value::Bool(true)), json!("true")), Unknown);
    }

    #[test]
    fn orderings_are_exact_and_for_numbers_alone() {
        use Decision::{False, True, Unknown};
        for (order, value, claim, expected) in [
            (Order::Above, Value::Int(3), json!(4), True),
            (Order::Above, Value::Int(3), json!(3), False),
            (Order::Above, Value::Int(3), json!(3.5), True),
            (Order::AtLeast, Value::Int(3), json!(3.0), True),
            (Order::Below, Value::Float(3.5), json!(3), True),
            (Order::Below, Value::Float(-3.5), json!(-3), False),
            (Order::Below, Value::Int(-3), json!(-3.5), True),
            (Order::AtMost, Value::Float(3.5), json!(3.5), True),
            (Order::Below, Value::Int(i128::from(u64::MAX)), json!(u64::MAX - 1), True), // one number as doubles
            (Order::Above, Value::Float(9_007_199_254_740_992.0), json!(9_007_199_254_740_993_u64), True),
            (Order::Above, Value::Int(i128::from(i64::MIN)), json!(i64::MIN), False),
            (Order::Above, Value::Int(i128::from(u64::MAX)), json!(1e300), True),
            (Order::Above, Value::Int(0), json!(-1e300), False),
            (Order::Above, Value::Float(1e300), json!(2e300), True),
            (Order::Above, Value::Int(3), json!("4"), Unknown),
            (Order::Above, Value::Int(3), json!([4]), Unknown),
            (Order::Above, Value::Int(3), json!(null), Unknown),
            (Order::Above, Value::Int(3), json!(true), Unknown),
        ] {
            assert_eq!(decide(Test::Orders(order, value), claim.clone()), expected, "{claim} {order:?} {value:?}");
            let opposite = decide(Test::Orders(order.opposite(), value), claim.clone());
            assert_eq!(opposite, expected.not(), "not {claim} {order:?} {value:?}");
        }
        assert_eq!(
            Rule::Claim(&["c"], Test::Orders(Order::Below, Value::Int(3))).decide(&Facts::new(&Map::new())),
            Unknown
        );
    }

    #[test]
    fn presence_is_neither_null_nor_false() {
        for (claim, expected) in [
            (json!(true), Decision::True),
            (json!(0), Decision::True),
            (json!(""), Decision::True),
            (json!(false), Decision::False),
            (json!(null), Decision::False),
        ] {
            assert_eq!(decide(Test::Present, claim.clone()), expected, "{claim}");
        }
        assert_eq!(Rule::Claim(&["other"], Test::Present).decide(&Facts::new(&Map::new())), Decision::False);
        let sealed = json!({ "sealed": "..", "open": false });
        let sealed = sealed.as_object().expect("an object");
        let present = |name| Rule::Claim(name, Test::Present).decide(&Facts::new(sealed));
        assert_eq!(present(&["other"]), Decision::Unknown, "it may be in what is sealed");
        assert_eq!(present(&["open"]), Decision::False);
    }

    #[test]
    fn names_lead_into_objects() {
        let claims =
            json!({ "realm": { "roles": ["admin"], "a.b": 1 }, "realm.roles": ["guest"], "list": [{ "a": 1 }] });
        let claims = claims.as_object().expect("an object");
        let roles = |name: &'static [&'static str]| {
            Rule::Claim(name, Test::Equals(Value::Str("admin"))).decide(&Facts::new(claims))
        };
        assert_eq!(roles(&["realm", "roles"]), Decision::True);
        assert_eq!(roles(&["realm.roles"]), Decision::False);
        assert_eq!(roles(&["realm", "roles", "deeper"]), Decision::Unknown);
        assert_eq!(roles(&["list", "a"]), Decision::Unknown);
        assert_eq!(Rule::Claim(&["realm", "a.b"], Test::Present).decide(&Facts::new(claims)), Decision::True);
        assert_eq!(Rule::Claim(&["realm", "other"], Test::Present).decide(&Facts::new(claims)), Decision::False);
    }

    #[test]
    fn scope_wants_all_in_any_order() {
        let claims = json!({ "scope": "b a ab" });
        let facts = Facts::new(claims.as_object().expect("an object"));
        assert_eq!(Rule::Scope(&["a", "b"]).decide(&facts), Decision::True);
        assert_eq!(Rule::Scope(&["a", "c"]).decide(&facts), Decision::False);
        assert_eq!(Rule::Scope(&["a"]).decide(&Facts::new(&Map::new())), Decision::Unknown);
    }

    #[test]
    fn freshness_counts_to_the_second() {
        let claims = json!({ "auth_time": 1_000 });
        let claims = claims.as_object().expect("an object");
        let at = |now| Rule::Fresh(300).decide(&Facts::new(claims).at(Timestamp::from_seconds(now)));
        assert_eq!(at(1_300), Decision::True);
        assert_eq!(at(1_301), Decision::False);
        // Other issuers have fractions, and clocks that are a little ahead; what is far ahead says nothing.
        for (auth_time, expected) in [
            (json!(1_000.0), Decision::True),
            (json!(1_000.5), Decision::True),
            (json!(999.5), Decision::False),
            (json!(1_360), Decision::True),
            (json!(1_361), Decision::Unknown),
            (json!(u64::MAX), Decision::Unknown),
            (json!("1000"), Decision::Unknown),
            (json!(-5), Decision::Unknown),
            (json!(null), Decision::Unknown),
        ] {
            let claims = json!({ "auth_time": auth_time });
            let facts = Facts::new(claims.as_object().expect("an object")).at(Timestamp::from_seconds(1_300));
            assert_eq!(Rule::Fresh(300).decide(&facts), expected, "{auth_time}");
        }
    }

    #[test]
    fn a_path_parameter_is_text_or_the_digits_of_an_integer() {
        use Decision::{False, True, Unknown};
        for (parameter, claim, expected) in [
            (Some("alice"), json!("alice"), True),
            (Some("Alice"), json!("alice"), False),
            (Some("alice"), json!(["bob", "alice"]), True),
            (Some("7"), json!("7"), True),
            (Some("7"), json!(7), True),
            (Some("-7"), json!(-7), True),
            (Some("0"), json!(0), True),
            (Some("18446744073709551615"), json!(u64::MAX), True),
            (Some("8"), json!(7), False),
            (Some("-7"), json!(7), False),
            (Some("18446744073709551616"), json!(7), False),
            // An extractor may read 7 in it.
            (Some("07"), json!(7), Unknown),
            (Some("+7"), json!(7), Unknown),
            (Some("7.0"), json!(7), Unknown),
            (Some(" 7"), json!(7), Unknown),
            (Some("0x7"), json!(7), Unknown),
            (Some("-0"), json!(0), Unknown),
            (Some("--7"), json!(7), Unknown),
            (Some(""), json!(0), Unknown),
            (Some("alice"), json!(7), Unknown),
            (Some("07"), json!([8]), Unknown),
            (Some("07"), json!("07"), True),
            (Some("07"), json!("7"), Unknown),
            (Some("7"), json!("+007"), Unknown),
            (Some("07"), json!(["7"]), Unknown),
            (Some("07"), json!("8"), Unknown),
            (Some("7"), json!("8"), False),
            (Some("alice"), json!("7"), False),
            (Some("a07"), json!("a7"), False),
            (Some("7"), json!(7.5), Unknown),
            (Some("true"), json!(true), Unknown),
            (None, json!("alice"), Unknown),
            (None, json!(["alice"]), Unknown),
            (None, json!([]), Unknown),
        ] {
            let claims = json!({ "c": claim });
            let parameter_of = |_: &str| parameter.map(Cow::Borrowed);
            let facts = Facts::new(claims.as_object().expect("an object")).with_parameters(&parameter_of);
            let value = Value::Parameter("owner");
            assert_eq!(Rule::Claim(&["c"], Test::Equals(value)).decide(&facts), expected, "{claim} = {parameter:?}");
            assert_eq!(
                Rule::Claim(&["c"], Test::Differs(value)).decide(&facts),
                expected.not(),
                "{claim} != {parameter:?}"
            );
        }
    }

    #[test]
    fn nothing_of_nothing_admits_no_one() {
        let claims = Map::new();
        for rule in [Rule::All(&[]), Rule::Any(&[]), Rule::Not(&Rule::All(&[])), Rule::Not(&Rule::Any(&[]))] {
            assert_eq!(rule.decide(&Facts::new(&claims)), Decision::Unknown, "{rule:?}");
        }
        assert_eq!(Rule::Claim(&[], Test::Equals(Value::Int(1))).decide(&Facts::new(&claims)), Decision::Unknown);
        assert_eq!(Rule::Claim(&["a"], Test::OneOf(&[])).decide(&Facts::new(&claims)), Decision::Unknown);
    }
}
