//! JSON as programs write it, read in one pass: an object without spaces, and without escapes in its strings.
//!
//! It is a subset of JSON with the same meaning. `serde_json` reads anything else, or refuses it.

use serde_json::{Deserializer, Value};

/// The members of an object, in their order.
pub(super) struct Members<'a> {
    object: &'a str,
    /// Where the next member's name begins, or after the end.
    at: usize,
}

/// A member's value.
pub(super) enum Plain<'a> {
    Text(&'a str),
    Number(u64),
    Other(Value),
}

/// It is not written like this, or is not JSON at all.
pub(super) struct NotPlain;

type Read<T> = Result<T, NotPlain>;

impl<'a> Members<'a> {
    pub(super) fn of(object: &'a str) -> Read<Self> {
        match object.as_bytes() {
            b"{}" => Ok(Members { object, at: object.len() }),
            [b'{', _, ..] => Ok(Members { object, at: 1 }),
            _ => Err(NotPlain),
        }
    }

    pub(super) fn next(&mut self) -> Read<Option<(&'a str, Plain<'a>)>> {
        if self.at == self.object.len() {
            return Ok(None);
        }
        let name = self.text()?;
        self.skip(b':')?;
        let value = self.value()?;
        match self.rest() {
            b"}" => self.at = self.object.len(),
            // Another member has to follow.
            [b',', _, ..] => self.at += 1,
            _ => return Err(NotPlain),
        }
        Ok(Some((name, value)))
    }

    fn value(&mut self) -> Read<Plain<'a>> {
        match self.rest() {
            [b'"', ..] => self.text().map(Plain::Text),
            [b'0'..=b'9', ..] => match self.number() {
                Some(number) => Ok(Plain::Number(number)),
                None => self.other().map(Plain::Other),
            },
            [b'[', b'"', ..] => self.texts().map(Plain::Other),
            [b't', b'r', b'u', b'e', ..] => {
                self.at += 4;
                Ok(Plain::Other(Value::Bool(true)))
            }
            _ => self.other().map(Plain::Other),
        }
    }

    fn text(&mut self) -> Read<&'a str> {
        self.skip(b'"')?;
        let length = length_of_text(self.rest()).ok_or(NotPlain)?;
        let text = self.object.get(self.at..self.at + length).ok_or(NotPlain)?;
        self.at += length + 1;
        Ok(text)
    }

    /// An integer with few enough digits to fit.
    fn number(&mut self) -> Option<u64> {
        let (rest, mut number, mut digits) = (self.rest(), 0, 0);
        while let Some(digit @ b'0'..=b'9') = rest.get(digits) {
            if digits == MOST_DIGITS {
                return None;
            }
            number = 10 * number + u64::from(digit - b'0');
            digits += 1;
        }
        let begins_with_zero = rest.first() == Some(&b'0') && digits > 1;
        let is_whole = matches!(rest.get(digits), Some(b',' | b'}'));
        if begins_with_zero || !is_whole {
            return None;
        }
        self.at += digits;
        Some(number)
    }

    fn texts(&mut self) -> Read<Value> {
        let mut texts = Vec::new();
        self.skip(b'[')?;
        loop {
            texts.push(Value::from(self.text()?));
            if self.skip(b',').is_err() {
                break;
            }
        }
        self.skip(b']')?;
        Ok(Value::Array(texts))
    }

    fn other(&mut self) -> Read<Value> {
        let mut values = Deserializer::from_slice(self.rest()).into_iter();
        let value = values.next().and_then(Result::ok).ok_or(NotPlain)?;
        self.at += values.byte_offset();
        Ok(value)
    }

    fn skip(&mut self, byte: u8) -> Read<()> {
        if self.rest().first() != Some(&byte) {
            return Err(NotPlain);
        }
        self.at += 1;
        Ok(())
    }

    fn rest(&self) -> &'a [u8] {
        self.object.as_bytes().get(self.at..).unwrap_or_default()
    }
}

/// The digits of a number that always fits.
const MOST_DIGITS: usize = 18;

/// How long a string is up to its quote; `None` if an escape or a control character comes first.
fn length_of_text(bytes: &[u8]) -> Option<usize> {
    let (words, rest) = bytes.as_chunks();
    let mut at = 0;
    for word in words {
        let special = special_of(u64::from_le_bytes(*word));
        if special != 0 {
            at += special.trailing_zeros() as usize / 8;
            return (bytes.get(at) == Some(&b'"')).then_some(at);
        }
        at += word.len();
    }
    let in_rest = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | ..0x20))?;
    (rest.get(in_rest) == Some(&b'"')).then_some(at + in_rest)
}

/// Sets the highest bit of the first byte that is a quote, a backslash or a control character, and perhaps of bytes
/// after it.
fn special_of(word: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGHEST: u64 = ONES << 7;
    let has = |byte: u8| {
        let zero = word ^ (ONES * u64::from(byte));
        zero.wrapping_sub(ONES) & !zero
    };
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (has(b'"') | has(b'\\') | control) & HIGHEST
}
