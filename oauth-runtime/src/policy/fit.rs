//! Whether the type of the application's claims allows what a policy asks: decided at compile time, beside the rule,
//! and never at run time.

mod json;
mod judge;
mod kind;

use crate::model::claims::REGISTERED;
use crate::policy::bound::Bound;
use crate::policy::kind::Kind;
use crate::policy::said::{Said, contains, is_number, near, nearer};
use crate::policy::{Field, Guard, Presence, Rule, Shape, Test, Value};
pub(crate) use json::{misfit_of_claim, unknown_claim};
use judge::{Asked, SET_BY_SERVER, Verdict, has_field, has_key, judge_bound, judge_sub, takes_every_claim};

/// Panics, so at compile time, if this term of a guard, counted from the first, can never hold, or always holds.
#[track_caller]
pub const fn check(guard: &'static Guard, term: usize) {
    let bound = &guard.bound;
    if bound.types.is_empty() && bound.scopes.is_none() && bound.acr.is_none() {
        return;
    }
    if let Ok(rule) = nth(&guard.rule, term)
        && let Some(said) = misfit(bound, rule)
    {
        panic!("{}", said.as_str());
    }
}

/// A term of a rule; otherwise how many more there would have to be.
const fn nth(rule: &'static Rule, term: usize) -> Result<&'static Rule, usize> {
    match rule {
        Rule::All(rules) | Rule::Any(rules) => {
            let mut left = term;
            let mut index = 0;
            while index < rules.len() {
                match nth(&rules[index], left) {
                    Ok(rule) => return Ok(rule),
                    Err(more) => left = more,
                }
                index += 1;
            }
            Err(left)
        }
        Rule::Not(rule) => nth(rule, term),
        _ if term == 0 => Ok(rule),
        _ => Err(term - 1),
    }
}

/// Panics, so at compile time, if this can never hold for any claims, or always holds.
#[track_caller]
pub const fn check_rule(bound: &Bound, rule: &Rule) {
    if let Some(said) = misfit(bound, rule) {
        panic!("{}", said.as_str());
    }
}

/// Panics, so at compile time, if the claim can be of none of these kinds, which are the only ones for which several
/// terms hold together.
#[track_caller]
pub const fn check_together(bound: &Bound, name: &[&'static str], holds: &[Kind], never: &str) {
    if !bound.types.is_empty()
        && let Verdict::Never(shape, _) = judge_bound(bound, name, Asked::Together(holds))
    {
        panic!("{}", Said::new().name(name).text(" is ").shape(shape).text(", and ").text(never).as_str());
    }
}

/// Panics, so at compile time, if the claims have this one, of which `dyn` says that they have not.
#[track_caller]
pub const fn check_absent(bound: &Bound, name: &[&'static str]) {
    // No value fits no kind: so the verdict on a claim that is there is that it never holds.
    if !takes_every_claim(bound.types)
        && let Verdict::Never(..) = judge_bound(bound, name, Asked::Together(&[]))
    {
        panic!("{}", Said::new().text("the claims have ").name(name).text(": leave `dyn` out").as_str());
    }
}

/// Panics, so at compile time, if this is the path of a module, and not of a crate.
#[track_caller]
pub const fn at_root(path: &str) {
    let bytes = path.as_bytes();
    let mut index = 0;
    while index < bytes.len() {
        assert!(
            bytes[index] != b':',
            "`claims!(..)` binds the guards of the whole crate, and is found only at its root: write it in main.rs or lib.rs"
        );
        index += 1;
    }
}

/// Panics, so at compile time, if the claims of a sign-in cannot be of this type.
#[track_caller]
pub const fn check_claims(of: &str, shape: &'static Shape, is_issued: bool) {
    let mut index = 0;
    while index < REGISTERED_KEYS.len() {
        if has_key(shape, REGISTERED_KEYS[index]) {
            let said = Said::new()
                .text("`")
                .text(of)
                .text("` has ")
                .text("the claim `")
                .text(REGISTERED[index])
                .text("`, which the server sets: give yours another name; the server's is in `AccessToken`");
            panic!("{}", said.as_str());
        }
        index += 1;
    }
    let said = Said::new().text("`").text(of).text("` has ");
    if is_issued && !has_field(shape, "sub") {
        panic!("{}", said.text("no `sub`, an id of the user that never changes: add `sub: String`").as_str());
    }
    let is_text = matches!(judge_sub(shape, &Test::Differs(Value::Str(""))), Verdict::Fits);
    let is_there = matches!(judge_sub(shape, &Test::Present), Verdict::AsksNothing);
    if is_issued && !matches!(shape, Shape::Any | Shape::Map(_)) && !(is_text && is_there) {
        panic!(
            "{}",
            said.text("a `sub` that is not always text: write `sub: String`, the key of the user's row").as_str()
        );
    }
}

/// The key of each of [`REGISTERED`]: computing it would take the compiler as long as everything else here.
const REGISTERED_KEYS: [u64; 23] = [
    0x1A79F3,
    0x187AE4,
    0x197C70,
    0x1BB166,
    0x1A70F4,
    0x1ABA69,
    0x63D9A72EEE97F4E4,
    0x73C7BF865,
    0x1CF1F0,
    0x61EBD345FE9A76E5,
    0x1871F2,
    0x1876F2,
    0x187D70,
    0x6EDFBB1E5,
    0x1CF4E4,
    0x19F4E4,
    0x61E77F7E6,
    0x72CBBB2F7C38B665,
    0x18F766,
    0x1871F4,
    0x187A5FD1879E8,
    0x39E5C3B32E4,
    0xECCB92FE7E560E04,
];

/// Panics, so at compile time, if the claim can be of none of these kinds, for which no term of an `any(..)` holds.
#[track_caller]
pub const fn check_any(bound: &Bound, name: &[&'static str], left: &[Kind]) {
    if bound.types.is_empty() {
        return;
    }
    let said = Said::new();
    match judge_bound(bound, name, Asked::Any(left)) {
        Verdict::AsksNothing => panic!("{}", said.name(name).text(NO_OTHER_VALUE).as_str()),
        Verdict::AsksPresence => {
            let said = said.text("this asks only that ").name(name).text(" is there: write ").name(name);
            panic!("{}", said.as_str());
        }
        _ => {}
    }
}

const NO_OTHER_VALUE: &str = " has no other value, so this asks nothing: leave it out";

/// Whether the server sets this claim in every token.
#[cfg(feature = "testing")]
pub(crate) fn is_always_of_server(name: &[&str]) -> bool {
    match (name, SET_BY_SERVER) {
        ([name], Shape::Object(_, fields)) => {
            fields.iter().any(|field| field.name == *name && field.presence == Presence::Always)
        }
        _ => false,
    }
}

pub(crate) const fn misfit(bound: &Bound, rule: &Rule) -> Option<Said> {
    match rule {
        Rule::Claim(name, test) if !bound.types.is_empty() => match judge_bound(bound, name, Asked::Test(test)) {
            Verdict::Fits | Verdict::AsksPresence => None,
            verdict => Some(verdict.said(name, test)),
        },
        Rule::Scope(scopes) => undeclared("scope", scopes, bound.scopes),
        Rule::Acr(values) => undeclared("acr", values, bound.acr),
        Rule::Claim(..) | Rule::Public | Rule::Token | Rule::Fresh(_) | Rule::Typed(_) => None,
        // Each of their terms is checked by itself.
        Rule::All(_) | Rule::Any(_) | Rule::Not(_) => None,
    }
}

const fn undeclared(word: &str, wanted: &[&str], declared: Option<&[&str]>) -> Option<Said> {
    let Some(declared) = declared else { return None };
    let mut index = 0;
    while index < wanted.len() {
        if !contains(declared, wanted[index]) {
            let said =
                Said::new().text("`claims!(..)` declares no ").text(word).text(" \"").text(wanted[index]).text("\": ");
            return Some(match near(wanted[index], declared) {
                Some(meant) => said.text("one with a similar name exists, \"").text(meant).text("\""),
                None if declared.is_empty() => said.text("it has none"),
                None => said.text("it has ").one_of(declared),
            });
        }
        index += 1;
    }
    None
}

impl Verdict {
    const fn said(&self, name: &[&'static str], test: &Test) -> Said {
        let said = Said::new();
        match self {
            // The second occurs only for several terms.
            Verdict::Fits | Verdict::AsksPresence => said,
            Verdict::AsksNothing => match test {
                Test::Present => {
                    let said =
                        said.text("every token has ").name(name).text(", so this asks nothing: compare it, as in `");
                    said.path(name).text(
                        " = ..`; where clients have tokens in their own name, `claims!(..)` names their type, too",
                    )
                }
                Test::Equals(_) | Test::OneOf(_) | Test::Differs(_) => said.name(name).text(NO_OTHER_VALUE),
                Test::Orders(..) => {
                    let said = said.name(name).text(" is always ").value_of(test, 0);
                    said.text(", so this asks nothing: leave it out")
                }
            },
            Verdict::Word => {
                let said = said.text("in quotes this is a claim like others, compared as a whole: write `");
                let said = said.text(last(name)).text(" = ");
                match test {
                    Test::Equals(value) => said.value(value).text("`"),
                    _ => said.text("..` without them"),
                }
            }
            Verdict::Never(shape, place) => {
                let said = said.name(name).text(" is never ").value_of(test, *place).text(": it is ").shape(shape);
                said.meant(name, test, *place, shape)
            }
            Verdict::NothingBelow(shape, place) => {
                said.text("nothing is below ").name(name.split_at(*place).0).text(": it is ").shape(shape)
            }
            Verdict::NoField(fields, of, place) => {
                let (above, below) = name.split_at(*place);
                let said = said.text("no field ").name(&[below[0]]);
                let said = match above {
                    [] => said.text(" in the claims"),
                    above => said.text(" in ").name(above),
                };
                let meant = near_field(below[0], fields, None);
                let meant = if above.is_empty() { near_in(below[0], SET_BY_SERVER, meant) } else { meant };
                match meant {
                    Some((meant, _)) => said.text(": a field with a similar name exists: ").name(&[meant]),
                    None => said.text(": `").text(of).text("` has ").fields(fields, 0),
                }
            }
        }
    }
}

impl Said {
    const fn value_of(self, test: &Test, place: usize) -> Self {
        match test {
            Test::Present => self.text("there"),
            Test::Equals(value) | Test::Differs(value) => self.value(value),
            Test::OneOf(values) => self.value(&values[place]),
            Test::Orders(order, value) => self.text(order.as_str()).text(" ").value(value),
        }
    }

    /// What was probably meant, if that can be told.
    const fn meant(self, name: &[&str], test: &Test, place: usize, shape: &Shape) -> Self {
        let value = match test {
            Test::Equals(value) | Test::Differs(value) => value,
            Test::OneOf(values) => &values[place],
            Test::Present | Test::Orders(..) => return self,
        };
        let mut shape = shape;
        while let Shape::Optional(inner) | Shape::List(inner) = shape {
            shape = inner;
        }
        match (value, shape) {
            (Value::Str(text), Shape::Variants(names)) => match near(text, names) {
                Some(meant) => self.text("; did you mean \"").text(meant).text("\"?"),
                None => self,
            },
            (Value::Str(text), Shape::Integer(..) | Shape::Number) if is_number(text) => {
                self.text("; write `").path(name).text(" = ").text(text).text("`")
            }
            (Value::Str(text), Shape::Bool) if contains(&["true", "false"], text) => {
                self.text("; write `").path(name).text(" = ").text(text).text("`")
            }
            (Value::Int(integer), Shape::Text) => {
                self.text("; write `").path(name).text(" = \"").integer(*integer).text("\"`")
            }
            _ => self,
        }
    }
}

const fn near_in(written: &str, shape: Shape, before: Option<(&'static str, usize)>) -> Option<(&'static str, usize)> {
    match shape {
        Shape::Object(_, fields) => near_field(written, fields, before),
        Shape::Optional(inner) => near_in(written, *inner, before),
        Shape::Either(shapes) => {
            let mut best = before;
            let mut index = 0;
            while index < shapes.len() {
                best = near_in(written, shapes[index], best);
                index += 1;
            }
            best
        }
        _ => before,
    }
}

const fn near_field(
    written: &str,
    fields: &[Field],
    before: Option<(&'static str, usize)>,
) -> Option<(&'static str, usize)> {
    let mut best = before;
    let mut index = 0;
    while index < fields.len() {
        best = match (fields[index].presence, fields[index].shape) {
            (Presence::Flat, shape) => near_in(written, shape, best),
            (Presence::Always | Presence::Defaulted | Presence::Sometimes, _) => {
                nearer(written, fields[index].name, best)
            }
        };
        index += 1;
    }
    best
}

const fn last<'a>(name: &[&'a str]) -> &'a str {
    match name {
        [.., last] => last,
        [] => "",
    }
}

#[cfg(test)]
#[path = "fit/tests.rs"]
mod tests;
