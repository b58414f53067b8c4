//! The values that a claim may have: those that a policy names, and others that its type has.

use serde_json::{Map, Number, Value as Json, json};

use crate::policy::fit::is_always_of_server;
use crate::policy::{Field, Presence, Shape, Value};

/// Values of a claim, some of which meet the policy and some do not; `None` if it may be absent. `asked` has those that
/// the policy names. A claim that no type has is one of the server's, or may be anything.
pub(super) fn values_of(
    name: &[&str],
    asked: &[Json],
    own: Option<&'static Shape>,
    types: &[&'static Shape],
) -> Vec<Option<Json>> {
    let places = own.map(|own| places(own, name, false)).unwrap_or_default();
    let mut values: Vec<Option<Json>> = Vec::new();
    let mut add = |value| {
        if !values.contains(&value) {
            values.push(value);
        }
    };
    if places.is_empty() {
        let is_of_another = types.iter().any(|other| !self::places(other, name, false).is_empty());
        if is_of_another || !is_always_of_server(name) {
            add(None);
        }
        if !is_of_another {
            asked.iter().cloned().map(Some).for_each(add);
        }
        return values;
    }
    for (shape, may_be_missing) in places {
        if may_be_missing {
            add(None);
        }
        fitting(shape, asked).into_iter().map(Some).for_each(&mut add);
    }
    values
}

/// What a claim of this name is, and whether it may be absent.
fn places(shape: &'static Shape, name: &[&str], may_be_missing: bool) -> Vec<(&'static Shape, bool)> {
    let Some((first, below)) = name.split_first() else { return vec![(shape, may_be_missing)] };
    match shape {
        Shape::Any => vec![(shape, true)],
        Shape::Map(each) => places(each, below, true),
        Shape::Optional(inner) => places(inner, name, true),
        Shape::Either(shapes) => {
            let each: Vec<_> = shapes.iter().map(|shape| places(shape, name, may_be_missing)).collect();
            let some_lack_it = each.iter().any(Vec::is_empty);
            each.into_iter().flatten().map(|(shape, missing)| (shape, missing || some_lack_it)).collect()
        }
        Shape::Object(_, fields) => match fields.iter().find(|field| !is_flat(field) && field.name == *first) {
            Some(field) => places(&field.shape, below, may_be_missing || field.presence == Presence::Sometimes),
            None => {
                let flat = fields.iter().filter(|field| is_flat(field));
                flat.flat_map(|field| places(&field.shape, name, may_be_missing)).collect()
            }
        },
        Shape::Null | Shape::Text | Shape::Bool | Shape::Integer(..) => Vec::new(),
        Shape::Number | Shape::Variants(_) | Shape::List(_) => Vec::new(),
    }
}

fn is_flat(field: &Field) -> bool {
    field.presence == Presence::Flat
}

/// The values asked for that fit the shape, and another one.
fn fitting(shape: &'static Shape, asked: &[Json]) -> Vec<Json> {
    let of_asked = |fits: fn(&Json) -> bool| asked.iter().filter(|value| fits(value)).cloned().collect::<Vec<_>>();
    let found = match shape {
        Shape::Any => asked.to_vec(),
        Shape::Text => of_asked(Json::is_string),
        Shape::Bool => vec![json!(true), json!(false)],
        Shape::Number => [of_asked(Json::is_number), vec![json!(1.0), json!(2.0)]].concat(),
        Shape::Integer(least, most) => {
            let around = asked.iter().flat_map(integers).chain([1, 2, *least, *most]);
            around.filter(|integer| least <= integer && integer <= most).filter_map(number).collect()
        }
        Shape::Variants(names) => {
            // A route has its parameter, whatever the claim can be.
            let is_asked = |name: &&&str| asked.iter().any(|value| value.as_str() == Some(**name));
            let other = names.iter().find(|name| !is_asked(name));
            let parameter = asked.iter().filter_map(Json::as_str).find(|text| *text == PARAMETER);
            let all = names.iter().filter(is_asked).chain(other).copied().chain(parameter);
            all.map(|name| json!(name)).collect()
        }
        Shape::List(each) => {
            let each = fitting(each, asked);
            let mut lists = vec![json!([])];
            lists.extend(each.iter().map(|one| json!([one])));
            lists.push(Json::Array(each));
            lists
        }
        Shape::Optional(inner) => [vec![Json::Null], fitting(inner, asked)].concat(),
        Shape::Either(shapes) => shapes.iter().flat_map(|shape| fitting(shape, asked)).collect(),
        Shape::Null | Shape::Map(_) | Shape::Object(..) => Vec::new(),
    };
    if found.is_empty() { vec![sample(shape)] } else { found }
}

/// The integer itself, or those below and above a fraction.
fn integers(value: &Json) -> Vec<i128> {
    match (value.as_number().and_then(Number::as_i128), value.as_f64()) {
        (Some(integer), _) => vec![integer],
        (None, Some(float)) => vec![float.floor() as i128, float.ceil() as i128],
        (None, None) => Vec::new(),
    }
}

fn number(integer: i128) -> Option<Json> {
    u64::try_from(integer).map(|it| json!(it)).or_else(|_| i64::try_from(integer).map(|it| json!(it))).ok()
}

/// Some value of this shape, with the fields that are always there.
pub(super) fn sample(shape: &'static Shape) -> Json {
    match shape {
        Shape::Any | Shape::Null | Shape::Optional(_) => Json::Null,
        Shape::Text => json!("text"),
        Shape::Bool => json!(false),
        Shape::Number => json!(1.0),
        Shape::Integer(least, most) => number(1.clamp(*least, *most)).unwrap_or(json!(1)),
        Shape::Variants(names) => names.first().map_or(Json::Null, |name| json!(name)),
        Shape::List(_) => json!([]),
        Shape::Map(_) => json!({}),
        Shape::Either(shapes) => shapes.first().map_or(Json::Null, sample),
        Shape::Object(_, fields) => {
            let mut object = Map::new();
            for field in *fields {
                match (field.presence, sample(&field.shape)) {
                    (Presence::Always | Presence::Defaulted, value) => _ = object.insert(field.name.to_owned(), value),
                    (Presence::Flat, Json::Object(inner)) => object.extend(inner),
                    (Presence::Flat | Presence::Sometimes, _) => {}
                }
            }
            Json::Object(object)
        }
    }
}

pub(super) fn put(claims: &mut Map<String, Json>, name: &[&str], value: &Json) {
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
pub(super) fn around(value: Value) -> Vec<Json> {
    match value {
        Value::Str(text) => vec![json!(text), json!(format!("not {text}"))],
        Value::Bool(truth) => vec![json!(truth), json!(!truth)],
        Value::Parameter(_) => vec![json!(PARAMETER), json!(format!("not {PARAMETER}"))],
        Value::Float(float) => vec![json!(float), json!(float + 1.0), json!(float - 1.0)],
        Value::Int(int) => [int, int + 1, int - 1].into_iter().filter_map(number).collect(),
    }
}

/// Removes a claim if it is there.
pub(super) fn take(claims: &mut Map<String, Json>, name: &[&str]) {
    match name {
        [] => {}
        [last] => _ = claims.remove(*last),
        [first, below @ ..] => {
            if let Some(Json::Object(inner)) = claims.get_mut(*first) {
                take(inner, below);
            }
        }
    }
}

/// What a parameter of the route is taken to be.
pub(super) const PARAMETER: &str = "1";
