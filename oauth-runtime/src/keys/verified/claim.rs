//! A claim's value, as it is read.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor, value};
use serde_json::{Value, json};

/// A claim's value.
pub(super) enum Claim<'a> {
    Text(Cow<'a, str>),
    Number(u64),
    Other(Value),
}

impl Claim<'_> {
    pub(super) fn of(value: Value) -> Self {
        match value {
            Value::String(text) => Claim::Text(text.into()),
            other => other.as_u64().map_or(Claim::Other(other), Claim::Number),
        }
    }

    pub(super) fn into_json(self) -> Value {
        match self {
            Claim::Text(text) => Value::String(text.into_owned()),
            Claim::Number(number) => json!(number),
            Claim::Other(other) => other,
        }
    }
}

impl<'de> Deserialize<'de> for Claim<'de> {
    fn deserialize<D: Deserializer<'de>>(claim: D) -> Result<Self, D::Error> {
        struct ReadClaim;
        impl<'de> Visitor<'de> for ReadClaim {
            type Value = Claim<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Claim::Text(text.into()))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Claim::Text(text.to_owned().into()))
            }

            fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
                Ok(Claim::Text(text.into()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
                Ok(Claim::Number(number))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
                Ok(Claim::of(json!(number)))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
                Ok(Claim::Other(json!(number)))
            }

            fn visit_bool<E>(self, is: bool) -> Result<Self::Value, E> {
                Ok(Claim::Other(Value::Bool(is)))
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Claim::Other(Value::Null))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
                Value::deserialize(value::SeqAccessDeserializer::new(items)).map(Claim::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
                // If serde_json keeps numbers of any precision, a number comes as a map.
                Value::deserialize(value::MapAccessDeserializer::new(members)).map(Claim::of)
            }
        }
        claim.deserialize_any(ReadClaim)
    }
}
