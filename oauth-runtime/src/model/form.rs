//! The parameters of a query string or a form.

use std::borrow::Cow;

/// Parameters as `application/x-www-form-urlencoded` carries them. Unknown ones are ignored (RFC 6749 §3.1).
pub(crate) struct Parameters<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

/// Why a parameter cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadParameter {
    /// It stands there more than once (RFC 6749 §3.1).
    Repeated(&'static str),
    TooLong(&'static str),
    /// It is no UTF-8.
    Encoding(&'static str),
}

impl<'a> Parameters<'a> {
    pub(crate) fn parse(text: &'a [u8]) -> Self {
        Parameters(form_urlencoded::parse(text).collect())
    }

    /// The value, if it is there once, is no longer than this, and is not empty: an empty parameter is an absent one.
    pub(crate) fn get(&self, name: &'static str, max_bytes: usize) -> Result<Option<&str>, BadParameter> {
        let mut values = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_ref());
        let first = values.next();
        if values.next().is_some() {
            return Err(BadParameter::Repeated(name));
        }
        match first {
            None | Some("") => Ok(None),
            Some(value) if value.len() > max_bytes => Err(BadParameter::TooLong(name)),
            // What the decoder puts where the bytes are no UTF-8: passing it on would change what was sent.
            Some(value) if value.contains(char::REPLACEMENT_CHARACTER) => Err(BadParameter::Encoding(name)),
            Some(value) => Ok(Some(value)),
        }
    }
}
