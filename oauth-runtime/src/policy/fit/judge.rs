//! The verdict on a term for claims of a shape: it fits, it never holds, it always holds, or there is no such claim.

use super::kind::{can_be, fits};
use crate::policy::bound::{Bound, BoundType};
use crate::policy::kind::Kind;
use crate::policy::said::{contains, equal};
use crate::policy::shape::key;
use crate::policy::{Field, Order, Presence, Shape, Test, Value};

/// The verdict on one term.
#[derive(Clone, Copy)]
pub(super) enum Verdict {
    Fits,
    /// It is a word of the language in quotes, and not a claim of the application.
    Word,
    /// It holds for everyone.
    AsksNothing,
    /// It holds for everyone who has the claim.
    AsksPresence,
    /// The claim is of this shape, and never the value of this place.
    Never(&'static Shape, usize),
    /// The claim before this segment is of a shape that has nothing below it.
    NothingBelow(&'static Shape, usize),
    /// This segment is not a field of this object.
    NoField(&'static [Field], &'static str, usize),
}

/// A term that is looked up in a shape.
#[derive(Clone, Copy)]
struct Term<'a> {
    name: &'a [&'static str],
    /// The key of each segment.
    keys: [u64; DEEPEST],
    asked: Asked<'a>,
    /// The claims are from another server: a field with a default may be missing.
    is_read: bool,
    /// Whether maps, which take every name, are searched as well.
    in_maps: bool,
}

