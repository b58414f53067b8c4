//! The search for two sets of claims between which one term flips.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use crate::model::Timestamp;
use crate::policy::bound::{Bound, BoundType};
use crate::policy::{Facts, Order, Rule, Shape, Test};
use crate::testing::suite::values::{PARAMETER, around, put, sample, take, values_of};

/// A term, and claims between which it flips: those that the policy admits, and those that it refuses.
pub(super) type Pair = (String, [Map<String, Json>; 2]);

/// The pattern of a type, whose terms only the compiler knows.
#[derive(Debug)]
pub(super) struct IsPattern(pub(super) &'static str);

/// What was found about a policy.
#[derive(Default)]
pub(super) struct Found {
    pub(super) terms: Vec<String>,
    pub(super) pairs: Vec<Pair>,
    /// The terms for which there is no pair, though all claims were looked at.
    pub(super) redundant: Vec<String>,
    /// Those for which there may be one.
    pub(super) undetermined: Vec<String>,
    /// No claims can meet it.
    pub(super) admits_none: bool,
    /// All claims that users of one type can have meet it, and not because of a single term.
    pub(super) admits_all: bool,
}

/// Searches rules that apply together, over the claims of each type that tokens are made of; over all claims where none
/// is bound.
pub(super) fn search(rules: &[&'static Rule], bound: &Bound) -> Result<Found, IsPattern> {
    let mut terms = Terms::default();
    rules.iter().try_for_each(|rule| terms.collect(rule, bound))?;
    let is_issued = |of: &&BoundType| of.is_issued || !bound.types.iter().any(|of| of.is_issued);
    let types: Vec<&'static Shape> = bound.types.iter().filter(is_issued).map(|of| &of.shape).collect();
    let mut search =
        Search { rules, terms: &terms, missing: terms.terms.clone(), pairs: Vec::new(), seen: BTreeMap::new() };
    let walks = match types.as_slice() {
        [] => vec![search.walk(None, &types)],
        _ => types.iter().map(|own| search.walk(Some(own), &types)).collect(),
    };
    search.across_types();
    let is_whole = walks.iter().all(|walk| walk.is_whole);
    let missing = search.missing.into_keys().collect();
    let (redundant, undetermined) = if is_whole { (missing, Vec::new()) } else { (Vec::new(), missing) };
    let has_terms = !terms.terms.is_empty();
    Ok(Found {
        admits_none: has_terms && is_whole && !walks.iter().any(|walk| walk.admits),
        admits_all: has_terms && walks.iter().any(|walk| walk.is_whole && !walk.refuses && !walk.holds.contains(&true)),
        pairs: search.pairs,
        terms: terms.terms.into_keys().collect(),
        redundant,
        undetermined,
    })
}

/// The terms of a policy, and the values that its claims may take so that each term is met and missed.
#[derive(Default)]
struct Terms {
    terms: BTreeMap<String, &'static Rule>,
    values: BTreeMap<Vec<&'static str>, Vec<Json>>,
}

impl Terms {
    fn collect(&mut self, rule: &'static Rule, bound: &Bound) -> Result<(), IsPattern> {
        match rule {
            Rule::Public | Rule::Token => return Ok(()),
            Rule::Typed(typed) => return Err(IsPattern(typed.pattern)),
            Rule::All(rules) | Rule::Any(rules) => {
                return rules.iter().try_for_each(|rule| self.collect(rule, bound));
            }
            Rule::Not(rule) => return self.collect(rule, bound),
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
                let other = bound.acr.unwrap_or(&["another"]).iter().find(|acr| !wanted.contains(acr));
                self.may_be(&["acr"], wanted.iter().chain(other).map(|acr| json!(acr)).collect());
            }
        }
        self.terms.insert(rule.to_string(), rule);
        Ok(())
    }

    fn may_be(&mut self, name: &[&'static str], values: Vec<Json>) {
        let known = self.values.entry(name.to_vec()).or_default();
        for value in values {
            if !known.contains(&value) {
                known.push(value);
            }
        }
    }

    /// Those of the terms before this one.
    fn scopes(&self) -> impl Iterator<Item = &'static str> {
        self.terms.values().flat_map(|rule| rule.scopes())
    }
}

/// What is looked for, and what was found.
struct Search<'a> {
    rules: &'a [&'static Rule],
    terms: &'a Terms,
    missing: BTreeMap<String, &'static Rule>,
    pairs: Vec<Pair>,
    /// By which terms hold, and by the decision: claims of any of the types.
    seen: BTreeMap<(Vec<bool>, bool), Map<String, Json>>,
}

/// The result for the claims of one type.
struct Walk {
    /// All of them were looked at, or what is looked for was found.
    is_whole: bool,
    admits: bool,
    refuses: bool,
    /// For each term, whether it holds for all of them.
    holds: Vec<bool>,
}

