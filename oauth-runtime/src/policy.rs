//! What a guard demands, as data, and how it is decided.
//!
//! The macros write a [`Rule`]; [`Rule::decide`] reads it against a token's claims. Nothing here
//! knows of HTTP: a rule can be built by hand, printed, and decided over any JSON object.

use serde_json::{Map, Value as Json};

use crate::model::Scope;

/// What one `#[require_claim(..)]` demands of a token's claims.
///
/// ```
/// use oauth_runtime::policy::{Decision, Literal, Rule, Test};
///
/// // What `#[require_claim(role = "admin", level = [3, 4])]` becomes.
/// static RULE: Rule = Rule::All(&[
///     Rule::Claim("role", Test::Equals(Literal::Str("admin"))),
///     Rule::Claim("level", Test::OneOf(&[Literal::Int(3), Literal::Int(4)])),
/// ]);
///
/// let claims = serde_json::json!({ "role": "admin", "level": 3.0 });
/// assert_eq!(RULE.decide(claims.as_object().unwrap()), Decision::True);
///
/// let stranger = serde_json::json!({ "level": 3 });
/// assert_eq!(RULE.decide(stranger.as_object().unwrap()), Decision::Unknown);
/// assert!(!RULE.decide(stranger.as_object().unwrap()).admits());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// A valid token is enough: what `#[require_token]` means.
    Token,
    /// Every one of these holds: what commas mean in the attribute. None at all admits nobody.
    All(&'static [Rule]),
    /// The claim of this name passes the test.
    Claim(&'static str, Test),
    /// The token's `scope` holds every one of these (RFC 6749 §3.3: in any order).
    Scope(&'static [&'static str]),
}

/// What is asked of one claim.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Test {
    /// `claim`: there, and neither `null` nor `false`.
    Present,
    /// `claim = literal`: equal to it, or an array that contains it.
    Equals(Literal),
    /// `claim = [a, b]`: equal to one of them, or an array that contains one of them.
    OneOf(&'static [Literal]),
}

/// A value written in an attribute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Literal {
    /// A string, compared byte for byte.
    Str(&'static str),
    /// An integer of JSON's practical range, `i64::MIN..=u64::MAX`; compared exactly, so `3` equals `3.0`.
    Int(i128),
    /// A finite floating-point number.
    Float(f64),
    /// `true` or `false`.
    Bool(bool),
}

/// The outcome of a rule. Only [`Decision::True`] admits.
///
/// A claim that is absent, or of another JSON type than the rule speaks of, is *unknown*, not false:
/// so no way of combining rules can turn a forgotten claim into a permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The rule holds.
    True,
    /// The rule does not hold.
    False,
    /// The claims do not say.
    Unknown,
}

impl Decision {
    /// Whether the request may go on.
    #[must_use]
    pub fn admits(self) -> bool {
        self == Decision::True
    }

    /// Kleene's conjunction: false decides, then unknown.
    fn and(self, other: Decision) -> Decision {
        match (self, other) {
            (Decision::False, _) | (_, Decision::False) => Decision::False,
            (Decision::True, Decision::True) => Decision::True,
            (Decision::Unknown, _) | (_, Decision::Unknown) => Decision::Unknown,
        }
    }

    fn of(holds: bool) -> Decision {
        if holds { Decision::True } else { Decision::False }
    }
}

impl Rule {
    /// Decides the rule over the claims of a verified token.
    #[must_use]
    pub fn decide(&self, claims: &Map<String, Json>) -> Decision {
        match self {
            Rule::Token => Decision::True,
            Rule::All(rules) => {
                rules.iter().map(|rule| rule.decide(claims)).reduce(Decision::and).unwrap_or(Decision::Unknown)
            }
            Rule::Claim(name, test) => test.decide(claims.get(*name)),
            Rule::Scope(wanted) => match claims.get("scope") {
                Some(Json::String(granted)) => {
                    Decision::of(wanted.iter().all(|token| granted.split(' ').any(|granted| granted == *token)))
                }
                Some(_) | None => Decision::Unknown,
            },
        }
    }

    /// Every scope the rule asks for, so that a refusal can name them (RFC 6750 §3).
    pub(crate) fn scope(&self) -> Scope {
        fn collect(rule: &Rule, into: &mut Scope) {
            match rule {
                Rule::All(rules) => rules.iter().for_each(|rule| collect(rule, into)),
                Rule::Token | Rule::Claim(..) => {}
                Rule::Scope(tokens) => into.extend(tokens.iter().copied()),
            }
        }
        let mut scope = Scope::default();
        collect(self, &mut scope);
        scope
    }
}

