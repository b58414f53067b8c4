//! The scopes that a rule demands.

use std::collections::BTreeSet;

use crate::policy::Rule;

/// Sets of scopes, each of which is enough: a token with one of them is never refused for lack of a scope that another
/// token of the same user could have.
pub(crate) struct Demand {
    pub(crate) ways: BTreeSet<BTreeSet<String>>,
    /// Whether only scopes are demanded, and exactly these.
    is_exact: bool,
    /// Scopes that a branch refuses: a token with all scopes together would not be in it.
    never: BTreeSet<String>,
}

impl Demand {
    /// Several guards, one inside the other.
    pub(crate) fn of_all(rules: &[&Rule]) -> Demand {
        all(rules.iter().map(|rule| of(rule, false)))
    }

    fn nothing(is_exact: bool) -> Demand {
        Demand { ways: BTreeSet::from([BTreeSet::new()]), is_exact, never: BTreeSet::new() }
    }
}

fn of(rule: &Rule, is_negated: bool) -> Demand {
    match rule {
        Rule::Token | Rule::Public => Demand::nothing(!is_negated),
        Rule::Scope(scopes) if !is_negated => {
            let way = scopes.iter().map(|scope| (*scope).to_owned()).collect();
            Demand { ways: BTreeSet::from([way]), is_exact: true, never: BTreeSet::new() }
        }
        // OpenAPI cannot say that a token must not have a scope.
        Rule::Scope(scopes) => {
            // `not(scope = "a b")` refuses neither by itself.
            let never = if let [only] = scopes { BTreeSet::from([(*only).to_owned()]) } else { BTreeSet::new() };
            Demand { never, ..Demand::nothing(false) }
        }
        Rule::Not(rule) => of(rule, !is_negated),
        // De Morgan's laws hold in Kleene's logic.
        Rule::All(rules) if is_negated => any(rules.iter().map(|rule| of(rule, true))),
        Rule::Any(rules) if is_negated => all(rules.iter().map(|rule| of(rule, true))),
        Rule::All(rules) => all(rules.iter().map(|rule| of(rule, false))),
        Rule::Any(rules) => any(rules.iter().map(|rule| of(rule, false))),
        Rule::Claim(..) | Rule::Fresh(_) | Rule::Acr(_) | Rule::Typed(_) => Demand::nothing(false),
    }
}

fn all(demands: impl Iterator<Item = Demand>) -> Demand {
    demands.fold(Demand::nothing(true), |so_far, demand| {
        let joined = |one: &BTreeSet<String>| demand.ways.iter().map(move |other| one | other).collect::<Vec<_>>();
        let ways: BTreeSet<BTreeSet<String>> = so_far.ways.iter().flat_map(joined).collect();
        let never = &so_far.never | &demand.never;
        let joined = Demand { ways, is_exact: so_far.is_exact && demand.is_exact, never };
        if joined.ways.len() > MOST_WAYS { together(joined.ways, joined.never) } else { joined }
    })
}

/// Alternatives of only scopes become alternatives in the document. If a branch asks for claims as well, its scopes are
/// enough only for some users, and the client cannot know for which: `any(role = "admin", scope = "a")` refuses most
/// tokens without `a`. Such an `any(..)` is documented as the scopes of all its branches together, with which
/// almost every user passes who can pass at all; but without those that a branch refuses by `not(scope = ..)`.
fn any(demands: impl Iterator<Item = Demand>) -> Demand {
    let (mut ways, mut is_exact, mut never) = (BTreeSet::new(), true, BTreeSet::new());
    for demand in demands {
        ways.extend(demand.ways);
        is_exact &= demand.is_exact;
        never.extend(demand.never);
    }
    if is_exact && (1..=MOST_WAYS).contains(&ways.len()) {
        Demand { ways, is_exact, never }
    } else {
        together(ways, never)
    }
}

fn together(ways: BTreeSet<BTreeSet<String>>, never: BTreeSet<String>) -> Demand {
    let all: BTreeSet<String> = ways.into_iter().flatten().collect();
    Demand { ways: BTreeSet::from([&all - &never]), is_exact: false, never }
}

