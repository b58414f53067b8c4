use oauth_runtime::rule::{self as runtime, Decision, Facts};
use serde_json::{Value as Json, json};

use crate::check::rule;
use crate::rule::{Order, Rule, Test, Value};
use crate::syntax::{Policy, PolicyArguments};

fn said(policy: &str) -> String {
    let arguments: PolicyArguments = syn::parse_str(policy).unwrap_or_else(|error| panic!("{policy}: {error}"));
    let Policy::Terms(terms) = arguments.policy else { panic!("{policy} is a pattern") };
    rule(&terms).err().map_or_else(String::new, |mistakes| {
        assert_eq!(mistakes.clone().into_iter().count(), 1, "{policy}");
        mistakes.to_string()
    })
}

#[test]
fn what_never_holds_together_is_told() {
    for policy in [
        "level >= 3, level < 2",
        "level > 3, level <= 3",
        "level > 3.0, level < 3",
        "level = 3, level < 3",
        "level = [1, 2], level > 2",
        "level >= 9007199254740993, level <= 9007199254740992.0",
        "x, not(x)",
        "not(x), x = \"a\"",
        "not(x), x != \"a\"",
        "x = \"a\", x != \"a\"",
        "x = \"a\", not(x = \"a\")",
        "x = \"a\", not(x = [\"b\", \"a\"])",
        "x = \"a\", x > 3",
        "x = \"a\", not(x = 3)",
        "sub = path.owner, sub != path.owner",
        "sub = path.owner, not(sub)",
        "a, all(level >= 3, b), not(c), level < 2",
        "level >= 3, not(any(a, level > 1))",
        "any(a, all(level >= 3, level < 2))",
        "not(all(level >= 3, level < 2))",
        "scope = \"a\", not(scope = \"a\")",
        "level > 3, level > 4, level < 2",
    ] {
        assert!(said(policy).contains("never hold together"), "{policy}: {}", said(policy));
    }
    assert_eq!(
        said("verified, level >= 3, level < 2"),
        "`level >= 3` and `level < 2` never hold together, so every token is refused: for either, write \
         `any(level >= 3, level < 2)`"
    );
    assert_eq!(
        said("role, not(role)"),
        "`role` and `not(role)` never hold together, so every token is refused: leave one out"
    );
}

#[test]
fn what_always_holds_is_told() {
    for policy in [
        "any(level < 3, level >= 3)",
        "any(level <= 3, level > 2)",
        "any(level < 3, level = 3, level > 3)",
        "any(level != 3, level = 3.0)",
        "any(level != 3, level < 7)",
        "any(level < 3, not(level < 3))",
        "any(a, level < 3, any(level > 4, level <= 4))",
        "any(x = \"a\", x != \"a\")",
        "any(x = \"a\", not(x = \"a\"))",
        "any(sub = path.owner, sub != path.owner)",
        "not(all(level < 3, level >= 3, a)), b",
        "any(level < 3, all(level >= 3, level < 5), level >= 5)",
    ] {
        let said = said(policy);
        assert!(said.contains("ask only that") || said.contains("never hold together"), "{policy}: {said}");
    }
    assert_eq!(
        said("any(level < 3, level >= 3)"),
        "`level < 3` or `level >= 3` holds for every number, so together they ask only that `level` is there: write \
         `level`, or leave it out if every token has it"
    );
    for policy in ["any(x, not(x))", "any(not(x), x, y)", "any(acr = \"a\", not(acr = \"a\"))"] {
        assert!(said(policy).contains("asks nothing"), "{policy}: {}", said(policy));
    }
}

#[test]
fn what_asks_something_is_not_told() {
    for policy in [
        "level > 3, level < 9",
        "level > 3, level < 4",
        "level >= 3, level <= 3",
        "level >= 3, level != 3",
        "level > 3, not(level = 7)",
        // Absent claims, and known ones.
        "any(not(x), x = \"a\")",
        "any(not(x), x != \"a\")",
        "any(x = true, x = false)",
        "any(level < 3, level > 3)",
        "any(level < 9007199254740992, level > 9007199254740992.0)",
        // Lists.
        "all(x = \"a\", x = \"b\")",
        "all(x = \"a\", x = 3)",
        "x = \"a\", x != \"b\"",
        "x != \"a\", x != \"b\"",
        "x != \"a\", x != 3",
        "any(x != \"a\", x != \"b\")",
        "any(level != 3, level = 7)",
        "any(x = [\"a\", \"b\"], x = \"c\")",
        // Parameters.
        "sub = path.owner, sub != \"root\"",
        "all(sub = path.owner, sub = \"root\")",
        "all(sub = path.owner, sub = path.other)",
        "tenant = path.tenant, tenant != path.owner",
        "level = path.level, level > 3",
        "any(sub = path.owner, sub != \"root\")",
        "any(sub != path.owner, sub != path.other)",
        // About different claims, or with too many values to try.
        "a, not(b)",
        "any(a > 3, b <= 3)",
        "o.a > 3, o.b < 2",
        "x = [1, 2, 3, 4, 5, 6, 7, 8, 9], x != 3",
        "any(x = [1, 2, 3, 4, 5, 6, 7, 8, 9], x = \"many\")",
    ] {
        assert_eq!(said(policy), "", "{policy}");
    }
}

