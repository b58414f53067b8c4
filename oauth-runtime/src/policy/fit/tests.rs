use super::*;
use std::any::TypeId;

use crate::policy::Order;
use crate::policy::bound::BoundType;

const ROLE: Shape = Shape::Variants(&["reader", "auditor", "admin"]);
const ADDRESS: Shape =
    Shape::Object("Address", &[Field::new("city", Shape::Text), Field::new("zip", Shape::Optional(&Shape::Text))]);
const USER: Shape = Shape::Object(
    "User",
    &[
        Field::new("sub", Shape::Text),
        Field::new("role", ROLE),
        Field::new("level", Shape::Integer(0, 255)),
        Field::new("score", Shape::Number),
        Field::new("suspended", Shape::Bool),
        Field::new("teams", Shape::List(&ROLE)),
        Field::optional("nick", Shape::Text),
        Field::new("boss", Shape::Optional(&Shape::Text)),
        Field::new("address", ADDRESS),
        Field::flat(Shape::Object("Plan", &[Field::new("plan", Shape::Text)])),
        Field::new("other", Shape::Any),
    ],
);
const fn issued(shape: Shape) -> BoundType {
    BoundType { shape, is_issued: true, named: || (TypeId::of::<()>(), "User") }
}

const BOUND: Bound =
    Bound { types: &[issued(USER)], scopes: Some(&["notes:read", "notes:write"]), acr: Some(&["mfa"]) };

fn said(bound: &Bound, rule: &Rule) -> String {
    misfit(bound, rule).map_or_else(String::new, |said| said.as_str().to_owned())
}

fn of(name: &'static [&'static str], test: Test) -> String {
    said(&BOUND, &Rule::Claim(name, test))
}

#[test]
fn what_can_be_and_need_not_be_fits() {
    for (name, test) in [
        (&["role"] as &[&str], Test::Equals(Value::Str("admin"))),
        (&["role"], Test::OneOf(&[Value::Str("admin"), Value::Str("reader")])),
        (&["role"], Test::Differs(Value::Str("admin"))),
        (&["role"], Test::Equals(Value::Parameter("role"))),
        (&["sub"], Test::Equals(Value::Parameter("owner"))),
        (&["level"], Test::Equals(Value::Float(3.0))),
        (&["level"], Test::Orders(Order::AtLeast, Value::Int(1))),
        (&["level"], Test::Orders(Order::Below, Value::Float(254.5))),
        (&["score"], Test::Orders(Order::Below, Value::Int(-3))),
        (&["suspended"], Test::Present),
        (&["suspended"], Test::Equals(Value::Bool(false))),
        (&["teams"], Test::Equals(Value::Str("admin"))),
        (&["nick"], Test::Present),
        (&["boss"], Test::Present),
        (&["boss"], Test::Equals(Value::Str("x"))),
        (&["address", "city"], Test::Equals(Value::Str("x"))),
        (&["address", "zip"], Test::Present),
        (&["plan"], Test::Equals(Value::Str("x"))),
        (&["other"], Test::Present),
        (&["other", "below"], Test::Equals(Value::Int(1))),
        // What the server sets.
        (&["client_id"], Test::Equals(Value::Str("cli"))),
        (&["amr"], Test::Equals(Value::Str("otp"))),
        (&["auth_time"], Test::Present),
    ] {
        assert_eq!(of(name, test), "", "{name:?} {test:?}");
    }
}

