//! For each term of a policy two tokens between which only that term flips, and with it the decision.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use actix_http::Request;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::{Error, HttpMessage as _, test};
use serde_json::{Map, Value as Json, json};

use crate::guard::map;
use crate::guard::probe::Probe;
use crate::model::Timestamp;
use crate::policy::{Facts, Order, Policy, Rule, Test, Value, alone};
use crate::server::OAuthService;
use crate::testing::Token;
use crate::testing::token::begin;

/// The suite of a policy: for each of its terms a token that is admitted and one that is refused, which differ in one claim.
///
/// ```
/// use oauth_runtime::{policy, testing};
///
/// let suite = testing::suite(policy!(role = "admin", any(level > 3, trusted))).unwrap();
/// assert_eq!(suite.cases().len(), 3);
/// assert!(suite.redundant().is_empty());
/// assert_eq!(suite.alone(), [r#"level > 3 alone, beside role = "admin""#, r#"trusted alone, beside role = "admin""#]);
///
/// // Whoever is above 3 is above 2.
/// let suite = testing::suite(policy!(level > 3, level > 2)).unwrap();
/// assert_eq!(suite.redundant(), ["level > 2"]);
/// ```
///
/// # Errors
/// For a pattern, whose terms only the compiler knows.
pub fn suite(policy: Policy) -> Result<Suite, Unsuitable> {
    Suite::new(&[policy.rule()])
}

/// The suite of a handler's guards, all of them together: by its name, or by module and name where several have one name.
///
/// A parameter of the route, as in `sub = path.owner`, is taken to be `1`.
///
/// # Errors
/// Where no handler of this name has a guard, where several have, and for a pattern.
pub fn suite_of(handler: &str) -> Result<Suite, Unsuitable> {
    let full = |guard: &crate::policy::Guard| guard.handler.map(|name| format!("{}::{name}", guard.module));
    let found = map::guards()
        .filter(|guard| full(guard).is_some_and(|full| full == handler || full.ends_with(&format!("::{handler}"))));
    let found: Vec<_> = found.collect();
    let names: BTreeSet<String> = found.iter().filter_map(|guard| full(guard)).collect();
    match names.len() {
        0 => {
            let known = map::guards().filter_map(full).collect::<BTreeSet<_>>();
            Err(Unsuitable::NoGuard { handler: handler.to_owned(), known: known.into_iter().collect() })
        }
        1 => Suite::new(&found.iter().map(|guard| &guard.rule).collect::<Vec<_>>()),
        _ => Err(Unsuitable::Several { known: names.into_iter().collect() }),
    }
}

/// What [`suite()`] makes.
#[derive(Clone, Debug)]
pub struct Suite {
    cases: Vec<Case>,
    redundant: Vec<String>,
    undetermined: Vec<String>,
    alone: Vec<String>,
}

/// One term, and two sets of claims that differ in one claim of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Case {
    /// The term, in normal form.
    pub term: String,
    /// Claims that the policy admits.
    pub admitted: Map<String, Json>,
    /// Claims that it refuses.
    pub refused: Map<String, Json>,
}

/// Why there is no suite.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unsuitable {
    /// The guard is a pattern of a type.
    #[error("`{pattern}` is a pattern, whose terms only the compiler knows: test it with tokens of your own")]
    Typed {
        /// As written.
        pattern: &'static str,
    },
    /// No handler of this name has a guard.
    #[error("no handler `{handler}` has a guard; these have: {}", .known.join(", "))]
    NoGuard {
        /// The name that was asked for.
        handler: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// Several handlers have this name.
    #[error("several handlers have this name: write one of {}", .known.join(", "))]
    Several {
        /// Their full names.
        known: Vec<String>,
    },
}

crate::model::debug_as_text!(Unsuitable);

impl Case {
    /// A token that is admitted.
    pub fn admitted_token(&self, oauth: &OAuthService) -> Token {
        dated(begin(oauth), &self.admitted, oauth)
    }

