//! The claims of a token as they are written: without copies, and in order, as in a JSON map.

use std::borrow::Cow;
use std::mem::swap;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

/// What is signed: as it is, or with sealed claims that its client may not read.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Claims<'a> {
    Open(Payload<'a>),
    Sealed(Map<String, Value>),
}

/// The claims of a token.
pub(crate) struct Payload<'a>(Vec<(&'a str, Said<'a>)>);

/// What a claim says.
#[derive(Clone)]
pub(crate) enum Said<'a> {
    Text(Cow<'a, str>),
    Number(u64),
    Json(Cow<'a, Value>),
}

impl<'a> Payload<'a> {
    /// A user's claims with the server's own, which take precedence.
    pub(crate) fn of(
        custom: &'a Map<String, Value>,
        own: impl IntoIterator<Item = (&'static str, Option<Said<'a>>)>,
    ) -> Self {
        let custom = custom.iter().map(|(name, value)| (name.as_str(), Said::Json(Cow::Borrowed(value))));
        let own = own.into_iter().filter_map(|(name, said)| Some((name, said?)));
        let mut claims = Vec::with_capacity(custom.len() + ORDINARY);
        claims.extend(custom.chain(own));
        claims.sort_by_key(|(name, _)| *name);
        claims.dedup_by(|later, earlier| {
            let is_twice = later.0 == earlier.0;
            if is_twice {
                swap(later, earlier);
            }
            is_twice
        });
        Payload(claims)
    }

    pub(crate) fn into_map(self) -> Map<String, Value> {
        self.0.into_iter().map(|(name, said)| (name.to_owned(), said.into())).collect()
    }
}

impl Serialize for Payload<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, said)| (name, said)))
    }
}

impl Serialize for Said<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Said::Text(text) => serializer.serialize_str(text),
            Said::Number(number) => serializer.serialize_u64(*number),
            Said::Json(value) => value.serialize(serializer),
        }
    }
}

impl From<Said<'_>> for Value {
    fn from(said: Said<'_>) -> Value {
        match said {
            Said::Text(text) => Value::from(text.into_owned()),
            Said::Number(number) => Value::from(number),
            Said::Json(value) => value.into_owned(),
        }
    }
}

impl<'a> From<&'a str> for Said<'a> {
    fn from(text: &'a str) -> Said<'a> {
        Said::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Said<'_> {
    fn from(text: String) -> Self {
        Said::Text(Cow::Owned(text))
    }
}

impl From<Value> for Said<'_> {
    fn from(value: Value) -> Self {
        Said::Json(Cow::Owned(value))
    }
}

/// How many claims of the server most tokens have.
const ORDINARY: usize = 16;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_is_written_as_the_map_that_it_is() {
        let Value::Object(custom) = json!({ "role": "admin", "a": { "z": 1, "b": [true, null] }, "iss": "theirs" })
        else {
            unreachable!("written as an object")
        };
        let own = || {
            [
                ("sub", Some(Said::from("al\"ice"))),
                ("iss", Some(Said::from("ours".to_owned()))),
                ("exp", Some(Said::Number(7))),
                ("acr", None),
                ("aud", Some(Said::from(json!(["x", "y"])))),
            ]
        };
        let expected = json!({
            "a": { "b": [true, null], "z": 1 }, "aud": ["x", "y"], "exp": 7, "iss": "ours", "role": "admin", "sub": "al\"ice"
        });
        let written = serde_json::to_string(&Payload::of(&custom, own())).expect("JSON");
        assert_eq!(serde_json::from_str::<Value>(&written).expect("JSON"), expected);
        let places = ["\"a\"", "\"aud\"", "\"exp\"", "\"iss\"", "\"role\"", "\"sub\""].map(|name| written.find(name));
        assert!(places.is_sorted() && places.iter().all(Option::is_some), "{written}");
        assert_eq!(Value::Object(Payload::of(&custom, own()).into_map()), expected);
    }
}
