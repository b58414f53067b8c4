//! The combined effect of terms: whether any value of the claim meets all of them, and whether any meets none. This is
//! decided over kinds of values, since each term gives the same answer for all values of one kind.

mod kind;

use proc_macro2::{Ident, Span};
use quote::quote;
use syn::{Error, Result};

use crate::check::ends::{is_dynamic, span};
use crate::rule::{Asks, Check, Kind, Part, Rule, Test, Value, either};
use crate::syntax::Term;
use kind::{Scenario, Truth, decide, lists, parameters, scalars, scenarios, subject, values};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Joined {
    All,
    Any,
}

/// The parts of a list of which all must hold.
pub(crate) fn parts(rules: &[Rule], terms: &[Term]) -> Vec<Part> {
    flat(rules, terms, Joined::All)
}

/// Checks two guards on one handler, both of which must hold.
pub(crate) fn stacked(above: &[Part], below: &[Part]) -> Result<Vec<Check>> {
    let moved = |(parts, within)| <[Part]>::iter(parts).cloned().map(move |part| Part { within, ..part });
    all(&moved((above, 0)).chain(moved((below, 1))).collect::<Vec<_>>())
}

/// Checks that these can hold together; the compiler checks what depends on the type of the claim.
pub(crate) fn all(parts: &[Part]) -> Result<Vec<Check>> {
    let mut checks = Vec::new();
    if let Some(pair) = opposites(parts) {
        return Err(never_together(&pair));
    }
    for group in groups(parts) {
        let is_impossible = |parts: &[&Part]| {
            let rules = rules_of(parts);
            scenarios(&rules).iter().all(|it| lists(&rules, it).is_some() && kinds_of_all(&rules, it).is_empty())
        };
        for count in 2..=group.len() {
            let (last, before) = (group[count - 1], &group[..count]);
            if is_impossible(before) {
                let pair = group[..count - 1].iter().find(|earlier| is_impossible(&[earlier, last]));
                return Err(pair.map_or_else(|| never_together(before), |earlier| never_together(&[earlier, last])));
            }
            let rules = rules_of(before);
            if let (Some(name), [None]) = (subject(rules[0]), scenarios(&rules).as_slice())
                && !before.iter().any(|part| part.is_dynamic)
            {
                let mut holds = kinds_of_all(&rules, &None);
                // There are too many to try: a list may meet them.
                holds.extend(lists(&rules, &None).is_none().then(|| Kind::List(Vec::new())));
                let never = if count == 2 { "never both" } else { "never all of them" };
                let asks = Asks::Together(name.clone(), holds, format!("{never}: {}", cure(before)));
                checks.push(Check { asks, first: last.first, last: last.last });
            }
        }
    }
    Ok(checks)
}

/// Checks that these do not hold for everything; the compiler checks what depends on the type of the claim.
pub(super) fn any(rules: &[Rule], terms: &[Term], first: Span, last: Span) -> Result<Vec<Check>> {
    let parts = flat(rules, terms, Joined::Any);
    let mut checks = Vec::new();
    // For a single claim there is a better message below.
    if let Some(pair) = opposites(&parts).filter(|pair| subject(&pair[0].rule).is_none()) {
        return Err(asks_nothing(&pair));
    }
    for group in groups(&parts) {
        for covers in [covers_all, covers_numbers, covers_texts] {
            let is_covered = |parts: &[&Part]| {
                let rules = rules_of(parts);
                scenarios(&rules).iter().all(|it| covers(&rules, it))
            };
            // A term that covers everything by itself is intended.
            if group.iter().any(|part| is_covered(&[part])) {
                continue;
            }
            let Some(count) = (2..=group.len()).find(|count| is_covered(&group[..*count])) else { continue };
            let last = group[count - 1];
            let pair = group[..count - 1].iter().find(|earlier| is_covered(&[earlier, last]));
            let found = pair.map_or_else(|| group[..count].to_vec(), |earlier| vec![earlier, last]);
            let of = [(covers_numbers as Covers, "number"), (covers_texts, "text")];
            let of = of.iter().find(|(it, _)| std::ptr::fn_addr_eq(*it, covers as Covers)).map(|(_, of)| *of);
            return Err(of.map_or_else(|| asks_nothing(&found), |of| asks_presence(&found, of)));
        }
        let rules = rules_of(&group);
        if let (Some(name), [None]) = (subject(rules[0]), scenarios(&rules).as_slice())
            && !group.iter().any(|part| part.is_dynamic)
        {
            let is_left = |kind: &Kind| !rules.iter().any(|rule| decide(rule, kind, &None) == Truth::True);
            let mut left: Vec<Kind> = scalars(&rules, &None).into_iter().filter(is_left).collect();
            // The content of a list decides, so nothing is said about lists.
            left.push(Kind::List(Vec::new()));
            checks.push(Check { asks: Asks::Any(name.clone(), left), first, last });
        }
    }
    Ok(checks)
}

