//! What a refused token would need to be admitted, so that a client can ask for it.

use std::collections::BTreeSet;

use serde_json::Map;

use crate::model::Scope;
use crate::model::sealed_claims::Hidden;
use crate::policy::{Decision, Facts, Rule};

/// What a client can do about a refusal: ask for a scope, or have the person sign in again or in another way (RFC
/// 9470).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Need {
    /// Every scope that is required, including those that the token has (RFC 6750 §3).
    pub(crate) scope: Scope,
    /// How long ago the person may have signed in, in seconds.
    pub(crate) max_age: Option<u64>,
    /// How the person may have signed in; empty if it does not matter.
    pub(crate) acr: Vec<&'static str>,
}

impl Need {
    /// Whether the person has to sign in again.
    pub(crate) fn is_step_up(&self) -> bool {
        self.max_age.is_some() || !self.acr.is_empty()
    }

    /// Whether the token does not have it already.
    fn is_more(&self, facts: &Facts<'_>) -> bool {
        self.is_step_up() || self.scope.iter().any(|token| !facts.is_granted(token))
    }

    fn and(mut self, other: Need) -> Option<Need> {
        self.scope.extend(other.scope.iter());
        self.max_age = [self.max_age, other.max_age].into_iter().flatten().min();
        if self.acr.is_empty() {
            self.acr = other.acr;
        } else if !other.acr.is_empty() {
            self.acr.retain(|acr| other.acr.contains(acr));
            // No single way of signing in is both.
            if self.acr.is_empty() {
                return None;
            }
        }
        Some(self)
    }
}

impl Rule {
    /// What would make a rule hold that refused; `None` if no scope and no sign-in can.
    ///
    /// The client sees it, so it depends on nothing that the client cannot read: a term over that counts as true until
    /// the token has everything else and is refused.
    pub(crate) fn need(&self, facts: &Facts<'_>) -> Option<Need> {
        self.needed(facts).filter(|need| need.is_more(facts))
    }

    /// The scope that a client without a token should ask for. It depends only on the rule: nothing in a token that
    /// does not verify is believed or revealed.
    pub(crate) fn scope_of_a_stranger(&self) -> Scope {
        if !self.names_a_scope() {
            return Scope::default();
        }
        let claims = Map::new();
        let hidden = Hidden::AllBut(BTreeSet::new());
        self.need(&Facts::new(&claims).hiding(&hidden)).map_or_else(Scope::default, |need| need.scope)
    }

    pub(crate) fn names_a_scope(&self) -> bool {
        match self {
            Rule::All(rules) | Rule::Any(rules) => rules.iter().any(Rule::names_a_scope),
            Rule::Not(rule) => rule.names_a_scope(),
            Rule::Scope(_) => true,
            Rule::Public | Rule::Token | Rule::Claim(..) | Rule::Fresh(_) | Rule::Acr(_) | Rule::Typed(_) => false,
        }
    }

    fn needed(&self, facts: &Facts<'_>) -> Option<Need> {
        match self {
            Rule::All(rules) => rules.iter().try_fold(Need::default(), |needed, rule| needed.and(rule.needed(facts)?)),
            // The author's order is the order of preference.
            Rule::Any(rules) => {
                let met = rules.iter().find(|rule| !rule.is_hidden(facts) && rule.decide(facts).admits());
                let all = || rules.iter().filter_map(|rule| rule.needed(facts));
                met.map_or_else(
                    || all().find(|need| need.is_more(facts)).or_else(|| all().next()),
                    |it| it.needed(facts),
                )
            }
            Rule::Not(_) | Rule::Claim(..) | Rule::Typed(_) if self.is_hidden(facts) => Some(Need::default()),
            Rule::Scope(tokens) => {
                let mut scope = Scope::default();
                scope.extend(tokens.iter().copied());
                Some(Need { scope, ..Need::default() })
            }
            _ if self.decide(facts).admits() => Some(Need::default()),
            // A client has no one who could sign in again.
            Rule::Fresh(_) | Rule::Acr(_) if facts.are_of_no_user() => None,
            Rule::Fresh(seconds) => Some(Need { max_age: Some(*seconds), ..Need::default() }),
            Rule::Acr(wanted) => Some(Need { acr: wanted.to_vec(), ..Need::default() }),
            // Asking for more never makes a token have less.
            Rule::Not(_) | Rule::Public | Rule::Token | Rule::Claim(..) | Rule::Typed(_) => None,
        }
    }

