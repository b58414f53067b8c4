//! Text that is composed at compile time: what the compiler says about a policy that does not fit.

use std::fmt;

use crate::policy::{Field, Presence, Shape, Value};

/// A text that grows, for one error message. What does not fit is left out.
#[derive(Clone, Copy)]
pub(crate) struct Said {
    bytes: [u8; MOST],
    length: usize,
}

const MOST: usize = 1024;

/// How many names or values are listed.
const LISTED: usize = 12;

impl Said {
    pub(crate) const fn new() -> Self {
        Said { bytes: [0; MOST], length: 0 }
    }

    pub(crate) const fn as_str(&self) -> &str {
        match std::str::from_utf8(self.bytes.split_at(self.length).0) {
            Ok(text) => text,
            // Only whole strings are added.
            Err(_) => "",
        }
    }

    pub(crate) const fn text(mut self, text: &str) -> Self {
        let bytes = text.as_bytes();
        if self.length + bytes.len() <= MOST {
            let mut index = 0;
            while index < bytes.len() {
                self.bytes[self.length + index] = bytes[index];
                index += 1;
            }
            self.length += bytes.len();
        }
        self
    }

    /// As it is written in a policy, in backquotes: `address.city`.
    pub(crate) const fn name(self, segments: &[&str]) -> Self {
        self.text("`").path(segments).text("`")
    }

    /// The same without these.
    pub(crate) const fn path(self, segments: &[&str]) -> Self {
        let mut said = self;
        let mut index = 0;
        while index < segments.len() {
            said = if index > 0 { said.text(".") } else { said };
            said = if is_word(segments[index]) { said.text(segments[index]) } else { said.quoted(segments[index]) };
            index += 1;
        }
        said
    }

    const fn quoted(self, text: &str) -> Self {
        self.text("\"").text(text).text("\"")
    }

    pub(crate) const fn integer(self, integer: i128) -> Self {
        let said = if integer < 0 { self.text("-") } else { self };
        said.digits(integer.unsigned_abs())
    }

    const fn digits(self, number: u128) -> Self {
        let said = if number > 9 { self.digits(number / 10) } else { self };
        said.text("0123456789".split_at((number % 10) as usize).1.split_at(1).0)
    }

    const fn float(self, float: f64) -> Self {
        let said = if float < 0.0 { self.text("-") } else { self };
        let float = float.abs();
        if float > 1e15 || (float != 0.0 && float < 1e-3) {
            return said.text("this number");
        }
        let thousandths = (float * 1000.0) as u128;
        let said = said.digits(thousandths / 1000).text(".").digits(thousandths / 100 % 10);
        match (thousandths / 10 % 10, thousandths % 10) {
            (0, 0) => said,
            (hundredths, 0) => said.digits(hundredths),
            (hundredths, thousandths) => said.digits(hundredths).digits(thousandths),
        }
    }

    pub(crate) const fn value(self, value: &Value) -> Self {
        match value {
            Value::Str(text) => self.quoted(text),
            Value::Int(integer) => self.integer(*integer),
            Value::Float(float) => self.float(*float),
            Value::Bool(true) => self.text("true"),
            Value::Bool(false) => self.text("false"),
            Value::Parameter(name) => self.text("`path.").text(name).text("`"),
        }
    }

    pub(crate) const fn shape(self, shape: &Shape) -> Self {
        match shape {
            Shape::Any => self.text("anything"),
            Shape::Null => self.text("null"),
            Shape::Text => self.text("text"),
            Shape::Bool => self.text("true or false"),
            Shape::Integer(least, most) => self.text("an integer from ").integer(*least).text(" to ").integer(*most),
            Shape::Number => self.text("a number"),
            Shape::Variants(names) => self.one_of(names),
            Shape::List(each) => self.text("a list, each ").shape(each),
            Shape::Map(each) => self.text("an object, each value ").shape(each),
            Shape::Object(_, fields) => self.text("an object with ").fields(fields, 0),
            Shape::Optional(shape) => self.shape(shape).text(" or null"),
            Shape::Either(shapes) => {
                let mut said = self;
                let mut index = 0;
                while index < shapes.len() {
                    said = if index > 0 { said.text(", or ") } else { said };
                    said = said.shape(&shapes[index]);
                    index += 1;
                }
                said
            }
        }
    }

    /// `"a", "b" or "c"`
    pub(crate) const fn one_of(self, texts: &[&str]) -> Self {
        let mut said = self;
        let mut index = 0;
        while index < texts.len() && index < LISTED {
            let is_last = index + 1 == texts.len();
            said = if index == 0 { said } else { said.text(if is_last { " or " } else { ", " }) };
            said = said.quoted(texts[index]);
            index += 1;
        }
        if texts.len() > LISTED { said.text(", ..") } else { said }
    }

    /// The names, including those of flattened fields.
    pub(crate) const fn fields(self, fields: &[Field], before: usize) -> Self {
        let mut said = self;
        let mut count = before;
        let mut index = 0;
        while index < fields.len() && count < LISTED {
            match (fields[index].presence, fields[index].shape) {
                (Presence::Flat, Shape::Object(_, inner)) => {
                    said = said.fields(inner, count);
                    count += inner.len();
                }
                (Presence::Flat, Shape::Optional(Shape::Object(_, inner))) => {
                    said = said.fields(inner, count);
                    count += inner.len();
                }
                (Presence::Flat, _) => {}
                (Presence::Always | Presence::Defaulted | Presence::Sometimes, _) => {
                    said = if count > 0 { said.text(", ") } else { said };
                    said = said.name(&[fields[index].name]);
                    count += 1;
                }
            }
            index += 1;
        }
        if index < fields.len() { said.text(", ..") } else { said }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Said::new().shape(self).as_str())
    }
}

