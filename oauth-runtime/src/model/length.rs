//! How long something is when written as JSON.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;

/// In bytes, without writing it; `None` if it cannot be written.
pub(crate) fn json_bytes(value: &impl Serialize) -> Option<usize> {
    let mut written = Length(0);
    serde_json::to_writer(&mut written, value).ok()?;
    Some(written.0)
}

/// At least as many bytes as a text has as JSON, without looking at it: each byte may become six.
pub(crate) const fn most_of_text(text: &str) -> usize {
    2 + 6 * text.len()
}

/// How long a text is as JSON, if none of its control characters has a short form.
pub(crate) fn text_bytes(text: &str) -> usize {
    let escaped = |byte: u8| usize::from(byte == b'"' || byte == b'\\') + if byte < b' ' { 5 } else { 0 };
    2 + text.len() + text.bytes().map(escaped).sum::<usize>()
}

/// At least as many bytes as the value has.
pub(crate) fn most_of_json(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(number) if number.is_u64() || number.is_i64() => MOST_OF_NUMBER,
        // A crate of the application may have turned on numbers of any length.
        Value::Number(number) => MOST_OF_NUMBER.max(number.to_string().len()),
        Value::String(text) => most_of_text(text),
        Value::Array(values) => 2 + values.iter().map(|value| 1 + most_of_json(value)).sum::<usize>(),
        Value::Object(members) => {
            2 + members.iter().map(|(name, value)| 2 + most_of_text(name) + most_of_json(value)).sum::<usize>()
        }
    }
}

/// A number of 64 bits, with a fraction and an exponent: `-1.2345678901234567e-308`.
const MOST_OF_NUMBER: usize = 32;

/// Counts what is written.
struct Length(usize);

impl Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_value_is_longer_than_it_is_taken_for() {
        let text: String = (0..300).filter_map(char::from_u32).collect();
        for value in [
            json!(null),
            json!(false),
            json!(u64::MAX),
            json!(i64::MIN),
            json!(f64::MIN),
            json!(-f64::MIN_POSITIVE),
            json!(-1.234_567_890_123_456_7e-308),
            json!(text),
            json!([]),
            json!({}),
            json!([[1, 2], [], "", { "a": [null, true] }, {}]),
            json!({ "a": 1, "": {}, text.as_str(): [text] }),
        ] {
            assert!(json_bytes(&text).is_some_and(|bytes| bytes <= text_bytes(&text)), "with control characters");
            let (most, bytes) = (most_of_json(&value), json_bytes(&value).expect("JSON"));
            assert!(most >= bytes, "{most} {bytes} {value}");
            assert!(most <= 32 + 8 * bytes, "{most} {bytes} {value}");
            let text = value.to_string();
            let (most, bytes) = (text_bytes(&text), json_bytes(&text).expect("JSON"));
            assert!(most == bytes && most <= most_of_text(&text), "{most} {bytes} {text}");
        }
    }
}