type Covers = fn(&[&Rule], &Scenario) -> bool;

/// The flattened terms: a nested condition of the same sort is replaced by its terms, and so is one of the other sort
/// inside `not`.
fn flat(rules: &[Rule], terms: &[Term], joined: Joined) -> Vec<Part> {
    fn add(
        rule: &Rule,
        term: &Term,
        joined: Joined,
        negated: Option<(Span, Span)>,
        into: &mut Vec<Part>,
        within: usize,
    ) {
        let Term::Combined { terms, .. } = term else { return push(rule, term, negated, into, within) };
        match rule {
            Rule::Not(rule) => {
                let negated = if negated.is_some() { None } else { Some(span(term)) };
                terms.iter().for_each(|term| add(rule, term, joined, negated, into, within));
            }
            Rule::All(rules) if (joined == Joined::All) == negated.is_none() => {
                rules.iter().zip(terms).for_each(|(rule, term)| add(rule, term, joined, negated, into, within));
            }
            Rule::Any(rules) if (joined == Joined::Any) == negated.is_none() => {
                rules.iter().zip(terms).for_each(|(rule, term)| add(rule, term, joined, negated, into, within));
            }
            other => push(other, term, negated, into, within),
        }
    }

    fn push(rule: &Rule, term: &Term, negated: Option<(Span, Span)>, into: &mut Vec<Part>, within: usize) {
        let (first, last) = negated.unwrap_or_else(|| span(term));
        let rule = if negated.is_some() { Rule::Not(Box::new(rule.clone())) } else { rule.clone() };
        into.push(Part { rule, first, last, is_dynamic: is_dynamic(term), within });
    }

    let mut parts = Vec::new();
    for (within, (rule, term)) in rules.iter().zip(terms).enumerate() {
        add(rule, term, joined, None, &mut parts, within);
    }
    parts
}

/// Two terms of which one negates the other.
fn opposites(parts: &[Part]) -> Option<[&Part; 2]> {
    parts.iter().enumerate().find_map(|(index, part)| {
        let other = parts[..index].iter().find(|other| are_opposite(&other.rule, &part.rule));
        other.map(|other| [other, part])
    })
}

fn are_opposite(one: &Rule, other: &Rule) -> bool {
    let is_not = |one: &Rule, other: &Rule| matches!(one, Rule::Not(rule) if **rule == *other);
    is_not(one, other) || is_not(other, one)
}

/// Groups of parts about one claim each, if they come from more than one term: a single term was checked by itself.
fn groups(parts: &[Part]) -> Vec<Vec<&Part>> {
    let mut names: Vec<&Vec<String>> = Vec::new();
    for name in parts.iter().filter_map(|part| subject(&part.rule)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let groups = names.into_iter().map(|name| {
        let group: Vec<&Part> = parts.iter().filter(|part| subject(&part.rule) == Some(name)).collect();
        // A parameter may be any of the numbers, or the other parameter: nothing can be said then.
        let rules = rules_of(&group);
        let is_said = parameters(&rules).len() < 2 && !values(&rules).iter().any(Value::is_number);
        group.into_iter().filter(|part| is_said || parameters(&[&part.rule]).is_empty()).collect::<Vec<_>>()
    });
    groups.filter(|group| group.iter().any(|part| part.within != group[0].within)).collect()
}

fn rules_of<'a>(parts: &[&'a Part]) -> Vec<&'a Rule> {
    parts.iter().map(|part| &part.rule).collect()
}