/// Whether a policy can have it without quotes.
const fn is_word(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut index = 0;
    while index < bytes.len() {
        let byte = bytes[index];
        if !(byte.is_ascii_alphanumeric() || byte == b'_') || (index == 0 && byte.is_ascii_digit()) {
            return false;
        }
        index += 1;
    }
    !bytes.is_empty()
}

/// The one of these that was probably meant: at most two letters apart, whatever their case.
pub(crate) const fn near<'a>(written: &str, known: &[&'a str]) -> Option<&'a str> {
    let mut best = None;
    let mut index = 0;
    while index < known.len() {
        best = nearer(written, known[index], best);
        index += 1;
    }
    match best {
        Some((name, _)) => Some(name),
        None => None,
    }
}

/// The nearer one, and how far it is.
pub(crate) const fn nearer<'a>(
    written: &str,
    known: &'a str,
    best: Option<(&'a str, usize)>,
) -> Option<(&'a str, usize)> {
    let apart = distance(written.as_bytes(), known.as_bytes());
    let is_nearer = match best {
        Some((_, least)) => apart < least,
        None => apart <= (if written.len() < 5 { 1 } else { 2 }) && apart < known.len(),
    };
    if is_nearer { Some((known, apart)) } else { best }
}

/// Whether this text is among them.
pub(crate) const fn contains(texts: &[&str], text: &str) -> bool {
    let mut texts = texts;
    while let [first, rest @ ..] = texts {
        if equal(first, text) {
            return true;
        }
        texts = rest;
    }
    false
}

pub(crate) const fn equal(one: &str, other: &str) -> bool {
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    // Calls cost the compiler more than anything else here.
    loop {
        match (one, other) {
            ([first, one_rest @ ..], [second, other_rest @ ..]) if *first == *second => {
                (one, other) = (one_rest, other_rest);
            }
            ([], []) => return true,
            _ => return false,
        }
    }
}

/// Whether it is written like a number.
pub(crate) const fn is_number(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut index = 0;
    while index < bytes.len() {
        if !(bytes[index].is_ascii_digit() || bytes[index] == b'.' || (index == 0 && bytes[index] == b'-')) {
            return false;
        }
        index += 1;
    }
    !bytes.is_empty()
}

/// Longer names are not compared.
const LONGEST: usize = 40;

/// How many bytes have to be inserted, removed, changed, or swapped with a neighbour.
const fn distance(one: &[u8], other: &[u8]) -> usize {
    // Strings of very different lengths are far apart, and need not be compared.
    if one.len() > LONGEST || other.len() > LONGEST || one.len().abs_diff(other.len()) > 2 {
        return usize::MAX;
    }
    let mut rows = [[0_usize; LONGEST + 1]; LONGEST + 1];
    let mut i = 0;
    while i <= one.len() {
        let mut j = 0;
        while j <= other.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let is_same = one[i - 1].eq_ignore_ascii_case(&other[j - 1]);
                let mut least = rows[i - 1][j - 1] + !is_same as usize;
                least = lesser(least, lesser(rows[i - 1][j], rows[i][j - 1]) + 1);
                let is_swapped = i > 1
                    && j > 1
                    && one[i - 1].eq_ignore_ascii_case(&other[j - 2])
                    && one[i - 2].eq_ignore_ascii_case(&other[j - 1]);
                if is_swapped { lesser(least, rows[i - 2][j - 2] + 1) } else { least }
            };
            j += 1;
        }
        i += 1;
    }
    rows[one.len()][other.len()]
}

const fn lesser(one: usize, other: usize) -> usize {
    if one < other { one } else { other }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_said_as_they_are_written() {
        for (value, said) in [
            (Value::Str("a"), "\"a\""),
            (Value::Int(-12), "-12"),
            (Value::Int(i128::from(u64::MAX)), "18446744073709551615"),
            (Value::Float(2.5), "2.5"),
            (Value::Float(-3.0), "-3.0"),
            (Value::Float(0.25), "0.25"),
            (Value::Float(1e300), "this number"),
            (Value::Bool(true), "true"),
            (Value::Parameter("owner"), "`path.owner`"),
        ] {
            assert_eq!(Said::new().value(&value).as_str(), said);
        }
    }

    #[test]
    fn what_has_no_room_is_left_out() {
        let long = "x".repeat(MOST - 1);
        assert_eq!(Said::new().text(&long).text("yz").text("!").as_str(), format!("{long}!"));
    }

    #[test]
    fn near_misses() {
        let words = ["reader", "auditor", "admin"];
        for (written, meant) in [
            ("amdin", Some("admin")),
            ("Admin", Some("admin")),
            ("raeder", Some("reader")),
            ("guest", None),
            ("", None),
        ] {
            assert_eq!(near(written, &words), meant, "{written}");
        }
    }
}
