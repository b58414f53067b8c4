//! When something was made, by the store's memory at that time rather than by a clock.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::model::base64url::read_u64;

/// One life of a store's memory. A memory that was lost or restored to an earlier state begins another one.
///
/// ```
/// use oauth_runtime::store::Incarnation;
///
/// let incarnation = Incarnation::draw();
/// assert_eq!(Incarnation::from_bits(incarnation.bits()), incarnation);
/// assert_ne!(Incarnation::draw(), incarnation);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Incarnation(u64);

impl Incarnation {
    /// A new random one. It fits a signed 64-bit number, the only kind that some databases have.
    #[must_use]
    pub fn draw() -> Self {
        Incarnation(rand::random::<u64>() >> 1)
    }

    /// The one with this number.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Incarnation(bits)
    }

    /// Its number, to be stored.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }
}

/// Carried by everything that is issued: the incarnation of its subject's bucket, and the sequence there when it was
/// made. Later things have a greater sequence, whatever the clocks say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct AsOf {
    pub(crate) incarnation: Incarnation,
    pub(crate) sequence: u64,
}

/// The text is not an [`AsOf`].
#[derive(Debug, thiserror::Error)]
#[error("not of the form INCARNATION.SEQUENCE")]
pub(crate) struct InvalidAsOf;

impl fmt::Display for AsOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", URL_SAFE_NO_PAD.encode(self.incarnation.0.to_be_bytes()), self.sequence)
    }
}

impl FromStr for AsOf {
    type Err = InvalidAsOf;

    fn from_str(text: &str) -> Result<Self, InvalidAsOf> {
        let (incarnation, sequence) = text.split_once('.').ok_or(InvalidAsOf)?;
        let bits = read_u64(incarnation).ok_or(InvalidAsOf)?;
        Ok(AsOf { incarnation: Incarnation(bits), sequence: sequence.parse().map_err(|_| InvalidAsOf)? })
    }
}

impl TryFrom<String> for AsOf {
    type Error = InvalidAsOf;

    fn try_from(text: String) -> Result<Self, InvalidAsOf> {
        text.parse()
    }
}

impl From<AsOf> for String {
    fn from(as_of: AsOf) -> String {
        as_of.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_was_written() {
        for (bits, sequence) in [(0, 0), (u64::MAX, u64::MAX), (7, 1 << 53)] {
            let as_of = AsOf { incarnation: Incarnation(bits), sequence };
            assert_eq!(as_of.to_string().parse::<AsOf>().expect("its own text"), as_of);
        }
        for text in ["", ".", "AAAAAAAAAAA", "AAAAAAAAAAA.", "AAAAAAAAAAA.-1", "AAAA.1", "AAAAAAAAAAA=.1"] {
            assert!(text.parse::<AsOf>().is_err(), "{text}");
        }
    }
}