    /// A token that is refused.
    pub fn refused_token(&self, oauth: &OAuthService) -> Token {
        dated(begin(oauth), &self.refused, oauth)
    }
}

/// The search has a clock of its own.
fn dated(token: Token, claims: &Map<String, Json>, oauth: &OAuthService) -> Token {
    let token = token.without("auth_time").with(claims.clone());
    match claims.get("auth_time").and_then(Json::as_u64) {
        Some(at) => token.claim("auth_time", (oauth.server().now().seconds() + at).saturating_sub(NOW)),
        None => token,
    }
}

impl Suite {
    fn new(rules: &[&'static Rule]) -> Result<Suite, Unsuitable> {
        let mut terms = Terms::default();
        rules.iter().try_for_each(|rule| terms.collect(rule))?;
        Ok(Suite { alone: alone(rules), ..terms.search(rules) })
    }

    /// A pair of tokens for each term that matters.
    #[must_use]
    pub fn cases(&self) -> &[Case] {
        &self.cases
    }

    /// Terms that never decide anything, whatever the claims.
    #[must_use]
    pub fn redundant(&self) -> Vec<&str> {
        self.redundant.iter().map(String::as_str).collect()
    }

    /// For each term of an `any(..)`, whom it lets in by itself: so that a test can say that this was meant.
    #[must_use]
    pub fn alone(&self) -> Vec<&str> {
        self.alone.iter().map(String::as_str).collect()
    }

    /// Terms of a policy that is too large to be searched through.
    #[must_use]
    pub fn undetermined(&self) -> Vec<&str> {
        self.undetermined.iter().map(String::as_str).collect()
    }

    /// Calls a handler with both tokens of each case: one is admitted, whatever the handler then answers, the other refused.
    ///
    /// ```standalone_crate
    /// # use actix_web::{App, get, test};
    /// # use oauth_runtime::{require_claim, testing};
    /// #[require_claim(any(sub = path.owner, role = "admin"))]
    /// #[get("/report/{owner}")]
    /// async fn report() -> &'static str { "report" }
    ///
    /// # #[actix_web::main]
    /// # async fn main() {
    /// let oauth = testing::service();
    /// let app = test::init_service(App::new().configure(oauth.routes()).service(report)).await;
    /// let suite = testing::suite_of("report").unwrap();
    /// suite.check(&oauth, &app, || test::TestRequest::get().uri("/report/1")).await;
    /// # }
    /// ```
    ///
    /// # Panics
    /// Where it is not so, where a term is redundant, and where the policy is too large to say.
    pub async fn check<B: MessageBody>(
        &self,
        oauth: &OAuthService,
        app: &impl Service<Request, Response = ServiceResponse<B>, Error = Error>,
        request: impl Fn() -> test::TestRequest,
    ) {
        assert!(self.redundant.is_empty(), "these terms never decide anything: {}", self.redundant.join("; "));
        assert!(self.undetermined.is_empty(), "too large to be searched: {}", self.undetermined.join("; "));
        for case in &self.cases {
            for (token, expected) in [(case.admitted_token(oauth), true), (case.refused_token(oauth), false)] {
                let request = request().insert_header(token.header()).to_request();
                let probe = Probe::default();
                request.extensions_mut().insert(probe.clone());
                let status = match app.call(request).await {
                    Ok(response) => response.status(),
                    Err(error) => error.as_response_error().status_code(),
                };
                let decisions = probe.decisions();
                assert!(!decisions.is_empty(), "no guard of this crate saw the request; it was answered with {status}");
                let refused = decisions.iter().find_map(|noted| noted.refused.as_ref());
                let claims = if expected { &case.admitted } else { &case.refused };
                assert_eq!(
                    refused.is_none(),
                    expected,
                    "{}: answered {status} for {claims:?}{}; a parameter of the route has to be 1 in the path of the request",
                    case.term,
                    refused.map(|why| format!(", since {why}")).unwrap_or_default()
                );
            }
        }
    }
}

/// The terms of a policy, and the values that its claims may take so that each term is met and missed.
#[derive(Default)]
struct Terms {
    terms: BTreeMap<String, &'static Rule>,
    values: BTreeMap<Vec<&'static str>, Vec<Option<Json>>>,
}

impl Terms {
    fn collect(&mut self, rule: &'static Rule) -> Result<(), Unsuitable> {
        match rule {
            Rule::Public | Rule::Token => return Ok(()),
            Rule::Typed(typed) => return Err(Unsuitable::Typed { pattern: typed.pattern }),
            Rule::All(rules) | Rule::Any(rules) => return rules.iter().try_for_each(|rule| self.collect(rule)),
            Rule::Not(rule) => return self.collect(rule),
            Rule::Claim(name, test) => {
                let values = match test {
                    Test::Present => vec![json!(true), json!(false)],
                    Test::Equals(value) | Test::Differs(value) => around(*value),
                    Test::OneOf(values) => values.iter().copied().flat_map(around).collect(),
                    Test::Orders(Order::Below | Order::AtMost | Order::Above | Order::AtLeast, value) => around(*value),
                };
                self.may_be(name, values);
            }
            Rule::Scope(tokens) => {
                let all: BTreeSet<&str> = self.scopes().chain(tokens.iter().copied()).collect();
                let join =
                    |left_out: &str| all.iter().copied().filter(|one| *one != left_out).collect::<Vec<_>>().join(" ");
                let values = all.iter().map(|one| json!(join(one))).chain([json!(join(""))]).collect();
                self.may_be(&["scope"], values);
            }
            Rule::Fresh(seconds) => {
                // Tokens age while a test runs: what is fresh has all of its time left, and what is not stays so.
                let ages = [0, seconds.saturating_add(1)];
                self.may_be(&["auth_time"], ages.map(|age| json!(NOW.saturating_sub(age))).into());
            }
            Rule::Acr(wanted) => {
                self.may_be(&["acr"], wanted.iter().map(|acr| json!(acr)).chain([json!("another")]).collect());
            }
        }
        self.terms.insert(rule.to_string(), rule);
        Ok(())
    }

