//! The language of policies against a second, independent reading of it: 400 policies that `build.rs` writes at random,
//! built by the macro, each decided over 60 sets of claims.
#![allow(clippy::unwrap_used)]

use oauth_runtime::rule::{Decision, Facts};
use oauth_runtime::{Policy, Timestamp, policy};
use serde_json::{Map, Value, json};

/// What a policy means, by the book: Kleene's logic is that of minimum, maximum and difference over 0, 1/2 and 1.
enum Reference {
    All(&'static [Reference]),
    Any(&'static [Reference]),
    Not(&'static Reference),
    Equals(&'static str, &'static str),
    Differs(&'static str, &'static str),
    Orders(&'static str, &'static str, &'static str),
    Present(&'static str),
    Scope(&'static str),
    Fresh(i64),
    Acr(&'static [&'static str]),
}

use Reference::{Acr, All, Any, Differs, Equals, Fresh, Not, Orders, Present, Scope};

static POLICIES: [(Policy, Reference); 400] = include!(concat!(env!("OUT_DIR"), "/policies.rs"));
const NOW: i64 = 10_000;

const FALSE: i8 = 0;
const UNKNOWN: i8 = 1;
const TRUE: i8 = 2;

impl Reference {
    fn truth(&self, claims: &Value) -> i8 {
        match self {
            All(terms) => terms.iter().map(|term| term.truth(claims)).min().unwrap(),
            Any(terms) => terms.iter().map(|term| term.truth(claims)).max().unwrap(),
            Not(term) => TRUE - term.truth(claims),
            Equals(name, value) => equal(claim(claims, name), &serde_json::from_str(value).unwrap()),
            Differs(name, value) => TRUE - equal(claim(claims, name), &serde_json::from_str(value).unwrap()),
            Orders(name, order, value) => {
                let (Some(one), Some(other)) =
                    (claim(claims, name).and_then(halves), halves(&serde_json::from_str(value).unwrap()))
                else {
                    return UNKNOWN;
                };
                known(match *order {
                    "<" => one < other,
                    "<=" => one <= other,
                    ">" => one > other,
                    _ => one >= other,
                })
            }
            Present(name) => known(!matches!(claim(claims, name), None | Some(Value::Null | Value::Bool(false)))),
            Scope(wanted) => claims["scope"].as_str().map_or(UNKNOWN, |granted| {
                known(wanted.split(' ').all(|one| granted.split(' ').any(|other| one == other)))
            }),
            Fresh(seconds) => claims["auth_time"].as_i64().map_or(UNKNOWN, |at| known(NOW - at <= *seconds)),
            Acr(wanted) => claims["acr"].as_str().map_or(UNKNOWN, |acr| known(wanted.contains(&acr))),
        }
    }
}

fn known(holds: bool) -> i8 {
    if holds { TRUE } else { FALSE }
}

fn claim<'a>(claims: &'a Value, name: &str) -> Option<&'a Value> {
    claims.pointer(&format!("/{}", name.replace('.', "/")))
}

fn equal(claim: Option<&Value>, value: &Value) -> i8 {
    match claim {
        None => UNKNOWN,
        Some(Value::Array(items)) => {
            // `any(..)` of its elements, each as it is alone.
            let of = |item: &Value| if item.is_array() { UNKNOWN } else { equal(Some(item), value) };
            items.iter().map(of).max().unwrap_or(FALSE)
        }
        Some(claim) => match (halves(claim), halves(value)) {
            (Some(one), Some(other)) => known(one == other),
            (None, None) if claim.is_string() && value.is_string() => known(claim == value),
            (None, None) if claim.is_boolean() && value.is_boolean() => known(claim == value),
            _ => UNKNOWN,
        },
    }
}

/// How many halves a number has, which is exact for all that are used here; what is too large for that is equal to itself.
fn halves(value: &Value) -> Option<i128> {
    let number = value.as_number()?;
    if let Some(integer) = number.as_i128() {
        return Some(integer * 2);
    }
    let double = number.as_f64()? * 2.0;
    Some(if double.abs() > 1e30 { i128::MAX } else { double as i128 })
}

#[test]
fn macro_runtime_and_reference_agree() {
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    let mut seen = [0_usize; 3];
    for (policy, reference) in &POLICIES {
        for _ in 0..60 {
            let claims = claims(&mut random);
            let facts = Facts::new(&claims).at(Timestamp::from_seconds(NOW.unsigned_abs()));
            let decided = match policy.rule().decide(&facts) {
                Decision::True => TRUE,
                Decision::False => FALSE,
                Decision::Unknown => UNKNOWN,
            };
            let expected = reference.truth(&Value::Object(claims.clone()));
            assert_eq!(decided, expected, "{policy:?} over {claims:?}");
            seen[usize::try_from(decided).unwrap()] += 1;
        }
    }
    // All three outcomes are common, or the agreement would say little.
    assert!(seen.iter().all(|count| *count > 2_000), "{seen:?}");
    assert!(seen.iter().sum::<usize>() >= 10_000);
}

/// Claims at random, of values near those that the policies speak of.
fn claims(random: &mut u64) -> Map<String, Value> {
    let mut below = |bound: u64| {
        *random ^= *random << 13;
        *random ^= *random >> 7;
        *random ^= *random << 17;
        (*random >> 32) % bound
    };
    let mut value = |deep: bool| match below(if deep { 20 } else { 17 }) {
        0 => json!(0),
        1 => json!(1),
        2 => json!(2),
        3 => json!(3),
        4 => json!(-1),
        5 => json!(9_007_199_254_740_993_u64),
        6 => json!(9_007_199_254_740_992_u64),
        7 => json!(u64::MAX),
        8 => json!(i64::MIN),
        9 => json!(1.5),
        10 => json!(2.0),
        11 => json!(-0.5),
        12 => json!(1e300),
        13 => json!("x"),
        14 => json!(true),
        15 => json!("1"),
        16 => json!(null),
        17 => json!([]),
        18 => json!([1, "x", 1.5, [2]]),
        _ => json!({ "x": 1 }),
    };
    let mut claims = Map::new();
    for name in ["a", "b", "c"] {
        let value = value(true);
        claims.insert(name.to_owned(), value);
    }
    let object = json!({ "a": value(true), "b c": value(false) });
    claims.insert("o".to_owned(), if below(4) == 0 { json!([1]) } else { object });
    for (name, values) in [
        ("scope", [json!("r"), json!("w r"), json!("x w"), json!(3)]),
        ("auth_time", [json!(NOW), json!(NOW - 300), json!(NOW - 301), json!("9999")]),
        ("acr", [json!("x"), json!("y"), json!("z"), json!(["x"])]),
    ] {
        claims.insert(name.to_owned(), values[usize::try_from(below(4)).unwrap()].clone());
    }
    claims.retain(|_, _| below(5) > 0);
    claims
}
