//! The `claims` parameter: single claims that a client asks for (OpenID Connect Core §5.5).

use std::str::FromStr;

use serde_json::{Map, Value};

/// The parts of it that count here. The rest is about claims that come with their scopes anyway.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct AskedClaims {
    /// The names of the claims for the ID token.
    pub(crate) in_id_token: Vec<String>,
    /// The user must be one of these, if any are named.
    pub(crate) subjects: Vec<String>,
    /// They must sign in in one of these ways, if any are named.
    pub(crate) acr: Vec<String>,
    /// Whether it is required for a token (OpenID Connect Core §5.5.1.1).
    pub(crate) is_acr_essential: bool,
}

/// It does not have the form that §5.5 describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl FromStr for AskedClaims {
    type Err = Malformed;

    fn from_str(json: &str) -> Result<Self, Malformed> {
        let parameter: Map<String, Value> = serde_json::from_str(json).map_err(|_| Malformed)?;
        // §5.5: members that are not understood are ignored
        let (id_token, userinfo) = (members(&parameter, "id_token")?, members(&parameter, "userinfo")?);
        let acr = id_token.iter().find(|(name, _)| *name == "acr").map(|(_, asked)| asked);
        let mut asked = AskedClaims {
            in_id_token: id_token.iter().map(|(name, _)| (*name).to_owned()).collect(),
            subjects: Vec::new(),
            acr: acr.map_or(Ok(Vec::new()), Asked::texts)?,
            is_acr_essential: acr.is_some_and(|acr| acr.is_essential),
        };
        for (_, sub) in id_token.iter().chain(&userinfo).filter(|(name, _)| *name == "sub") {
            let named = sub.texts()?;
            match (asked.subjects.is_empty(), named.is_empty()) {
                (true, _) => asked.subjects = named,
                (false, true) => {}
                (false, false) => {
                    asked.subjects.retain(|subject| named.contains(subject));
                    if asked.subjects.is_empty() {
                        // No user has two subjects.
                        return Err(Malformed);
                    }
                }
            }
        }
        Ok(asked)
    }
}

/// How one claim is asked for.
struct Asked<'a> {
    is_essential: bool,
    /// `None`: any value will do.
    values: Option<Vec<&'a Value>>,
}

impl Asked<'_> {
    /// Its values, of a claim whose values are strings.
    fn texts(&self) -> Result<Vec<String>, Malformed> {
        let values = self.values.iter().flatten();
        values.map(|value| value.as_str().map(str::to_owned).ok_or(Malformed)).collect()
    }
}

/// The claims of one member of the parameter.
fn members<'a>(parameter: &'a Map<String, Value>, name: &str) -> Result<Vec<(&'a str, Asked<'a>)>, Malformed> {
    match parameter.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Object(claims)) => claims.iter().map(|(name, how)| Ok((name.as_str(), asked(how)?))).collect(),
        Some(_) => Err(Malformed),
    }
}

fn asked(how: &Value) -> Result<Asked<'_>, Malformed> {
    let how = match how {
        Value::Null => return Ok(Asked { is_essential: false, values: None }),
        Value::Object(how) => how,
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => return Err(Malformed),
    };
    let is_essential = match how.get("essential") {
        None => false,
        Some(Value::Bool(is_essential)) => *is_essential,
        Some(_) => return Err(Malformed),
    };
    let values = match (how.get("value"), how.get("values")) {
        (None, None) => None,
        (Some(value), None) => Some(vec![value]),
        (None, Some(Value::Array(values))) if !values.is_empty() => Some(values.iter().collect()),
        (_, Some(_)) => return Err(Malformed),
    };
    Ok(Asked { is_essential, values })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_example_of_openid_connect_core_5_5() {
        let mut asked: AskedClaims = r#"{
            "userinfo": {
                "given_name": {"essential": true}, "nickname": null, "email": {"essential": true},
                "http://example.info/claims/groups": null
            },
            "id_token": { "auth_time": {"essential": true}, "acr": {"values": ["urn:mace:incommon:iap:silver"]} },
            "unknown": 1
        }"#
        .parse()
        .expect("the specification's own");
        // serde_json keeps the order or sorts, depending on its features.
        asked.in_id_token.sort_unstable();
        let expected = AskedClaims {
            in_id_token: names(&["acr", "auth_time"]),
            acr: names(&["urn:mace:incommon:iap:silver"]),
            ..AskedClaims::default()
        };
        assert_eq!(asked, expected);
    }

    #[test]
    fn c39_a_subject_or_an_acr_with_values_is_read_wherever_it_stands() {
        let subjects = |json: &str| json.parse::<AskedClaims>().expect(json).subjects;
        assert_eq!(subjects(r#"{"id_token":{"sub":{"value":"a"}}}"#), names(&["a"]));
        assert_eq!(subjects(r#"{"userinfo":{"sub":{"values":["a","b"]}}}"#), names(&["a", "b"]));
        assert_eq!(
            subjects(r#"{"userinfo":{"sub":{"values":["a","b"]}},"id_token":{"sub":{"value":"b"}}}"#),
            names(&["b"])
        );
        assert_eq!(subjects(r#"{"userinfo":{"sub":null},"id_token":{"sub":{"essential":true}}}"#), names(&[]));
        let acr: AskedClaims = r#"{"id_token":{"acr":{"essential":true,"value":"x"}}}"#.parse().expect("an acr");
        assert_eq!((acr.acr, acr.is_acr_essential), (names(&["x"]), true));
    }

    #[test]
    fn what_is_malformed_is_no_request() {
        for bad in [
            "",
            "x",
            "null",
            "[]",
            "{",
            r#"{"id_token":[]}"#,
            r#"{"userinfo":"email"}"#,
            r#"{"id_token":{"email":true}}"#,
            r#"{"id_token":{"email":[]}}"#,
            r#"{"id_token":{"email":{"essential":"yes"}}}"#,
            r#"{"id_token":{"email":{"values":"x"}}}"#,
            r#"{"id_token":{"acr":{"values":[]}}}"#,
            r#"{"id_token":{"acr":{"values":[1]}}}"#,
            r#"{"id_token":{"acr":{"value":"a","values":["b"]}}}"#,
            r#"{"id_token":{"sub":{"value":7}}}"#,
            r#"{"id_token":{"sub":{"value":"a"}},"userinfo":{"sub":{"value":"b"}}}"#,
        ] {
            assert_eq!(bad.parse::<AskedClaims>(), Err(Malformed), "{bad}");
        }
        for good in ["{}", r#"{"id_token":null}"#, r#"{"userinfo":{"email":{"value":1,"else":2}}}"#] {
            assert_eq!(good.parse(), Ok(AskedClaims::default()), "{good}");
        }
    }
}