impl Test {
    fn decide(&self, claim: Option<&Json>) -> Decision {
        match self {
            // Absence is what this test asks about, so here alone it is an answer.
            Test::Present => Decision::of(!matches!(claim, None | Some(Json::Null | Json::Bool(false)))),
            Test::Equals(literal) => literal.decide(claim),
            Test::OneOf(literals) => {
                let mut decision = Decision::False;
                for literal in *literals {
                    match literal.decide(claim) {
                        Decision::True => return Decision::True,
                        Decision::Unknown => decision = Decision::Unknown,
                        Decision::False => {}
                    }
                }
                decision
            }
        }
    }
}

impl Literal {
    fn decide(self, claim: Option<&Json>) -> Decision {
        match claim {
            Some(Json::Array(items)) => Decision::of(items.iter().any(|item| self.equals(item) == Some(true))),
            Some(value) => self.equals(value).map_or(Decision::Unknown, Decision::of),
            None => Decision::Unknown,
        }
    }

    /// `None` where the two are of different JSON types.
    fn equals(self, value: &Json) -> Option<bool> {
        match (self, value) {
            (Literal::Str(wanted), Json::String(given)) => Some(wanted == given),
            (Literal::Bool(wanted), Json::Bool(given)) => Some(wanted == *given),
            (Literal::Int(wanted), Json::Number(given)) => Some(match exact_integer(given) {
                Some(given) => wanted == given,
                None => false,
            }),
            (Literal::Float(wanted), Json::Number(given)) => Some(match (exact_integer(given), given.as_f64()) {
                (Some(given), _) => integer_of(wanted) == Some(given),
                (None, Some(given)) => wanted == given,
                (None, None) => false,
            }),
            (Literal::Str(_) | Literal::Int(_) | Literal::Float(_) | Literal::Bool(_), _) => None,
        }
    }
}

/// The number as an integer, if it is one: `3` and `3.0` are, `3.5` is not.
fn exact_integer(number: &serde_json::Number) -> Option<i128> {
    number.as_i128().or_else(|| number.as_f64().and_then(integer_of))
}

/// Converts without rounding. Beyond 2^64 no integer literal can be meant, so such a number is none.
fn integer_of(float: f64) -> Option<i128> {
    (float.fract() == 0.0 && float.abs() <= 18_446_744_073_709_551_616.0).then_some(float as i128)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn decide(test: Test, claim: Json) -> Decision {
        let claims = json!({ "c": claim });
        Rule::Claim("c", test).decide(claims.as_object().expect("an object"))
    }

    #[test]
    fn equality_is_exact_and_typed() {
        use Decision::{False, True, Unknown};
        let three = Test::Equals(Literal::Int(3));
        for (claim, expected) in [
            (json!(3), True),
            (json!(3.0), True),
            (json!(4), False),
            (json!(3.5), False),
            (json!("3"), Unknown),
            (json!(null), Unknown),
            (json!([1, 3]), True),
            (json!(["3"]), False),
            (json!({ "3": 3 }), Unknown),
        ] {
            assert_eq!(decide(three, claim.clone()), expected, "3 = {claim}");
        }
        // As doubles these two are the same number.
        let large = Test::Equals(Literal::Int(i128::from(u64::MAX)));
        assert_eq!(decide(large, json!(u64::MAX)), True);
        assert_eq!(decide(large, json!(u64::MAX - 1)), False);
        assert_eq!(decide(Test::Equals(Literal::Int(i128::from(i64::MIN))), json!(i64::MIN)), True);
        assert_eq!(decide(Test::Equals(Literal::Float(3.0)), json!(3)), True);
        assert_eq!(
            decide(Test::Equals(Literal::Float(9_007_199_254_740_992.0)), json!(9_007_199_254_740_993_u64)),
            False
        );
        assert_eq!(decide(Test::Equals(Literal::Bool(true)), json!("true")), Unknown);
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
        assert_eq!(Rule::Claim("other", Test::Present).decide(&Map::new()), Decision::False);
    }

    #[test]
    fn scope_wants_all_in_any_order() {
        let claims = json!({ "scope": "b a ab" });
        let claims = claims.as_object().expect("an object");
        assert_eq!(Rule::Scope(&["a", "b"]).decide(claims), Decision::True);
        assert_eq!(Rule::Scope(&["a", "c"]).decide(claims), Decision::False);
        assert_eq!(Rule::Scope(&["a"]).decide(&Map::new()), Decision::Unknown);
    }

    #[test]
    fn all_of_nothing_admits_nobody_and_one_false_decides() {
        let claims = Map::new();
        let absent = Rule::Claim("a", Test::Equals(Literal::Int(1)));
        assert_eq!(Rule::All(&[]).decide(&claims), Decision::Unknown);
        assert_eq!(Rule::Token.decide(&claims), Decision::True);
        static BOTH: Rule =
            Rule::All(&[Rule::Claim("a", Test::Equals(Literal::Int(1))), Rule::Claim("b", Test::Present)]);
        assert_eq!(absent.decide(&claims), Decision::Unknown);
        assert_eq!(BOTH.decide(&claims), Decision::False);
    }
}