/// More alternatives than anyone would read become one with all of their scopes: `all(..)` of many `any(..)` multiplies
/// them.
const MOST_WAYS: usize = 16;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::policy::{Facts, Test, Value};

    const ADMIN: Rule = Rule::Claim(&["role"], Test::Equals(Value::Str("admin")));
    const EDITOR: Rule = Rule::Claim(&["role"], Test::Equals(Value::Str("editor")));
    const A: Rule = Rule::Scope(&["a"]);
    const B: Rule = Rule::Scope(&["b"]);

    const RULES: &[(Rule, &[&str])] = &[
        (Rule::Token, &[""]),
        (ADMIN, &[""]),
        (Rule::Scope(&["b", "a"]), &["a b"]),
        (Rule::All(&[A, ADMIN, B]), &["a b"]),
        (Rule::Any(&[A, B]), &["a", "b"]),
        (Rule::All(&[ADMIN, Rule::Any(&[A, B])]), &["a", "b"]),
        (Rule::Any(&[A, Rule::All(&[B, Rule::Scope(&["c"])])]), &["a", "b c"]),
        (Rule::Any(&[ADMIN, EDITOR]), &[""]),
        // Most users need the scope.
        (Rule::Any(&[ADMIN, A]), &["a"]),
        (Rule::Any(&[Rule::All(&[ADMIN, A]), Rule::All(&[EDITOR, B])]), &["a b"]),
        (Rule::Any(&[A, Rule::All(&[B, ADMIN])]), &["a b"]),
        (Rule::All(&[Rule::Any(&[ADMIN, A]), Rule::Any(&[A, B])]), &["a", "a b"]),
        (Rule::Not(&Rule::Not(&A)), &["a"]),
        (Rule::Not(&Rule::All(&[Rule::Not(&A), Rule::Not(&B)])), &["a", "b"]),
        (Rule::Not(&Rule::Any(&[Rule::Not(&A), EDITOR])), &["a"]),
        (Rule::All(&[Rule::Not(&A), B]), &["b"]),
        // With both, no one would pass.
        (Rule::Any(&[Rule::All(&[A, ADMIN]), Rule::All(&[Rule::Not(&A), B])]), &["b"]),
    ];

    #[test]
    fn alternatives_are_those_of_scopes_alone() {
        for (rule, expected) in RULES {
            let ways = of(rule, false).ways.into_iter().map(|way| way.into_iter().collect::<Vec<_>>().join(" "));
            assert_eq!(ways.collect::<Vec<_>>(), *expected, "{rule}");
        }
    }

    /// Whatever a user is, each alternative admits them if any scope does.
    #[test]
    fn no_way_is_less_than_the_rule_demands() {
        let words = ["a", "b", "c"];
        let scopes = (0_u8..8).map(|bits| {
            let chosen = words.iter().enumerate().filter(|(place, _)| bits & (1 << place) != 0);
            chosen.map(|(_, word)| *word).collect::<Vec<_>>().join(" ")
        });
        let scopes: Vec<String> = scopes.collect();
        for (rule, _) in RULES {
            for role in ["admin", "editor", "other"] {
                let admits = |scope: &str| {
                    let claims = json!({ "role": role, "scope": scope });
                    rule.decide(&Facts::new(claims.as_object().expect("an object"))).admits()
                };
                if scopes.iter().any(|scope| admits(scope)) {
                    for way in of(rule, false).ways {
                        let way = way.into_iter().collect::<Vec<_>>().join(" ");
                        assert!(admits(&way), "{rule}: {role} with {way:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_no_one_would_read_is_one_way() {
        const PAIR: [Rule; 2] = [A, B];
        const OTHERS: [Rule; 2] = [Rule::Scope(&["c"]), Rule::Scope(&["d"])];
        const MORE: [Rule; 3] = [Rule::Scope(&["e"]), Rule::Scope(&["f"]), Rule::Scope(&["g"])];
        const LAST: [Rule; 2] = [Rule::Scope(&["h"]), Rule::Scope(&["i"])];
        let many = Rule::All(&[Rule::Any(&PAIR), Rule::Any(&OTHERS), Rule::Any(&MORE), Rule::Any(&LAST)]);
        assert_eq!(of(&many, false).ways.len(), 1);
        let few = Rule::All(&[Rule::Any(&PAIR), Rule::Any(&OTHERS)]);
        assert_eq!(of(&few, false).ways.len(), 4);
    }
}
