//! Whether a claim of a shape can be a value, or one of a kind.

use crate::policy::kind::Kind;
use crate::policy::said::{contains, equal};
use crate::policy::{Shape, Value};

/// Whether a claim of this shape can be of this kind; it may be absent if `optional`.
pub(super) const fn can_be(shape: &Shape, kind: &Kind, optional: bool) -> bool {
    match (shape, kind) {
        (Shape::Any, _) => true,
        (_, Kind::Absent) if optional => true,
        (Shape::Optional(_) | Shape::Null, Kind::Absent) => true,
        (Shape::Optional(inner), _) => can_be(inner, kind, false),
        (Shape::Either(shapes), _) => {
            let mut index = 0;
            while index < shapes.len() && !can_be(&shapes[index], kind, optional) {
                index += 1;
            }
            index < shapes.len()
        }
        (Shape::Text, Kind::Text(_) | Kind::OtherText(_)) => true,
        (Shape::Variants(names), Kind::Text(text)) => contains(names, text),
        (Shape::Variants(names), Kind::OtherText(texts)) => has_other(names, texts),
        (Shape::Bool, Kind::Bool(_)) => true,
        (Shape::Integer(..), Kind::Is(value)) => fits(shape, value),
        (Shape::Integer(least, most), Kind::Between(above, below)) => has_integer(*least, *most, above, below),
        (Shape::Number, Kind::Is(_) | Kind::Between(..)) => true,
        (Shape::List(each), Kind::List(kinds)) => {
            let mut index = 0;
            while index < kinds.len() && can_be(each, &kinds[index], false) {
                index += 1;
            }
            index == kinds.len()
        }
        (Shape::Map(_) | Shape::Object(..), Kind::Object) => true,
        (_, _) => false,
    }
}

/// Whether one of the names is not among these texts.
const fn has_other(names: &[&str], texts: &[&str]) -> bool {
    let mut names = names;
    while let [name, rest @ ..] = names {
        let mut others = texts;
        while let [text, rest @ ..] = others
            && !equal(name, text)
        {
            others = rest;
        }
        if others.is_empty() {
            return true;
        }
        names = rest;
    }
    false
}

/// Whether an integer of this range is between the two.
const fn has_integer(least: i128, most: i128, above: &Option<Value>, below: &Option<Value>) -> bool {
    let first = match above {
        Some(Value::Int(integer)) => integer.saturating_add(1),
        Some(Value::Float(float)) => floor(*float).saturating_add(1),
        Some(Value::Str(_) | Value::Bool(_) | Value::Parameter(_)) | None => least,
    };
    let last = match below {
        Some(Value::Int(integer)) => integer.saturating_sub(1),
        Some(Value::Float(float)) => ceiling(*float).saturating_sub(1),
        Some(Value::Str(_) | Value::Bool(_) | Value::Parameter(_)) | None => most,
    };
    let (first, last) = (if first > least { first } else { least }, if last < most { last } else { most });
    first <= last
}

const fn floor(float: f64) -> i128 {
    let cut = float as i128;
    if cut as f64 > float { cut.saturating_sub(1) } else { cut }
}

const fn ceiling(float: f64) -> i128 {
    let cut = float as i128;
    if (cut as f64) < float { cut.saturating_add(1) } else { cut }
}

/// Whether the claim can be this value, or a list with it.
pub(super) const fn fits(shape: &Shape, value: &Value) -> bool {
    match (shape, value) {
        (Shape::Any, _)
        | (Shape::Text, Value::Str(_) | Value::Parameter(_))
        | (Shape::Variants(_) | Shape::Integer(..), Value::Parameter(_))
        | (Shape::Number, Value::Int(_) | Value::Float(_))
        | (Shape::Bool, Value::Bool(_)) => true,
        (Shape::Variants(names), Value::Str(text)) => contains(names, text),
        (Shape::Integer(least, most), Value::Int(integer)) => *least <= *integer && *integer <= *most,
        (Shape::Integer(least, most), Value::Float(float)) => {
            let integer = *float as i128;
            integer as f64 == *float && *least <= integer && integer <= *most
        }
        (Shape::Optional(inner), value) => fits(inner, value),
        // It is searched one level deep.
        (Shape::List(each), value) => !is_list(each) && fits(each, value),
        (Shape::Either(shapes), value) => {
            let mut index = 0;
            while index < shapes.len() && !fits(&shapes[index], value) {
                index += 1;
            }
            index < shapes.len()
        }
        _ => false,
    }
}

const fn is_list(shape: &Shape) -> bool {
    match shape {
        Shape::List(_) => true,
        Shape::Optional(inner) => is_list(inner),
        _ => false,
    }
}