#[test]
fn what_does_not_fit_is_said_with_its_cure() {
    for (name, test, expected) in [
        (
            &["rol"] as &[&str],
            Test::Present,
            "no field `rol` in the claims: a field with a similar name exists: `role`",
        ),
        (
            &["colour"],
            Test::Present,
            "no field `colour` in the claims: `User` has `sub`, `role`, `level`, `score`, `suspended`, `teams`, `nick`, `boss`, \
             `address`, `plan`, `other`",
        ),
        (&["plann"], Test::Present, "no field `plann` in the claims: a field with a similar name exists: `plan`"),
        (&["address", "cty"], Test::Present, "no field `cty` in `address`: a field with a similar name exists: `city`"),
        (&["address", "x"], Test::Present, "no field `x` in `address`: `Address` has `city`, `zip`"),
        (&["role", "name"], Test::Present, "nothing is below `role`: it is \"reader\", \"auditor\" or \"admin\""),
        (
            &["role"],
            Test::Equals(Value::Str("amdin")),
            "`role` is never \"amdin\": it is \"reader\", \"auditor\" or \"admin\"; did you mean \"admin\"?",
        ),
        (
            &["teams"],
            Test::OneOf(&[Value::Str("admin"), Value::Str("Reader")]),
            "`teams` is never \"Reader\": it is a list, each \"reader\", \"auditor\" or \"admin\"; did you mean \"reader\"?",
        ),
        (&["role"], Test::Differs(Value::Int(3)), "`role` is never 3: it is \"reader\", \"auditor\" or \"admin\""),
        (
            &["level"],
            Test::Equals(Value::Str("3")),
            "`level` is never \"3\": it is an integer from 0 to 255; write `level = 3`",
        ),
        (&["level"], Test::Equals(Value::Int(300)), "`level` is never 300: it is an integer from 0 to 255"),
        (&["level"], Test::Equals(Value::Float(2.5)), "`level` is never 2.5: it is an integer from 0 to 255"),
        (
            &["level"],
            Test::Orders(Order::Above, Value::Int(255)),
            "`level` is never > 255: it is an integer from 0 to 255",
        ),
        (&["sub"], Test::Orders(Order::Above, Value::Int(3)), "`sub` is never > 3: it is text"),
        (&["sub"], Test::Equals(Value::Int(7)), "`sub` is never 7: it is text; write `sub = \"7\"`"),
        (
            &["suspended"],
            Test::Equals(Value::Str("true")),
            "`suspended` is never \"true\": it is true or false; write `suspended = true`",
        ),
        (&["suspended"], Test::Equals(Value::Parameter("x")), "`suspended` is never `path.x`: it is true or false"),
        (&["address"], Test::Equals(Value::Str("x")), "`address` is never \"x\": it is an object with `city`, `zip`"),
        (
            &["role"],
            Test::Present,
            "every token has `role`, so this asks nothing: compare it, as in `role = ..`; where clients have tokens in their own \
             name, `claims!(..)` names their type, too",
        ),
        (
            &["role"],
            Test::OneOf(&[Value::Str("admin"), Value::Str("reader"), Value::Str("auditor")]),
            "`role` has no other value, so this asks nothing: leave it out",
        ),
        (
            &["level"],
            Test::Orders(Order::AtLeast, Value::Int(0)),
            "`level` is always >= 0, so this asks nothing: leave it out",
        ),
        (
            &["iss"],
            Test::Present,
            "every token has `iss`, so this asks nothing: compare it, as in `iss = ..`; where clients have tokens in their own \
             name, `claims!(..)` names their type, too",
        ),
    ] {
        assert_eq!(of(name, test), expected);
    }
}

#[test]
fn of_several_types_one_is_enough() {
    const ROBOT: Shape =
        Shape::Object("Robot", &[Field::new("sub", Shape::Text), Field::new("serial", Shape::Integer(0, 9))]);
    const BOTH: &[BoundType] = &[issued(USER), issued(ROBOT)];
    let both = Bound { types: BOTH, ..BOUND };
    let of = |name, test| said(&both, &Rule::Claim(name, test));
    assert_eq!(of(&["serial"], Test::Present), "", "a user has none");
    assert_eq!(of(&["serial"], Test::Equals(Value::Int(3))), "");
    assert_eq!(of(&["serial"], Test::Equals(Value::Int(10))), "`serial` is never 10: it is an integer from 0 to 9");
    assert!(of(&["seral"], Test::Present).starts_with("no field `seral` in the claims"));
}