/// What is asked of a claim.
#[derive(Clone, Copy)]
pub(super) enum Asked<'a> {
    Test(&'a Test),
    /// One of several terms, none of which holds for these kinds.
    Any(&'a [Kind]),
    /// Several terms, which hold together only for these kinds.
    Together(&'a [Kind]),
}

/// Deeper than this, nothing is checked.
const DEEPEST: usize = 8;

/// The verdict over all types that the claims may have: it is enough that one of them fits.
pub(super) const fn judge_bound(bound: &Bound, name: &[&'static str], asked: Asked<'_>) -> Verdict {
    if name.len() > DEEPEST {
        return Verdict::Fits;
    }
    let mut term = Term { name, keys: [0; DEEPEST], asked, is_read: is_read(bound.types), in_maps: false };
    let mut index = 0;
    while index < name.len() {
        term.keys[index] = key(name[index]);
        index += 1;
    }
    // "Any valid token", over a scope of routes.
    if matches!(asked, Asked::Test(Test::Present)) && name.len() == 1 && equal(name[0], "sub") {
        return Verdict::Fits;
    }
    let verdict = judge_values(bound.types, &term);
    let Verdict::NoField(_, _, 0) = verdict else { return verdict };
    // Users' claims cannot have these, so they come before a map that takes every name.
    match judge(SERVER, &term, 0, false) {
        Verdict::NoField(_, _, 0) => {}
        _ if name.len() == 1 && contains(&["scope", "acr"], name[0]) => return Verdict::Word,
        of_server => return of_server,
    }
    term.in_maps = true;
    judge_values(bound.types, &term)
}

/// Whether all types are only read: no token is made of them here.
const fn is_read(types: &[BoundType]) -> bool {
    let mut types = types;
    // Without an index: each call, such as of `len`, costs the compiler more than everything else here.
    while let [first, rest @ ..] = types {
        if first.is_issued {
            return false;
        }
        types = rest;
    }
    true
}

/// Each value of a list by itself, since one type may have the one and another the other.
const fn judge_values(types: &'static [BoundType], term: &Term<'_>) -> Verdict {
    let Asked::Test(Test::OneOf(values)) = term.asked else { return judge_types(types, term) };
    let mut index = 0;
    while index < values.len() {
        match judge_types(types, &Term { asked: Asked::Test(&Test::Equals(values[index])), ..*term }) {
            Verdict::Fits | Verdict::AsksNothing | Verdict::AsksPresence => {}
            Verdict::Never(shape, _) => return Verdict::Never(shape, index),
            verdict => return verdict,
        }
        index += 1;
    }
    match judge_types(types, term) {
        Verdict::AsksNothing => Verdict::AsksNothing,
        _ => Verdict::Fits,
    }
}

/// If there are types that are issued, those that are only read are left out, since no token is made of them.
const fn judge_types(types: &'static [BoundType], term: &Term<'_>) -> Verdict {
    let (mut types, mut combined) = (types, None);
    while let [first, rest @ ..] = types {
        if first.is_issued || term.is_read {
            combined = either(combined, judge(&first.shape, term, 0, false));
        }
        types = rest;
    }
    match combined {
        Some(verdict) => verdict,
        None => Verdict::Fits,
    }
}

const fn either(one: Option<Verdict>, other: Verdict) -> Option<Verdict> {
    let Some(one) = one else { return Some(other) };
    Some(match (one, other) {
        (Verdict::AsksNothing, Verdict::AsksNothing) => Verdict::AsksNothing,
        (Verdict::AsksNothing | Verdict::AsksPresence, Verdict::AsksNothing | Verdict::AsksPresence) => {
            Verdict::AsksPresence
        }
        // Then the term asks which of the types it is.
        (Verdict::Fits | Verdict::AsksNothing | Verdict::AsksPresence, _)
        | (_, Verdict::Fits | Verdict::AsksNothing | Verdict::AsksPresence) => Verdict::Fits,
        (never @ Verdict::Never(..), _) | (_, never @ Verdict::Never(..)) => never,
        (Verdict::NoField(_, _, at), deeper @ Verdict::NoField(_, _, below)) if below > at => deeper,
        (Verdict::NoField(_, _, at), deeper @ Verdict::NothingBelow(_, below)) if below > at => deeper,
        (first, _) => first,
    })
}

const fn judge_either(shapes: &'static [Shape], term: &Term<'_>, at: usize, optional: bool) -> Verdict {
    let (mut shapes, mut combined) = (shapes, None);
    while let [first, rest @ ..] = shapes {
        combined = either(combined, judge(first, term, at, optional));
        shapes = rest;
    }
    match combined {
        Some(verdict) => verdict,
        None => Verdict::Fits,
    }
}

/// The verdict on the claims' own `sub`.
pub(super) const fn judge_sub(shape: &'static Shape, test: &Test) -> Verdict {
    let mut keys = [0; DEEPEST];
    keys[0] = key("sub");
    judge(shape, &Term { name: &["sub"], keys, asked: Asked::Test(test), is_read: false, in_maps: true }, 0, false)
}

/// `optional`: it may be absent.
const fn judge(shape: &'static Shape, term: &Term<'_>, at: usize, optional: bool) -> Verdict {
    if at == term.name.len() {
        return match term.asked {
            Asked::Test(test) => ask(shape, test, optional),
            Asked::Any(left) => ask_any(shape, left, optional),
            Asked::Together(holds) => ask_together(shape, holds, optional),
        };
    }
    match shape {
        Shape::Any => Verdict::Fits,
        Shape::Map(each) => judge(each, term, at + 1, true),
        Shape::Optional(inner) => judge(inner, term, at, true),
        Shape::Either(shapes) => judge_either(shapes, term, at, optional),
        Shape::Object(of, fields) => judge_fields(fields, of, term, at, optional),
        Shape::Null
        | Shape::Text
        | Shape::Bool
        | Shape::Integer(..)
        | Shape::Number
        | Shape::Variants(_)
        | Shape::List(_) => Verdict::NothingBelow(shape, at),
    }
}

const fn judge_fields(
    fields: &'static [Field],
    of: &'static str,
    term: &Term<'_>,
    at: usize,
    optional: bool,
) -> Verdict {
    let (mut left, key) = (fields, term.keys[at]);
    while let [field, rest @ ..] = left {
        if field.key == key && equal(field.name, term.name[at]) {
            let may_be_missing = match field.presence {
                Presence::Always | Presence::Flat => false,
                Presence::Defaulted => term.is_read,
                Presence::Sometimes => true,
            };
            return judge(&field.shape, term, at + 1, optional || may_be_missing);
        }
        left = rest;
    }
    // Objects with names of their own come before maps, which take every name.
    match judge_flat(fields, term, at, optional, false) {
        Some(verdict) => return verdict,
        None if at > 0 || term.in_maps => {}
        None => return Verdict::NoField(fields, of, at),
    }
    match judge_flat(fields, term, at, optional, true) {
        Some(verdict) => verdict,
        None => Verdict::NoField(fields, of, at),
    }
}

/// Searches flattened fields: either only maps, or everything else. `None` if the name is in none of them.
const fn judge_flat(
    fields: &'static [Field],
    term: &Term<'_>,
    at: usize,
    optional: bool,
    of_maps: bool,
) -> Option<Verdict> {
    let (mut fields, mut combined) = (fields, None);
    while let [field, rest @ ..] = fields {
        if matches!(field.presence, Presence::Flat) && takes_every_name(&field.shape) == of_maps {
            match judge(&field.shape, term, at, optional) {
                Verdict::NoField(_, _, place) | Verdict::NothingBelow(_, place) if place == at => {}
                verdict => combined = either(combined, verdict),
            }
        }
        fields = rest;
    }
    combined
}

/// Whether nothing is known of the claims, or of those of one type.
pub(super) const fn takes_every_claim(types: &[BoundType]) -> bool {
    let mut types = types;
    while let [first, rest @ ..] = types {
        if takes_every_name(&first.shape) {
            return true;
        }
        types = rest;
    }
    false
}

const fn takes_every_name(shape: &Shape) -> bool {
    match shape {
        Shape::Any | Shape::Map(_) => true,
        Shape::Optional(inner) => takes_every_name(inner),
        _ => false,
    }
}

const fn ask(shape: &'static Shape, test: &Test, optional: bool) -> Verdict {
    match test {
        Test::Present => match shape {
            Shape::Null => Verdict::Never(shape, 0),
            _ if !optional && is_always_there(shape) => Verdict::AsksNothing,
            _ => Verdict::Fits,
        },
        Test::Equals(value) => ask_values(shape, std::slice::from_ref(value), optional),
        Test::OneOf(values) => ask_values(shape, values, optional),
        Test::Differs(value) if fits(shape, value) => Verdict::Fits,
        Test::Differs(_) => Verdict::Never(shape, 0),
        Test::Orders(order, value) => ask_order(shape, *order, value, optional),
    }
}

/// Whether it is never `null` or `false`.
const fn is_always_there(shape: &Shape) -> bool {
    match shape {
        Shape::Text
        | Shape::Integer(..)
        | Shape::Number
        | Shape::Variants(_)
        | Shape::List(_)
        | Shape::Map(_)
        | Shape::Object(..) => true,
        Shape::Any | Shape::Null | Shape::Bool | Shape::Optional(_) => false,
        Shape::Either(shapes) => {
            let mut index = 0;
            while index < shapes.len() && is_always_there(&shapes[index]) {
                index += 1;
            }
            index == shapes.len()
        }
    }
}

const fn ask_values(shape: &'static Shape, values: &[Value], optional: bool) -> Verdict {
    let mut index = 0;
    while index < values.len() {
        if !fits(shape, &values[index]) {
            return Verdict::Never(shape, index);
        }
        index += 1;
    }
    if !optional && covers(shape, values) { Verdict::AsksNothing } else { Verdict::Fits }
}

/// The verdict on an `any(..)` of which no term holds for these kinds.
const fn ask_any(shape: &'static Shape, left: &[Kind], optional: bool) -> Verdict {
    let (mut kinds, mut may_be_absent) = (left, false);
    while let [kind, rest @ ..] = kinds {
        match kind {
            Kind::Absent => may_be_absent = can_be(shape, kind, optional),
            _ if can_be(shape, kind, false) => return Verdict::Fits,
            _ => {}
        }
        kinds = rest;
    }
    match may_be_absent {
        // `false` is present, and the bare claim does not admit it.
        true if can_be(shape, &Kind::Bool(false), false) => Verdict::Fits,
        true => Verdict::AsksPresence,
        false => Verdict::AsksNothing,
    }
}

/// The verdict on terms that hold together only for these kinds.
const fn ask_together(shape: &'static Shape, holds: &[Kind], optional: bool) -> Verdict {
    let mut kinds = holds;
    while let [kind, rest @ ..] = kinds {
        if can_be(shape, kind, optional) {
            return Verdict::Fits;
        }
        kinds = rest;
    }
    Verdict::Never(shape, 0)
}

/// Whether the claim is always one of these.
const fn covers(shape: &Shape, values: &[Value]) -> bool {
    match shape {
        Shape::Bool => values.len() == 2,
        Shape::Variants(names) => {
            let mut index = if values.len() < names.len() { return false } else { 0 };
            while index < names.len() && has_text(values, names[index]) {
                index += 1;
            }
            index == names.len()
        }
        Shape::Integer(least, most) => *most - *least < values.len() as i128,
        _ => false,
    }
}

const fn has_text(values: &[Value], text: &str) -> bool {
    let mut index = 0;
    while index < values.len() {
        if let Value::Str(value) = values[index]
            && equal(value, text)
        {
            return true;
        }
        index += 1;
    }
    false
}

const fn ask_order(shape: &'static Shape, order: Order, value: &Value, optional: bool) -> Verdict {
    match shape {
        Shape::Any | Shape::Number => Verdict::Fits,
        Shape::Optional(inner) => match ask_order(inner, order, value, true) {
            Verdict::Never(..) => Verdict::Never(shape, 0),
            verdict => verdict,
        },
        Shape::Integer(least, most) => match (order_holds(order, *least, value), order_holds(order, *most, value)) {
            (false, false) => Verdict::Never(shape, 0),
            (true, true) if !optional => Verdict::AsksNothing,
            (_, _) => Verdict::Fits,
        },
        Shape::Either(shapes) => {
            let mut index = 0;
            while index < shapes.len() {
                if !matches!(ask_order(&shapes[index], order, value, optional), Verdict::Never(..)) {
                    return Verdict::Fits;
                }
                index += 1;
            }
            Verdict::Never(shape, 0)
        }
        _ => Verdict::Never(shape, 0),
    }
}

const fn order_holds(order: Order, claim: i128, value: &Value) -> bool {
    let (below, above) = match value {
        Value::Int(value) => (claim < *value, claim > *value),
        Value::Float(value) => ((claim as f64) < *value, (claim as f64) > *value),
        Value::Str(_) | Value::Bool(_) | Value::Parameter(_) => return false,
    };
    match order {
        Order::Below => below,
        Order::AtMost => !above,
        Order::Above => above,
        Order::AtLeast => !below,
    }
}

/// Whether a claim of this name may be there.
pub(super) const fn has_field(shape: &Shape, name: &str) -> bool {
    has_key(shape, key(name))
}

pub(super) const fn has_key(shape: &Shape, key: u64) -> bool {
    match shape {
        Shape::Any | Shape::Map(_) => key == SUB,
        Shape::Optional(inner) => has_key(inner, key),
        Shape::Either(shapes) => {
            let mut left = *shapes;
            while let [shape, rest @ ..] = left {
                if has_key(shape, key) {
                    return true;
                }
                left = rest;
            }
            false
        }
        Shape::Object(_, fields) => {
            let mut left = *fields;
            while let [field, rest @ ..] = left {
                if field.key == key || (matches!(field.presence, Presence::Flat) && has_key(&field.shape, key)) {
                    return true;
                }
                left = rest;
            }
            false
        }
        Shape::Null
        | Shape::Text
        | Shape::Bool
        | Shape::Integer(..)
        | Shape::Number
        | Shape::Variants(_)
        | Shape::List(_) => false,
    }
}

const SUB: u64 = key("sub");

/// The claims that the server sets, and that a policy may name.
pub(super) const SET_BY_SERVER: Shape = Shape::Object(
    "the server",
    &[
        Field::new("iss", Shape::Text),
        Field::new("sub", Shape::Text),
        Field::new("aud", Shape::Either(&[Shape::Text, Shape::List(&Shape::Text)])),
        Field::new("exp", SECONDS),
        Field::new("iat", SECONDS),
        Field::optional("nbf", SECONDS),
        Field::new("jti", Shape::Text),
        Field::new("client_id", Shape::Text),
        Field::optional("azp", Shape::Text),
        Field::optional("scope", Shape::Text),
        Field::optional("scp", Shape::Any),
        Field::optional("auth_time", SECONDS),
        Field::optional("acr", Shape::Text),
        Field::optional("amr", Shape::List(&Shape::Text)),
        Field::optional("sid", Shape::Text),
        Field::optional("act", Shape::Any),
        Field::optional("cnf", Shape::Any),
    ],
);

/// The same, as a reference.
const SERVER: &Shape = &SET_BY_SERVER;

const SECONDS: Shape = Shape::Integer(0, u64::MAX as i128);