impl<'a> Search<'a> {
    /// Over all combinations of values that claims of a type can have, and from each to its neighbours.
    fn walk(&mut self, own: Option<&'static Shape>, types: &[&'static Shape]) -> Walk {
        let asked = &self.terms.values;
        let values: Vec<_> = asked.iter().map(|(name, asked)| values_of(name, asked, own, types)).collect();
        let claims: Vec<(&[&str], &[Option<Json>])> =
            asked.keys().zip(&values).map(|(name, values)| (name.as_slice(), values.as_slice())).collect();
        let all = claims.iter().try_fold(1_usize, |product, (_, values)| {
            product.checked_mul(values.len()).filter(|product| *product <= MOST)
        });
        let holds = vec![true; self.terms.terms.len()];
        let mut walk = Walk { is_whole: all.is_some(), admits: false, refuses: false, holds };
        for number in 0..all.unwrap_or(SOME) {
            // If there are too many, a sample of all.
            let number = number as u64;
            let mut rest = if all.is_some() { number } else { number.wrapping_mul(0x9E37_79B9_7F4A_7C15) };
            let mut choice = Vec::with_capacity(claims.len());
            for (_, values) in &claims {
                let count = values.len() as u64;
                // Below the length, which is a `usize`.
                choice.push((rest % count) as usize);
                rest /= count;
            }
            let here = self.outcome(&claims, &choice);
            walk.note(&here);
            for place in 0..claims.len() {
                let before = choice[place];
                for other in before + 1..claims[place].1.len() {
                    choice[place] = other;
                    let there = self.outcome(&claims, &choice);
                    self.pair(own, &here, &there);
                }
                choice[place] = before;
            }
            if types.len() > 1 && self.seen.len() < SEEN {
                let holds = here.holds.iter().map(|(_, holds)| *holds).collect();
                self.seen.entry((holds, here.admitted)).or_insert_with(|| self.terms.whole(own, &here.claims));
            }
            if self.missing.is_empty() && walk.admits && walk.refuses {
                walk.is_whole = true;
                break;
            }
        }
        walk
    }

    fn outcome(&self, claims: &[(&[&str], &[Option<Json>])], choice: &[usize]) -> Outcome<'a> {
        Outcome::of(claims, choice, self.rules, &self.terms.terms)
    }

    fn pair(&mut self, own: Option<&'static Shape>, here: &Outcome<'_>, there: &Outcome<'_>) {
        let Some(term) = here.differs_in_one(there).filter(|term| self.missing.contains_key(*term)) else { return };
        self.missing.remove(term);
        let (admitted, refused) = if here.admitted { (here, there) } else { (there, here) };
        let pair = [admitted, refused].map(|outcome| self.terms.whole(own, &outcome.claims));
        self.pairs.push((term.to_owned(), pair));
    }

    /// A term may ask which of the types it is: then it flips between two, and within none.
    fn across_types(&mut self) {
        for (place, term) in self.terms.terms.keys().enumerate().filter(|(_, term)| self.missing.contains_key(*term)) {
            let pair =
                self.seen.iter().filter(|((_, is_admitted), _)| *is_admitted).find_map(|((holds, _), admitted)| {
                    let mut flipped = holds.clone();
                    flipped[place] = !flipped[place];
                    self.seen.get(&(flipped, false)).map(|refused| [admitted.clone(), refused.clone()])
                });
            self.pairs.extend(pair.map(|pair| (term.clone(), pair)));
        }
        self.missing.retain(|term, _| self.pairs.iter().all(|(found, _)| found != term));
    }
}

impl Walk {
    fn note(&mut self, outcome: &Outcome<'_>) {
        *(if outcome.admitted { &mut self.admits } else { &mut self.refuses }) = true;
        self.holds.iter_mut().zip(&outcome.holds).for_each(|(all, (_, holds))| *all &= *holds);
    }
}

impl Terms {
    /// Claims that decide, among the others of their type.
    fn whole(&self, own: Option<&'static Shape>, claims: &Map<String, Json>) -> Map<String, Json> {
        let Some(Json::Object(mut whole)) = own.map(sample) else { return claims.clone() };
        // The one that a token has anyway.
        whole.remove("sub");
        for name in self.values.keys() {
            let value = name
                .split_first()
                .and_then(|(first, below)| below.iter().try_fold(claims.get(*first)?, |value, name| value.get(name)));
            match value {
                Some(value) => put(&mut whole, name, value),
                None => take(&mut whole, name),
            }
        }
        whole
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
        claims: &[(&[&str], &[Option<Json>])],
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

/// The time of the search, in seconds: later than any `fresh` reaches back.
pub(super) const NOW: u64 = 100_000_000_000;
/// How many combinations of values are looked at.
const MOST: usize = 20_000;
/// How many if there are more than that.
const SOME: usize = 1_000;
/// How many are kept, to be compared with those of another type.
const SEEN: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Value;
    use crate::policy::bound::UNBOUND;

    const fn claim(name: &'static [&'static str], test: Test) -> Rule {
        Rule::Claim(name, test)
    }

    const A: Rule = claim(&["a"], Test::Present);
    const B: Rule = claim(&["b"], Test::Equals(Value::Str("x")));
    const C: Rule = claim(&["o", "c"], Test::Orders(Order::Above, Value::Int(3)));

    fn redundant(rule: &'static Rule) -> Vec<String> {
        let suite = search(&[rule], &UNBOUND).expect("no pattern");
        assert!(suite.undetermined.is_empty());
        for (_, pair) in &suite.pairs {
            let parameter = |_: &str| Some(Cow::Borrowed(PARAMETER));
            // A slow machine comes to the request later than to the token.
            for later in [0, 60] {
                let decide = |claims| {
                    let facts = Facts::new(claims).at(Timestamp::from_seconds(NOW + later)).with_parameters(&parameter);
                    rule.decide(&facts).admits()
                };
                assert!(decide(&pair[0]) && !decide(&pair[1]), "{later} s later: {pair:?}");
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
        // It admits no user, so nothing in it decides.
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
        let suite = search(&[rule], &UNBOUND).expect("no pattern");
        assert!(suite.redundant.is_empty() && !suite.undetermined.is_empty());
    }
}
