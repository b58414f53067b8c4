//! Why a term is neither true nor false: by the type of its claim, never by its value, since this is logged.

use serde_json::Value as Json;

use crate::policy::{Facts, Rule, Test, Value};

impl Rule {
    /// The reason for one term, if there is more to say than that the claims do not fit.
    pub(super) fn why_unknown(&self, facts: &Facts<'_>) -> Option<String> {
        match self {
            Rule::Claim(name, test) => Some(match facts.claim(name).as_deref() {
                Some(claim) if test.names_a_parameter() => {
                    format!("the claim is {}, which the parameter of the route is nothing like", json_type(claim))
                }
                claim => what("the claim", claim, facts),
            }),
            Rule::Scope(_) => Some(what("the claim", facts.claim(&["scope"]).as_deref(), facts)),
            Rule::Fresh(_) => Some(what("`auth_time`", facts.claim(&["auth_time"]).as_deref(), facts)),
            Rule::Acr(_) => Some(what("`acr`", facts.claim(&["acr"]).as_deref(), facts)),
            Rule::Public | Rule::Token | Rule::All(_) | Rule::Any(_) | Rule::Not(_) | Rule::Typed(_) => None,
        }
    }
}

impl Test {
    fn names_a_parameter(&self) -> bool {
        let is_parameter = |value: &Value| matches!(value, Value::Parameter(_));
        match self {
            Test::Present => false,
            Test::Equals(value) | Test::Differs(value) | Test::Orders(_, value) => is_parameter(value),
            Test::OneOf(values) => values.iter().any(is_parameter),
        }
    }
}

fn what(claim: &str, found: Option<&Json>, facts: &Facts<'_>) -> String {
    match found {
        Some(found) => format!("{claim} is {}", json_type(found)),
        None if facts.may_be_sealed() => format!("{claim} is absent, or sealed"),
        None => format!("{claim} is absent"),
    }
}

fn json_type(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(items) => match items.split_first() {
            None => "an empty array",
            Some((one, others)) if others.iter().any(|other| json_type(other) != json_type(one)) => {
                "an array of several types"
            }
            Some((Json::Null, _)) => "an array of null",
            Some((Json::Bool(_), _)) => "an array of booleans",
            Some((Json::Number(_), _)) => "an array of numbers",
            Some((Json::String(_), _)) => "an array of strings",
            Some((Json::Array(_), _)) => "an array of arrays",
            Some((Json::Object(_), _)) => "an array of objects",
        },
        Json::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::policy::Order;

    #[test]
    fn the_type_is_told_and_never_the_value() {
        const ROLE: Rule = Rule::Claim(&["a", "role"], Test::Equals(Value::Str("admin")));
        const LEVEL: Rule = Rule::Claim(&["level"], Test::Orders(Order::Above, Value::Int(3)));
        const OWN: Rule = Rule::Claim(&["id"], Test::Equals(Value::Parameter("id")));
        for (rule, claims, why) in [
            (ROLE, json!({}), "the claim is absent"),
            (ROLE, json!({ "a": "secret" }), "the claim is absent"),
            (ROLE, json!({ "a": { "role": 7 } }), "the claim is a number"),
            (ROLE, json!({ "a": { "role": [7, 8] } }), "the claim is an array of numbers"),
            (ROLE, json!({ "a": { "role": [7, "secret"] } }), "the claim is an array of several types"),
            (ROLE, json!({ "a": { "role": null } }), "the claim is null"),
            (ROLE, json!({ "sealed": ".." }), "the claim is absent, or sealed"),
            (LEVEL, json!({ "level": "secret" }), "the claim is a string"),
            (OWN, json!({ "id": 7 }), "the claim is a number, which the parameter of the route is nothing like"),
            (OWN, json!({}), "the claim is absent"),
            (Rule::Scope(&["a"]), json!({}), "the claim is absent"),
            (Rule::Scope(&["a"]), json!({ "scope": ["secret"] }), "the claim is an array of strings"),
            (Rule::Fresh(1), json!({}), "`auth_time` is absent"),
            (Rule::Acr(&["a"]), json!({ "acr": true }), "`acr` is a boolean"),
        ] {
            let told = rule.decisive(&Facts::new(claims.as_object().expect("an object")));
            assert_eq!(told, format!("{rule} is unknown: {why}"), "{claims}");
        }
    }
}