/// The kinds for which each of these holds.
fn kinds_of_all(rules: &[&Rule], scenario: &Scenario) -> Vec<Kind> {
    let kinds = scalars(rules, scenario).into_iter().chain(lists(rules, scenario).unwrap_or_default());
    kinds.filter(|kind| rules.iter().all(|rule| decide(rule, kind, scenario) == Truth::True)).collect()
}

fn holds(rules: &[&Rule], kind: &Kind, scenario: &Scenario) -> bool {
    rules.iter().any(|rule| decide(rule, kind, scenario) == Truth::True)
}

fn covers_all(rules: &[&Rule], scenario: &Scenario) -> bool {
    let Some(lists) = lists(rules, scenario) else { return false };
    scalars(rules, scenario).iter().chain(&lists).all(|kind| holds(rules, kind, scenario))
}

fn covers_numbers(rules: &[&Rule], scenario: &Scenario) -> bool {
    covers(rules, scenario, |kind| matches!(kind, Kind::Is(_) | Kind::Between(..)))
}

fn covers_texts(rules: &[&Rule], scenario: &Scenario) -> bool {
    covers(rules, scenario, |kind| matches!(kind, Kind::Text(_) | Kind::OtherText(_)))
}

/// Whether all of this sort are admitted. If the terms distinguish lists, that may be intended; but an ordered value is
/// not a list.
fn covers(rules: &[&Rule], scenario: &Scenario, is_of: fn(&Kind) -> bool) -> bool {
    let kinds: Vec<Kind> = scalars(rules, scenario).into_iter().filter(is_of).collect();
    if !kinds.iter().all(|kind| holds(rules, kind, scenario)) {
        return false;
    }
    let is_told_apart = |lists: Vec<Kind>| {
        let mut lists = lists.iter().map(|list| holds(rules, list, scenario));
        let first = lists.next();
        lists.any(|it| Some(it) != first)
    };
    rules.iter().flat_map(|rule| rule.tests()).any(|test| matches!(test, Test::Orders(..)))
        || kind::subsets(kinds).is_some_and(|lists| !is_told_apart(lists))
}

fn error(part: &Part, message: String) -> Error {
    let (first, last) = (Ident::new("first", part.first), Ident::new("last", part.last));
    Error::new_spanned(quote!(#first #last), message)
}

fn listed(parts: &[&Part], between: &str) -> String {
    parts.iter().map(|part| format!("`{}`", part.rule.shown())).collect::<Vec<_>>().join(between)
}

fn never_together(parts: &[&Part]) -> Error {
    let message = format!("{} never hold together, so every token is refused: {}", listed(parts, " and "), cure(parts));
    error(parts[parts.len() - 1], message)
}

/// What was probably meant by terms that cannot hold together.
fn cure(parts: &[&Part]) -> String {
    let rules = rules_of(parts);
    if let [Rule::Claim(_, one), Rule::Claim(name, other)] = rules.as_slice()
        && let Some(list) = either(one, other)
    {
        return format!("for either, write `{} = {list}`", crate::rule::path(name));
    }
    let is_everything: [Covers; 3] = [covers_all, covers_numbers, covers_texts];
    let is_all = scenarios(&rules).iter().any(|it| is_everything.iter().any(|covers| covers(&rules, it)));
    // For negated terms, "either" would admit almost everything.
    let says_not = |rule: &&Rule| matches!(rule, Rule::Not(_) | Rule::Claim(_, Test::Differs(_)));
    if is_all || rules.iter().any(says_not) {
        return "leave one out".to_owned();
    }
    let terms: Vec<String> = rules.iter().map(|rule| rule.shown()).collect();
    format!("for either, write `any({})`", terms.join(", "))
}

fn asks_nothing(parts: &[&Part]) -> Error {
    let message =
        format!("{} holds whatever the claims are, so this asks nothing: leave one out", listed(parts, " or "));
    error(parts[parts.len() - 1], message)
}

fn asks_presence(parts: &[&Part], of: &str) -> Error {
    let name = subject(&parts[0].rule).map(|name| crate::rule::path(name)).unwrap_or_default();
    let message = format!(
        "{} holds for every {of}, so together they ask only that `{name}` is there: write `{name}`, or leave it out if \
         every token has it",
        listed(parts, " or ")
    );
    error(parts[parts.len() - 1], message)
}

#[cfg(test)]
mod tests;