    fn may_be(&mut self, name: &[&'static str], values: Vec<Json>) {
        let known = self.values.entry(name.to_vec()).or_insert_with(|| vec![None]);
        for value in values {
            if !known.contains(&Some(value.clone())) {
                known.push(Some(value));
            }
        }
    }

    /// Those of the terms before this one.
    fn scopes(&self) -> impl Iterator<Item = &'static str> {
        self.terms.values().flat_map(|rule| rule.scopes())
    }

    /// Walks over all combinations of values, and from each to its neighbours.
    fn search(self, rules: &[&'static Rule]) -> Suite {
        let claims: Vec<(&Vec<&str>, &Vec<Option<Json>>)> = self.values.iter().collect();
        let all = claims.iter().try_fold(1_usize, |product, (_, values)| {
            product.checked_mul(values.len()).filter(|product| *product <= MOST)
        });
        let mut missing: BTreeMap<String, &Rule> = self.terms.clone();
        let mut cases = Vec::new();
        for number in 0..all.unwrap_or(SOME) {
            // Where there are too many, some from everywhere.
            let number = if all.is_some() { number } else { number.wrapping_mul(0x9E37_79B9_7F4A_7C15) };
            let mut choice = Vec::with_capacity(claims.len());
            let mut rest = number;
            for (_, values) in &claims {
                choice.push(rest % values.len());
                rest /= values.len();
            }
            let here = Outcome::of(&claims, &choice, rules, &self.terms);
            for (place, (_, values)) in claims.iter().enumerate() {
                let own = choice[place];
                for other in (0..values.len()).filter(|other| *other > own) {
                    choice[place] = other;
                    let there = Outcome::of(&claims, &choice, rules, &self.terms);
                    if let Some(term) = here.differs_in_one(&there).filter(|term| missing.contains_key(*term)) {
                        missing.remove(term);
                        let (admitted, refused) = if here.admitted { (&here, &there) } else { (&there, &here) };
                        let (admitted, refused) = (admitted.claims.clone(), refused.claims.clone());
                        cases.push(Case { term: term.to_owned(), admitted, refused });
                    }
                }
                choice[place] = own;
            }
            if missing.is_empty() {
                break;
            }
        }
        let missing: Vec<String> = missing.into_keys().collect();
        let (redundant, undetermined) = if all.is_some() { (missing, Vec::new()) } else { (Vec::new(), missing) };
        Suite { cases, redundant, undetermined, alone: Vec::new() }
    }
}

/// What one set of claims means.
struct Outcome<'a> {
    claims: Map<String, Json>,
    admitted: bool,
    holds: Vec<(&'a str, bool)>,
}

impl<'a> Outcome<'a> {
    fn of(
        claims: &[(&Vec<&str>, &Vec<Option<Json>>)],
        choice: &[usize],
        rules: &[&'static Rule],
        terms: &'a BTreeMap<String, &'static Rule>,
    ) -> Self {
        let mut map = Map::new();
        for ((name, values), index) in claims.iter().zip(choice) {
            if let Some(value) = &values[*index] {
                put(&mut map, name, value);
            }
        }
        let parameter = |_: &str| Some(Cow::Borrowed(PARAMETER));
        let facts = Facts::new(&map).at(Timestamp::from_seconds(NOW)).with_parameters(&parameter);
        let admitted = rules.iter().all(|rule| rule.decide(&facts).admits());
        let holds = terms.iter().map(|(text, rule)| (text.as_str(), rule.decide(&facts).admits())).collect();
        Outcome { admitted, holds, claims: map }
    }

    /// The one term in which two outcomes differ, if with it the decision does.
    fn differs_in_one(&self, other: &Outcome<'a>) -> Option<&'a str> {
        let mut different = self.holds.iter().zip(&other.holds).filter(|(one, other)| one != other);
        match (different.next(), different.next()) {
            (Some(((term, _), _)), None) if self.admitted != other.admitted => Some(term),
            _ => None,
        }
    }
}

fn put(claims: &mut Map<String, Json>, name: &[&str], value: &Json) {
    match name {
        [] => {}
        [last] => {
            claims.insert((*last).to_owned(), value.clone());
        }
        [first, below @ ..] => {
            let inner = claims.entry((*first).to_owned()).or_insert_with(|| json!({}));
            if !inner.is_object() {
                *inner = json!({});
            }
            if let Json::Object(inner) = inner {
                put(inner, below, value);
            }
        }
    }
}

/// Values that meet a comparison with this one, and values that miss it.
fn around(value: Value) -> Vec<Json> {
    match value {
        Value::Str(text) => vec![json!(text), json!(format!("not {text}"))],
        Value::Bool(truth) => vec![json!(truth), json!(!truth)],
        Value::Parameter(_) => vec![json!(PARAMETER), json!(format!("not {PARAMETER}"))],
        Value::Float(float) => vec![json!(float), json!(float + 1.0), json!(float - 1.0)],
        Value::Int(int) => [int, int + 1, int - 1]
            .into_iter()
            .filter_map(|int| {
                u64::try_from(int).map(|int| json!(int)).or_else(|_| i64::try_from(int).map(|int| json!(int))).ok()
            })
            .collect(),
    }
}

/// What a parameter of the route is taken to be.
const PARAMETER: &str = "1";
/// The time of the search, in seconds: later than any `fresh` reaches back.
const NOW: u64 = 100_000_000_000;
/// How many combinations of values are looked at.
const MOST: usize = 20_000;
/// How many where there are more.
const SOME: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    const fn claim(name: &'static [&'static str], test: Test) -> Rule {
        Rule::Claim(name, test)
    }