    /// Whether it is about something that the client cannot read.
    fn is_hidden(&self, facts: &Facts<'_>) -> bool {
        match self {
            Rule::All(rules) | Rule::Any(rules) => rules.iter().any(|rule| rule.is_hidden(facts)),
            Rule::Not(rule) => rule.is_hidden(facts),
            Rule::Claim(name, _) => name.first().is_some_and(|name| facts.hides(name)),
            Rule::Typed(_) => facts.hides_the_user(),
            Rule::Public | Rule::Token | Rule::Scope(_) | Rule::Fresh(_) | Rule::Acr(_) => false,
        }
    }

    /// The terms that kept the rule from holding, in normal form.
    pub(crate) fn decisive(&self, facts: &Facts<'_>) -> String {
        fn collect(rule: &Rule, facts: &Facts<'_>, wanted: bool, into: &mut Vec<String>) {
            let decision = rule.decide(facts);
            let as_wanted = if wanted { decision.admits() } else { decision.not().admits() };
            if as_wanted {
                return;
            }
            match rule {
                Rule::All(rules) | Rule::Any(rules) => {
                    rules.iter().for_each(|rule| collect(rule, facts, wanted, into));
                }
                Rule::Not(rule) => collect(rule, facts, !wanted, into),
                Rule::Public
                | Rule::Token
                | Rule::Claim(..)
                | Rule::Scope(_)
                | Rule::Fresh(_)
                | Rule::Acr(_)
                | Rule::Typed(_) => match rule.why_unknown(facts).filter(|_| decision == Decision::Unknown) {
                    Some(why) => into.push(format!("{rule} is {decision}: {why}")),
                    None => into.push(format!("{rule} is {decision}")),
                },
            }
        }
        let mut leaves = Vec::new();
        collect(self, facts, true, &mut leaves);
        leaves.join("; ")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::policy::{Test, Value};

    const ADMIN: Rule = Rule::Claim(&["role"], Test::Equals(Value::Str("admin")));

    fn need(rule: &Rule, claims: serde_json::Value) -> Option<(String, Option<u64>, Vec<&'static str>)> {
        let claims = claims.as_object().expect("an object");
        rule.need(&Facts::new(claims)).map(|need| (need.scope.to_string(), need.max_age, need.acr))
    }

    #[test]
    fn all_of_it_is_named_and_nothing_that_would_not_help() {
        static BOTH: Rule = Rule::All(&[ADMIN, Rule::Scope(&["b"]), Rule::Scope(&["a"])]);
        assert_eq!(need(&BOTH, json!({ "role": "admin", "scope": "a" })), Some(("a b".into(), None, vec![])));
        assert_eq!(need(&BOTH, json!({ "role": "user", "scope": "a" })), None);
        static EITHER: Rule = Rule::Any(&[ADMIN, Rule::Scope(&["a"]), Rule::Scope(&["b"])]);
        assert_eq!(need(&EITHER, json!({ "role": "user" })), Some(("a".into(), None, vec![])));
        static NOT: Rule = Rule::Not(&Rule::Scope(&["a"]));
        assert_eq!(need(&NOT, json!({ "scope": "a" })), None);
    }

    #[test]
    fn c44_what_is_needed_does_not_depend_on_what_the_client_cannot_read() {
        static BOTH: Rule = Rule::All(&[ADMIN, Rule::Scope(&["a"])]);
        static EITHER: Rule = Rule::Any(&[Rule::All(&[ADMIN, Rule::Scope(&["a"])]), Rule::Scope(&["b"])]);
        static OR_ADMIN: Rule = Rule::Any(&[ADMIN, Rule::Scope(&["b"])]);
        static NOT_ADMIN: Rule = Rule::All(&[Rule::Not(&ADMIN), Rule::Fresh(60), Rule::Scope(&["a"])]);
        let readable = Hidden::AllBut(["scope".to_owned(), "auth_time".to_owned()].into());
        for (rule, scope, expected) in [
            (&BOTH, "x", Some(("a", None))),
            // It has all that a scope can give, and is refused all the same.
            (&BOTH, "a", None),
            (&EITHER, "x", Some(("a", None))),
            (&EITHER, "a", Some(("b", None))),
            (&OR_ADMIN, "x", Some(("b", None))),
            (&NOT_ADMIN, "a", Some(("a", Some(60)))),
        ] {
            for role in [json!("admin"), json!("user"), json!(7), json!(null)] {
                let claims = json!({ "role": role, "scope": scope });
                let claims = claims.as_object().expect("an object");
                let facts = Facts::new(claims).hiding(&readable);
                let need = rule.need(&facts).map(|need| (need.scope.to_string(), need.max_age));
                let expected = expected.map(|(scope, age): (&str, _)| (scope.to_owned(), age));
                assert_eq!(need, expected, "{rule} {claims:?}");
            }
        }
        // What it can read is returned as before.
        let all = Hidden::AllBut(["scope".to_owned(), "role".to_owned()].into());
        let claims = json!({ "role": "user", "scope": "x" });
        let facts = Facts::new(claims.as_object().expect("an object")).hiding(&all);
        assert_eq!(BOTH.need(&facts), None);
    }

    #[test]
    fn step_up_takes_the_strictest() {
        static RULE: Rule = Rule::All(&[
            Rule::Fresh(300),
            Rule::Fresh(60),
            Rule::Acr(&["a", "b"]),
            Rule::Acr(&["b", "c"]),
            Rule::Scope(&["s"]),
        ]);
        assert_eq!(need(&RULE, json!({})), Some(("s".into(), Some(60), vec!["b"])));
        static IMPOSSIBLE: Rule = Rule::All(&[Rule::Acr(&["a"]), Rule::Acr(&["b"])]);
        assert_eq!(need(&IMPOSSIBLE, json!({})), None);
        assert_eq!(need(&RULE, json!({ "auth_time": 0, "acr": "b" })), Some(("s".into(), None, vec![])));
    }

    #[test]
    fn c28_no_sign_in_is_asked_of_a_client_in_its_own_name() {
        static EITHER: Rule = Rule::Any(&[Rule::Fresh(60), Rule::Scope(&["a"])]);
        static BOTH: Rule = Rule::All(&[Rule::Acr(&["b"]), Rule::Scope(&["a"])]);
        let own = json!({ "sub": "job", "client_id": "job" });
        assert_eq!(need(&Rule::Fresh(60), own.clone()), None);
        assert_eq!(need(&BOTH, own.clone()), None);
        assert_eq!(need(&EITHER, own), Some(("a".into(), None, vec![])), "another way may be there");
        // A user of an issuer that does not say when, or that counts users and clients alike.
        for claims in [
            json!({ "sub": "ada", "client_id": "job" }),
            json!({ "sub": "7", "client_id": "7", "auth_time": 0 }),
            json!({}),
        ] {
            assert_eq!(need(&Rule::Acr(&["b"]), claims), Some((String::new(), None, vec!["b"])));
        }
    }

    #[test]
    fn the_terms_that_decided_are_named() {
        static RULE: Rule = Rule::All(&[
            ADMIN,
            Rule::Any(&[Rule::Claim(&["a"], Test::Present), Rule::Claim(&["b"], Test::Present)]),
            Rule::Not(&Rule::Claim(&["suspended"], Test::Present)),
        ]);
        let decisive = |claims: serde_json::Value| RULE.decisive(&Facts::new(claims.as_object().expect("an object")));
        assert_eq!(
            decisive(json!({ "a": 1, "suspended": true })),
            "role = \"admin\" is unknown: the claim is absent; suspended is true"
        );
        assert_eq!(decisive(json!({ "role": "user", "a": 1 })), "role = \"admin\" is false");
        assert_eq!(decisive(json!({ "role": "admin" })), "a is false; b is false");
    }
}