#[test]
fn without_a_binding_everything_fits() {
    let unbound = Bound { types: &[], scopes: None, acr: None };
    assert_eq!(said(&unbound, &Rule::Claim(&["rol"], Test::Present)), "");
    assert_eq!(said(&unbound, &Rule::Scope(&["x"])), "");
    check_together(&unbound, &["role"], &[], "");
    check_any(&unbound, &["role"], &[]);
}

#[test]
fn scopes_and_acr_values_are_those_that_are_declared() {
    assert_eq!(said(&BOUND, &Rule::Scope(&["notes:read", "notes:write"])), "");
    assert_eq!(
        said(&BOUND, &Rule::Scope(&["notes:read", "notes:wirte"])),
        "`claims!(..)` declares no scope \"notes:wirte\": one with a similar name exists, \"notes:write\""
    );
    assert_eq!(said(&BOUND, &Rule::Acr(&["hardware"])), "`claims!(..)` declares no acr \"hardware\": it has \"mfa\"");
}

#[test]
fn words_in_quotes_are_told() {
    let quoted = Test::Equals(Value::Str("notes:read"));
    assert_eq!(
        of(&["scope"], quoted),
        "in quotes this is a claim like others, compared as a whole: write `scope = \"notes:read\"`"
    );
}

/// The message of the panic.
fn caught(check: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let caught = std::panic::catch_unwind(check).err();
    caught.map_or_else(String::new, |panic| panic.downcast_ref::<String>().cloned().unwrap_or_default())
}

#[test]
fn terms_hold_together_where_the_claim_can_be_so() {
    const BOTH: Kind = Kind::List(&[Kind::Text("reader"), Kind::Text("admin")]);
    const OPEN: Kind = Kind::Between(Some(Value::Int(3)), Some(Value::Int(4)));
    const EDGE: Kind = Kind::Between(Some(Value::Float(254.5)), None);
    const HALVES: Kind = Kind::Between(Some(Value::Float(2.5)), Some(Value::Float(3.5)));
    for (name, kind, is_told) in [
        (&["teams"] as &[&str], BOTH, false),
        (&["amr"], BOTH, false),
        (&["other"], BOTH, false),
        (&["other", "x"], BOTH, false),
        (&["role"], BOTH, true),
        (&["address", "city"], BOTH, true),
        (&["plan"], BOTH, true),
        (&["level"], OPEN, true),
        (&["score"], OPEN, false),
        (&["level"], HALVES, false),
        (&["level"], EDGE, false),
        (&["level"], Kind::Between(Some(Value::Int(255)), None), true),
        (&["level"], Kind::Between(None, Some(Value::Float(-1e300))), true),
        (&["level"], Kind::Between(None, Some(Value::Float(1e300))), false),
        (&["level"], Kind::Absent, true),
        (&["nick"], Kind::Absent, false),
        (&["boss"], Kind::Absent, false),
        (&["boss"], Kind::OtherText(&["x"]), false),
        (&["role"], Kind::OtherText(&["reader", "auditor"]), false),
        (&["role"], Kind::OtherText(&["reader", "auditor", "admin"]), true),
        (&["suspended"], Kind::Bool(false), false),
        (&["address"], Kind::Object, false),
        (&["address"], Kind::Bool(true), true),
    ] {
        let kinds: &'static [Kind] = Box::leak(Box::new([kind]));
        assert_eq!(!caught(|| check_together(&BOUND, name, kinds, "")).is_empty(), is_told, "{name:?} {kind:?}");
    }
    let said = caught(|| check_together(&BOUND, &["level"], &[OPEN], "never both: for either, write `any(..)`"));
    assert_eq!(said, "`level` is an integer from 0 to 255, and never both: for either, write `any(..)`");
}

