//! The parameters of a query string or a form.

use std::borrow::Cow;

use crate::model::bytes::all_bytes;

/// Parameters as `application/x-www-form-urlencoded` carries them. Unknown ones are ignored (RFC 6749 §3.1).
pub(crate) struct Parameters<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    are_of_another_site: bool,
    /// The body, if it is JSON.
    json: &'a [u8],
}

/// Why a parameter cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadParameter {
    /// It occurs more than once (RFC 6749 §3.1).
    Repeated(&'static str),
    TooLong(&'static str),
    /// It is not UTF-8.
    Encoding(&'static str),
}

impl<'a> Parameters<'a> {
    pub(crate) fn parse(text: &'a [u8]) -> Self {
        let pairs = match std::str::from_utf8(text) {
            Ok(text) => {
                let mut pairs = Vec::with_capacity(ORDINARY);
                pairs.extend(text.split('&').filter(|pair| !pair.is_empty()).map(pair));
                pairs
            }
            // Invalid bytes are replaced, and refused when the parameter is read.
            Err(_) => form_urlencoded::parse(text).collect(),
        };
        Parameters { pairs, are_of_another_site: false, json: b"" }
    }

    /// The same, for parameters that a page of another site posted first, whichever page of ours passed them on.
    pub(crate) fn parse_of_another_site(text: &'a [u8]) -> Self {
        Parameters { are_of_another_site: true, ..Parameters::parse(text) }
    }

    /// No parameters, but a body of JSON.
    pub(crate) fn of_json(json: &'a [u8]) -> Self {
        Parameters { json, ..Parameters::parse(b"") }
    }

    pub(crate) fn json(&self) -> &[u8] {
        self.json
    }

    pub(crate) fn are_of_another_site(&self) -> bool {
        self.are_of_another_site
    }

    /// As a query, without these.
    pub(crate) fn without(&self, names: &[&str]) -> String {
        let kept = self.pairs.iter().filter(|(name, _)| !names.contains(&&**name));
        form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish()
    }

    /// All values of a parameter that may occur more than once; empty ones are absent.
    pub(crate) fn all(&self, name: &'static str, max_bytes: usize) -> Result<Vec<&str>, BadParameter> {
        let values = self.pairs.iter().filter(|(key, value)| key == name && !value.is_empty());
        values.map(|(_, value)| readable(name, value, max_bytes)).collect()
    }

    /// The value, if it occurs once, is no longer than this, and is not empty: an empty parameter counts as absent.
    pub(crate) fn get(&self, name: &'static str, max_bytes: usize) -> Result<Option<&str>, BadParameter> {
        self.held(name)?.map(|value| readable(name, value, max_bytes)).transpose()
    }

    /// The same at any length, for what a client got from a server and sends as it is: a code, a token, credentials. One
    /// that is too long or not UTF-8 comes from another server, and is refused where it is opened or looked up, with the
    /// code for that: clients begin anew after `invalid_grant` or `invalid_client`, and not after `invalid_request`.
    pub(crate) fn held(&self, name: &'static str) -> Result<Option<&str>, BadParameter> {
        let mut values = self.pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_ref());
        let first = values.next();
        if values.next().is_some() {
            return Err(BadParameter::Repeated(name));
        }
        Ok(first.filter(|value| !value.is_empty()))
    }
}

/// How many parameters most requests have at most.
const ORDINARY: usize = 12;

/// Most values need no decoding, such as long sealed texts: those are borrowed.
fn pair(text: &str) -> (Cow<'_, str>, Cow<'_, str>) {
    if !all_bytes(text, |byte| byte != b'%' && byte != b'+') {
        return form_urlencoded::parse(text.as_bytes()).next().unwrap_or_default();
    }
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    (Cow::Borrowed(name), Cow::Borrowed(value))
}

fn readable<'v>(name: &'static str, value: &'v str, max_bytes: usize) -> Result<&'v str, BadParameter> {
    if value.len() > max_bytes {
        Err(BadParameter::TooLong(name))
    } else if !value.is_ascii() && value.contains(char::REPLACEMENT_CHARACTER) {
        // The decoder's replacement for invalid UTF-8: passing it on would change what was sent.
        Err(BadParameter::Encoding(name))
    } else {
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_reads_as_the_standard_says_and_what_needs_no_decoding_is_borrowed() {
        for text in [
            "",
            "&",
            "a",
            "a=",
            "=a",
            "=",
            "a=1&b=2",
            "&&a=1&&b=2&",
            "a=b=c",
            "a+b=c+d&e=f",
            "a%20b=%3D%26&c=%2B",
            "a=%",
            "a=%zz&b=%C3%A4",
            "a=\u{e4}&\u{df}=b",
            "a=%ff",
            "code=abc_-.~&code=2",
        ] {
            let expected: Vec<_> = form_urlencoded::parse(text.as_bytes()).collect();
            let parsed = Parameters::parse(text.as_bytes());
            assert_eq!(parsed.pairs, expected, "{text}");
            let is_plain = |text: &str| !text.contains(['%', '+']);
            let borrowed = parsed.pairs.iter().all(|(_, value)| matches!(value, Cow::Borrowed(_)));
            assert!(borrowed || !is_plain(text), "{text}");
        }
        let bytes = b"a=\xff&b=2";
        let parsed = Parameters::parse(bytes);
        assert_eq!(parsed.pairs, form_urlencoded::parse(bytes).collect::<Vec<_>>());
        assert_eq!(parsed.get("a", 10), Err(BadParameter::Encoding("a")));
        assert_eq!(parsed.get("b", 10), Ok(Some("2")));
    }
}