/// Random policies about one claim, compared with what the runtime decides for values of every type.
#[test]
fn what_is_told_is_so() {
    let words = [
        "a",
        "a = 1",
        "a = 2.5",
        "a = \"x\"",
        "a = \"y\"",
        "a = true",
        "a = [1, \"x\"]",
        "a != 1",
        "a != \"x\"",
        "a < 2",
        "a <= 2.5",
        "a > 1",
        "a >= 2",
        "a != 2.5",
    ];
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut below = |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) as usize % bound
    };
    let (mut told, mut untold) = (0, 0);
    for _ in 0..5_000 {
        let mut term = |depth: usize| {
            let word = words[below(words.len())];
            match below(6) {
                0 => format!("not({word})"),
                1 if depth > 0 => format!("all({word}, {})", words[below(words.len())]),
                2 if depth > 0 => format!("any({word}, {})", words[below(words.len())]),
                _ => word.to_owned(),
            }
        };
        let terms: Vec<String> = (0..3).map(|_| term(1)).collect();
        let is_any = below(2) == 0;
        let policy = format!("{}({})", if is_any { "any" } else { "all" }, terms.join(", "));
        let Some(said) = said_once(&policy) else { continue };
        // A message about a nested condition is only about that.
        let parts: Vec<Rule> = terms.iter().filter_map(|term| accepted(term)).collect();
        if parts.len() < terms.len() {
            continue;
        }
        let lets_in = |value: &Json| {
            let claims = json!({ "a": value });
            let decide = |rule: &Rule| built(rule).decide(&Facts::new(claims.as_object().expect("an object")));
            let mut decided = parts.iter().map(|part| decide(part) == Decision::True);
            if is_any { decided.any(|it| it) } else { decided.all(|it| it) }
        };
        let numbers = [json!(0), json!(1), json!(1.5), json!(2), json!(2.2), json!(2.5), json!(2.7), json!(3)];
        let texts = [json!("x"), json!("y"), json!("z"), json!("")];
        let others = [
            json!(null),
            json!(true),
            json!(false),
            json!({}),
            json!([]),
            json!(["x"]),
            json!(["x", "y"]),
            json!([1, "x"]),
            json!([1, 2.5, "x", "y", true]),
            json!([1]),
            json!([2.5]),
            json!(["y", 1]),
            json!([true]),
            json!([1, 2.5]),
            json!(["z"]),
            json!([1, "y", true]),
            json!(["x", "y", 1]),
            json!(["x", true]),
            json!(["y", 2.5]),
        ];
        let all = || numbers.iter().chain(&texts).chain(&others);
        let is_so = if said.contains("never hold together") {
            !all().any(lets_in)
        } else if said.contains("every number") {
            numbers.iter().all(lets_in)
        } else if said.contains("every text") {
            texts.iter().all(lets_in)
        } else if said.contains("asks nothing") {
            all().all(lets_in)
        } else if said.is_empty() && is_any {
            !all().all(lets_in)
        } else if said.is_empty() {
            all().any(lets_in)
        } else {
            continue;
        };
        assert!(is_so, "{policy}: {said}");
        if said.is_empty() { untold += 1 } else { told += 1 }
    }
    assert!(told > 100 && untold > 500, "{told} and {untold}");
}

/// The message about it, if there is exactly one.
fn said_once(policy: &str) -> Option<String> {
    let arguments: PolicyArguments = syn::parse_str(policy).ok()?;
    let Policy::Terms(terms) = arguments.policy else { return None };
    match rule(&terms) {
        Ok(_) => Some(String::new()),
        Err(mistakes) => (mistakes.clone().into_iter().count() == 1).then(|| mistakes.to_string()),
    }
}

fn accepted(policy: &str) -> Option<Rule> {
    let arguments: PolicyArguments = syn::parse_str(policy).ok()?;
    let Policy::Terms(terms) = arguments.policy else { return None };
    rule(&terms).ok().map(|checked| checked.rule)
}

/// The runtime's form of the rule.
fn built(rule: &Rule) -> runtime::Rule {
    let several = |rules: &[Rule]| &*rules.iter().map(built).collect::<Vec<_>>().leak();
    let value = |value: &Value| match value {
        Value::Str(text) => runtime::Value::Str(text.clone().leak()),
        Value::Int(int) => runtime::Value::Int(*int),
        Value::Float(float) => runtime::Value::Float(*float),
        Value::Bool(truth) => runtime::Value::Bool(*truth),
        Value::Parameter(_) => panic!("there is no route"),
    };
    match rule {
        Rule::All(rules) => runtime::Rule::All(several(rules)),
        Rule::Any(rules) => runtime::Rule::Any(several(rules)),
        Rule::Not(rule) => runtime::Rule::Not(Box::leak(Box::new(built(rule)))),
        Rule::Claim(_, test) => runtime::Rule::Claim(
            &["a"],
            match test {
                Test::Present => runtime::Test::Present,
                Test::Equals(it) => runtime::Test::Equals(value(it)),
                Test::Differs(it) => runtime::Test::Differs(value(it)),
                Test::OneOf(them) => runtime::Test::OneOf(them.iter().map(value).collect::<Vec<_>>().leak()),
                Test::Orders(order, it) => runtime::Test::Orders(
                    match order {
                        Order::Below => runtime::Order::Below,
                        Order::AtMost => runtime::Order::AtMost,
                        Order::Above => runtime::Order::Above,
                        Order::AtLeast => runtime::Order::AtLeast,
                    },
                    value(it),
                ),
            },
        ),
        Rule::Public | Rule::Token | Rule::Scope(_) | Rule::Fresh(_) | Rule::Acr(_) => panic!("no claim"),
    }
}