#[test]
fn what_is_said_not_to_be_there_is_not() {
    for (name, is_told) in [
        (&["role"] as &[&str], true),
        (&["address", "zip"], true),
        (&["plan"], true),
        (&["other"], true),
        (&["client_id"], true),
        (&["tenant_of_partner"], false),
        (&["address", "country"], false),
        // It may be there.
        (&["other", "below"], false),
    ] {
        let expected = format!("the claims have `{}`: leave `dyn` out", name.join("."));
        let said = caught(|| check_absent(&BOUND, name));
        assert_eq!(said, if is_told { expected } else { String::new() }, "{name:?}");
    }
    const MAP: &[BoundType] = &[issued(Shape::Map(&Shape::Text))];
    const ANY: &[BoundType] = &[issued(Shape::Any)];
    for types in [MAP, ANY, &[]] {
        assert_eq!(caught(|| check_absent(&Bound { types, ..BOUND }, &["role"])), "");
    }
}

#[test]
fn terms_of_which_one_always_holds_are_told() {
    const LEFT: &[Kind] = &[Kind::Absent, Kind::Text("x"), Kind::List(&[])];
    for (name, left, expected) in [
        (&["level"] as &[&str], LEFT, "`level` has no other value, so this asks nothing: leave it out"),
        (&["nick"], &[Kind::Absent, Kind::Bool(true)], "this asks only that `nick` is there: write `nick`"),
        (&["boss"], &[Kind::Absent], "this asks only that `boss` is there: write `boss`"),
        (&["boss"], LEFT, ""),
        (&["other"], LEFT, ""),
        (&["teams"], LEFT, ""),
        (&["suspended"], &[Kind::Absent], "`suspended` has no other value, so this asks nothing: leave it out"),
        (&["role"], &[Kind::OtherText(&["reader", "auditor"])], ""),
        (
            &["role"],
            &[Kind::OtherText(&["reader", "auditor", "admin"])],
            "`role` has no other value, so this asks nothing: leave it out",
        ),
    ] {
        assert_eq!(caught(|| check_any(&BOUND, name, left)), expected, "{name:?}");
    }
    const FLAG: Shape = Shape::Object("User", &[Field::optional("flag", Shape::Bool)]);
    const TYPES: &[BoundType] = &[issued(FLAG)];
    let flag = Bound { types: TYPES, ..BOUND };
    assert_eq!(
        caught(|| check_any(&flag, &["flag"], &[Kind::Absent])),
        "",
        "`false` is known, and no bare claim says so"
    );
}

#[test]
fn claims_have_a_sub_and_nothing_that_the_server_sets() {
    let said = |shape: &'static Shape, is_issued| {
        let caught = std::panic::catch_unwind(|| check_claims("User", shape, is_issued));
        caught.err().map(|panic| panic.downcast_ref::<String>().cloned().unwrap_or_default())
    };
    assert_eq!(said(&USER, true), None);
    assert_eq!(said(&Shape::Any, true), None);
    let without = "`User` has no `sub`, an id of the user that never changes: add `sub: String`";
    assert_eq!(said(&ADDRESS, true).as_deref(), Some(without));
    assert_eq!(said(&ADDRESS, false), None, "tokens of another issuer may be read so");
    const SCOPE: Shape = Shape::Object("User", &[Field::new("sub", Shape::Text), Field::new("scope", Shape::Text)]);
    let taken = "`User` has the claim `scope`, which the server sets: give yours another name; the server's is in \
                 `AccessToken`";
    assert_eq!(said(&SCOPE, true).as_deref(), Some(taken));
}

const FLAGS: Shape = Shape::Map(&Shape::Bool);
const STAFF: Shape = Shape::Object(
    "Staff",
    &[Field::new("sub", Shape::Text), Field::new("role", Shape::Variants(&["support", "admin"]))],
);
const CUSTOMER: Shape = Shape::Object(
    "Customer",
    &[Field::new("sub", Shape::Text), Field::new("role", Shape::Variants(&["owner", "guest"]))],
);

