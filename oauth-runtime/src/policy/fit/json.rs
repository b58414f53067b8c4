//! Whether claims that are given as JSON, or only by their name, can be those of a type: decided when a service is
//! built.

use serde_json::Value as Json;

use crate::policy::bound::BoundType;
use crate::policy::fit::judge::SET_BY_SERVER;
use crate::policy::fit::near_in;
use crate::policy::said::{Said, contains, near};
use crate::policy::{Presence, Shape};

/// Why none of these types has a claim: there is no such name, or it never has such a value. `None` if one of them may
/// have it, or if there is no type.
pub(crate) fn misfit_of_claim(types: &[&'static BoundType], name: &str, value: &Json) -> Option<String> {
    let shapes: Vec<&Shape> = types.iter().map(|of| &of.shape).collect();
    if shapes.is_empty() {
        return None;
    }
    below(&shapes, &[], name).and_then(|found| compare(&found, &[name], value)).err()
}

/// Why no claim of these types has this name. `None` if one has, or if there is no type.
pub(crate) fn unknown_claim(types: &[&'static BoundType], name: &str) -> Option<String> {
    let shapes: Vec<&Shape> = types.iter().map(|of| &of.shape).collect();
    below(&shapes, &[], name).err()
}

/// What a claim of this name is, in each of the shapes that has it.
fn below(shapes: &[&'static Shape], above: &[&str], name: &str) -> Result<Vec<&'static Shape>, String> {
    let shapes = alternatives(shapes);
    let found: Vec<&Shape> = shapes.iter().flat_map(|shape| field(shape, name)).collect();
    if !found.is_empty() || shapes.is_empty() {
        return Ok(found);
    }
    let said = Said::new().text("no field ").name(&[name]);
    let said = if above.is_empty() { said.text(" in the claims") } else { said.text(" in ").name(above) };
    let meant = shapes.iter().fold(None, |best, shape| near_in(name, **shape, best));
    let meant = if above.is_empty() { near_in(name, SET_BY_SERVER, meant) } else { meant };
    let first = shapes.iter().find_map(|shape| match shape {
        Shape::Object(of, fields) => Some((*of, *fields)),
        Shape::Any | Shape::Null | Shape::Text | Shape::Bool | Shape::Integer(..) | Shape::Number => None,
        Shape::Variants(_) | Shape::List(_) | Shape::Map(_) | Shape::Optional(_) | Shape::Either(_) => None,
    });
    let said = match (meant, first) {
        (Some((meant, _)), _) => said.text(": a field with a similar name exists: ").name(&[meant]),
        (None, Some((of, fields))) => said.text(": `").text(of).text("` has ").fields(fields, 0),
        (None, None) => said.text(": nothing is below it"),
    };
    Err(said.as_str().to_owned())
}

/// The fields of this name: a type's own come before those of a map, which takes every name.
fn field(shape: &'static Shape, name: &str) -> Vec<&'static Shape> {
    match shape {
        Shape::Any => vec![shape],
        Shape::Map(each) => vec![each],
        Shape::Optional(inner) => field(inner, name),
        Shape::Either(shapes) => shapes.iter().flat_map(|shape| field(shape, name)).collect(),
        Shape::Object(_, fields) => {
            let is_flat = |presence: Presence| presence == Presence::Flat;
            match fields.iter().find(|field| !is_flat(field.presence) && field.name == name) {
                Some(own) => vec![&own.shape],
                None => {
                    let flat = fields.iter().filter(|field| is_flat(field.presence));
                    flat.flat_map(|flat| field(&flat.shape, name)).collect()
                }
            }
        }
        Shape::Null | Shape::Text | Shape::Bool | Shape::Integer(..) => Vec::new(),
        Shape::Number | Shape::Variants(_) | Shape::List(_) => Vec::new(),
    }
}

/// Expands shapes that are one of several, or may be `null`.
fn alternatives(shapes: &[&'static Shape]) -> Vec<&'static Shape> {
    let each = shapes.iter().flat_map(|shape| match shape {
        Shape::Optional(inner) => [&[&Shape::Null][..], &alternatives(&[inner])].concat(),
        Shape::Either(shapes) => alternatives(&shapes.iter().collect::<Vec<_>>()),
        Shape::Any | Shape::Null | Shape::Text | Shape::Bool | Shape::Integer(..) | Shape::Number => vec![*shape],
        Shape::Variants(_) | Shape::List(_) | Shape::Map(_) | Shape::Object(..) => vec![*shape],
    });
    each.collect()
}

fn compare(shapes: &[&'static Shape], path: &[&str], value: &Json) -> Result<(), String> {
    let may_be = alternatives(shapes);
    if may_be.iter().any(|shape| is_of(shape, value)) {
        return match value {
            Json::Object(fields) => fields.iter().try_for_each(|(name, value)| {
                let path = [path, &[name.as_str()]].concat();
                below(&may_be, &path[..path.len() - 1], name).and_then(|found| compare(&found, &path, value))
            }),
            Json::Array(items) => {
                let each: Vec<&Shape> = may_be.iter().filter_map(|shape| element(shape)).collect();
                items.iter().try_for_each(|item| compare(&each, path, item))
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => Ok(()),
        };
    }
    let said = Said::new().name(path).text(" is never ").text(&shown(value)).text(": it is ");
    let said = match shapes {
        [shape, ..] => said.shape(shape),
        [] => said.text("something else"),
    };
    let variants = may_be.iter().find_map(|shape| match shape {
        Shape::Variants(names) => Some(*names),
        Shape::Any | Shape::Null | Shape::Text | Shape::Bool | Shape::Integer(..) | Shape::Number => None,
        Shape::List(_) | Shape::Map(_) | Shape::Object(..) | Shape::Optional(_) | Shape::Either(_) => None,
    });
    let said = match (value, variants) {
        (Json::String(text), Some(names)) => match near(text, names) {
            Some(meant) => said.text("; did you mean \"").text(meant).text("\"?"),
            None => said,
        },
        _ => said,
    };
    Err(said.as_str().to_owned())
}

fn element(shape: &'static Shape) -> Option<&'static Shape> {
    match shape {
        Shape::Any => Some(shape),
        Shape::List(each) => Some(each),
        Shape::Null | Shape::Text | Shape::Bool | Shape::Integer(..) | Shape::Number | Shape::Variants(_) => None,
        Shape::Map(_) | Shape::Object(..) | Shape::Optional(_) | Shape::Either(_) => None,
    }
}

/// As serde reads it, except for what is inside.
fn is_of(shape: &Shape, value: &Json) -> bool {
    match (shape, value) {
        (Shape::Any, _)
        | (Shape::Null, Json::Null)
        | (Shape::Text, Json::String(_))
        | (Shape::Bool, Json::Bool(_))
        | (Shape::Number, Json::Number(_))
        | (Shape::List(_), Json::Array(_))
        | (Shape::Map(_) | Shape::Object(..), Json::Object(_)) => true,
        (Shape::Variants(names), Json::String(text)) => contains(names, text),
        (Shape::Integer(least, most), Json::Number(number)) => {
            number.as_i128().is_some_and(|integer| *least <= integer && integer <= *most)
        }
        _ => false,
    }
}

fn shown(value: &Json) -> String {
    let text = value.to_string();
    if text.len() > 64 { "this value".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use std::any::TypeId;

    use serde_json::json;

    use super::*;
    use crate::policy::Field;

    const fn bound(shape: Shape) -> BoundType {
        BoundType { shape, is_issued: true, named: || (TypeId::of::<()>(), "") }
    }

    const ROLE: Shape = Shape::Variants(&["reader", "auditor", "admin"]);
    const ADDRESS: Shape =
        Shape::Object("Address", &[Field::new("city", Shape::Text), Field::new("zip", Shape::Optional(&Shape::Text))]);
    static USER: BoundType = bound(Shape::Object(
        "User",
        &[
            Field::new("sub", Shape::Text),
            Field::new("role", ROLE),
            Field::new("level", Shape::Integer(0, 255)),
            Field::new("teams", Shape::List(&ROLE)),
            Field::new("boss", Shape::Optional(&Shape::Text)),
            Field::new("address", ADDRESS),
            Field::flat(Shape::Object("Plan", &[Field::new("plan", Shape::Text)])),
            Field::new("score", Shape::Number),
            Field::new("other", Shape::Any),
        ],
    ));
    static ROBOT: BoundType =
        bound(Shape::Object("Robot", &[Field::new("serial", Shape::Integer(0, 9)), Field::new("role", Shape::Bool)]));
    static OPEN: BoundType = bound(Shape::Map(&Shape::Text));
    static EITHER: BoundType = bound(Shape::Either(&[ADDRESS, Shape::Object("Number", &[Field::new("number", ROLE)])]));

    #[test]
    fn a_claim_is_compared_with_all_types() {
        let types: &[&BoundType] = &[&USER, &ROBOT];
        for (name, value) in [
            ("role", json!("admin")),
            ("role", json!(true)),
            ("serial", json!(3)),
            ("level", json!(255)),
            ("teams", json!([])),
            ("teams", json!(["admin", "reader"])),
            ("boss", json!(null)),
            ("address", json!({ "city": "Nice" })),
            ("plan", json!("free")),
            ("score", json!(2.5)),
            ("other", json!({ "any": [1] })),
        ] {
            assert_eq!(misfit_of_claim(types, name, &value), None, "{name} {value}");
        }
        for (name, value, said) in [
            ("rol", json!(3), "no field `rol` in the claims: a field with a similar name exists: `role`"),
            ("shift", json!(3), "no field `shift` in the claims: `User` has `sub`, `role`, "),
            (
                "role",
                json!("amdin"),
                "`role` is never \"amdin\": it is \"reader\", \"auditor\" or \"admin\"; did you mean \"admin\"?",
            ),
            ("level", json!(256), "`level` is never 256: it is an integer from 0 to 255"),
            ("level", json!(2.0), "`level` is never 2.0"),
            ("level", json!("3"), "`level` is never \"3\""),
            ("level", json!(null), "`level` is never null"),
            ("teams", json!("admin"), "`teams` is never \"admin\": it is a list"),
            ("teams", json!(["admin", "amdin"]), "did you mean \"admin\"?"),
            (
                "address",
                json!({ "citi": "Nice" }),
                "no field `citi` in `address`: a field with a similar name exists: `city`",
            ),
            ("address", json!({ "zip": 3 }), "`address.zip` is never 3: it is text or null"),
            ("boss", json!("x".repeat(65).chars().map(String::from).collect::<Vec<_>>()), "`boss` is never this value"),
        ] {
            let misfit = misfit_of_claim(types, name, &value).unwrap_or_else(|| panic!("{name} {value} fits"));
            assert!(misfit.contains(said), "{misfit}");
        }
    }

    #[test]
    fn a_type_of_any_names_and_of_several_shapes() {
        assert_eq!(misfit_of_claim(&[], "any", &json!(3)), None);
        assert_eq!(unknown_claim(&[], "any"), None);
        assert_eq!(misfit_of_claim(&[&OPEN], "any", &json!("text")), None);
        assert!(misfit_of_claim(&[&OPEN], "any", &json!(3)).is_some());
        assert_eq!(misfit_of_claim(&[&EITHER], "number", &json!("admin")), None);
        assert_eq!(misfit_of_claim(&[&EITHER], "city", &json!("Nice")), None);
        assert_eq!(unknown_claim(&[&EITHER, &USER], "plan"), None);
        let unknown = unknown_claim(&[&EITHER], "numbr");
        assert_eq!(
            unknown.as_deref(),
            Some("no field `numbr` in the claims: a field with a similar name exists: `number`")
        );
    }
}