    const A: Rule = claim(&["a"], Test::Present);
    const B: Rule = claim(&["b"], Test::Equals(Value::Str("x")));
    const C: Rule = claim(&["o", "c"], Test::Orders(Order::Above, Value::Int(3)));

    fn redundant(rule: &'static Rule) -> Vec<String> {
        let suite = Suite::new(&[rule]).expect("no pattern");
        assert!(suite.undetermined.is_empty());
        for case in &suite.cases {
            let parameter = |_: &str| Some(Cow::Borrowed(PARAMETER));
            // A slow machine comes to the request later than to the token.
            for later in [0, 60] {
                let decide = |claims| {
                    let facts = Facts::new(claims).at(Timestamp::from_seconds(NOW + later)).with_parameters(&parameter);
                    rule.decide(&facts).admits()
                };
                assert!(decide(&case.admitted) && !decide(&case.refused), "{later} s later: {case:?}");
            }
        }
        suite.redundant
    }

    #[::core::prelude::v1::test]
    fn a_term_that_decides_nothing_is_found() {
        static ALL: Rule = Rule::All(&[A, B, C]);
        static ANY: Rule = Rule::Any(&[A, Rule::All(&[B, Rule::Not(&C)])]);
        static ABSORBED: Rule = Rule::Any(&[A, Rule::All(&[A, B])]);
        static STRICTER: Rule = Rule::All(&[C, claim(&["o", "c"], Test::Orders(Order::Above, Value::Int(2)))]);
        static RANGE: Rule = Rule::All(&[C, claim(&["o", "c"], Test::Orders(Order::Below, Value::Int(9)))]);
        static NEVER: Rule = Rule::All(&[B, claim(&["b"], Test::Equals(Value::Str("y")))]);
        static SCOPES: Rule = Rule::Any(&[Rule::Scope(&["r", "w"]), Rule::All(&[Rule::Scope(&["r"]), A])]);
        static SPECIAL: Rule = Rule::All(&[
            Rule::Fresh(300),
            Rule::Acr(&["x", "y"]),
            claim(&["sub"], Test::Equals(Value::Parameter("owner"))),
            claim(&["n"], Test::Equals(Value::Int(u64::MAX as i128))),
            claim(&["f"], Test::Differs(Value::Float(1.5))),
            claim(&["t"], Test::OneOf(&[Value::Bool(true), Value::Str("z")])),
        ]);
        static TIMES: Rule = Rule::All(&[Rule::Fresh(3600), Rule::Any(&[A, Rule::Fresh(300)])]);
        static STALE: Rule = Rule::All(&[Rule::Fresh(600), Rule::Not(&Rule::Fresh(300))]);
        assert!(redundant(&TIMES).is_empty());
        assert!(redundant(&STALE).is_empty());
        assert!(redundant(&ALL).is_empty());
        assert!(redundant(&ANY).is_empty());
        assert_eq!(redundant(&ABSORBED), ["b = \"x\""]);
        assert_eq!(redundant(&STRICTER), ["o.c > 2"]);
        assert!(redundant(&RANGE).is_empty());
        // It admits nobody, so nothing in it decides.
        assert_eq!(redundant(&NEVER), ["b = \"x\"", "b = \"y\""]);
        assert!(redundant(&SCOPES).is_empty());
        assert!(redundant(&SPECIAL).is_empty());
    }

    #[::core::prelude::v1::test]
    fn what_is_too_large_is_not_called_redundant() {
        static NAMES: [&str; 20] =
            ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t"];
        let rules: Vec<Rule> =
            NAMES.iter().map(|name| claim(Box::leak(Box::new([*name])), Test::Equals(Value::Int(1)))).collect();
        let rule: &'static Rule = Box::leak(Box::new(Rule::All(Box::leak(rules.into_boxed_slice()))));
        let suite = Suite::new(&[rule]).expect("no pattern");
        assert!(suite.redundant.is_empty() && !suite.undetermined.is_empty());
    }
}