/// What `check` says about a term if the claims are of this shape.
fn over(shape: &'static Shape, name: &'static [&'static str], test: Test) -> String {
    let bound: &'static [BoundType] = Box::leak(Box::new([issued(*shape)]));
    said(&Bound { types: bound, scopes: None, acr: None }, &Rule::Claim(name, test))
}

#[test]
fn a_flat_map_takes_only_what_nothing_else_has() {
    const PLAN: Shape = Shape::Object("Plan", &[Field::new("plan", Shape::Text)]);
    const USER: Shape = Shape::Object(
        "User",
        &[Field::new("sub", Shape::Text), Field::flat(FLAGS), Field::flat(Shape::Null), Field::flat(PLAN)],
    );
    assert_eq!(over(&USER, &["plan"], Test::Equals(Value::Str("pro"))), "");
    assert_eq!(over(&USER, &["client_id"], Test::Equals(Value::Str("cli"))), "");
    assert_eq!(over(&USER, &["beta"], Test::Present), "");
    assert_eq!(over(&USER, &["beta"], Test::Equals(Value::Int(3))), "`beta` is never 3: it is true or false");
    assert!(over(&USER, &["scope"], Test::Equals(Value::Str("a"))).starts_with("in quotes this is"));
}

#[test]
fn of_several_kinds_each_value_needs_one() {
    const EITHER: Shape = Shape::Either(&[STAFF, CUSTOMER]);
    let both = Test::OneOf(&[Value::Str("admin"), Value::Str("owner")]);
    assert_eq!(over(&EITHER, &["role"], both), "");
    let wrong = Test::OneOf(&[Value::Str("admin"), Value::Str("ownr")]);
    assert!(over(&EITHER, &["role"], wrong).starts_with("`role` is never \"ownr\""));
    // Any valid token, over a scope of routes.
    assert_eq!(over(&EITHER, &["sub"], Test::Present), "");
}

#[test]
fn a_default_is_no_absence_in_what_is_issued() {
    const USER: Shape = Shape::Object("User", &[Field::defaulted("level", Shape::Integer(0, 255))]);
    let always = Test::Orders(Order::AtLeast, Value::Int(0));
    assert_eq!(over(&USER, &["level"], always), "`level` is always >= 0, so this asks nothing: leave it out");
    const READ: &[BoundType] = &[BoundType { is_issued: false, ..issued(USER) }];
    assert_eq!(said(&Bound { types: READ, scopes: None, acr: None }, &Rule::Claim(&["level"], always)), "");
}

#[test]
fn what_is_read_alone_says_nothing_of_what_is_issued() {
    const LITE: Shape = Shape::Object("Lite", &[Field::new("sub", Shape::Text)]);
    const TYPES: &[BoundType] = &[issued(USER), BoundType { is_issued: false, ..issued(LITE) }];
    let bound = Bound { types: TYPES, scopes: None, acr: None };
    assert!(said(&bound, &Rule::Claim(&["role"], Test::Present)).starts_with("every token has `role`"));
}

#[test]
fn a_list_is_searched_one_level_deep() {
    const USER: Shape = Shape::Object("User", &[Field::new("nested", Shape::List(&Shape::List(&Shape::Text)))]);
    assert!(over(&USER, &["nested"], Test::Equals(Value::Str("x"))).starts_with("`nested` is never \"x\""));
}

#[test]
#[should_panic(expected = "a `sub` that is not always text")]
fn a_sub_is_text() {
    const NUMBERED: Shape = Shape::Object("User", &[Field::new("sub", Shape::Integer(0, 9))]);
    check_claims("User", &NUMBERED, true);
}

#[test]
fn the_keys_are_those_of_the_names() {
    let keys: Vec<u64> = REGISTERED.iter().map(|name| crate::policy::shape::key(name)).collect();
    assert_eq!(keys, REGISTERED_KEYS);
    let apart: std::collections::BTreeSet<u64> = keys.iter().copied().collect();
    assert_eq!(apart.len(), keys.len());
}
