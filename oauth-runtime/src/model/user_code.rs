//! The code that a device shows, for its user to type elsewhere (RFC 8628 §6.1).

use std::fmt;

use rand::RngExt as _;
use serde::{Deserialize, Serialize};

/// Eight letters that do not look alike and do not make words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct UserCode(String);

impl UserCode {
    /// One of 20^8, which is 34 bits.
    pub(crate) fn draw() -> Self {
        let mut random = rand::rng();
        let letter = |_| char::from(LETTERS[random.random_range(0..LETTERS.len())]);
        UserCode((0..LENGTH).map(letter).collect())
    }

    /// As a person types it: in any case, with any other characters in between (RFC 8628 §6.1).
    pub(crate) fn parse(typed: &str) -> Option<Self> {
        let letters = typed.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase());
        let code: String = letters.collect();
        let is_one = code.len() == LENGTH && code.bytes().all(|letter| LETTERS.contains(&letter));
        is_one.then_some(UserCode(code))
    }

    /// Without the dash.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// As it is shown: `WDJB-MJHT`.
impl fmt::Display for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, second) = self.0.split_at_checked(LENGTH / 2).unwrap_or((&self.0, ""));
        write!(f, "{first}-{second}")
    }
}

/// RFC 8628 §6.1: without vowels, so that none makes a word, and without `Y`.
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const LENGTH: usize = 8;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn one_is_read_as_it_is_shown_and_as_people_type_it() {
        let code = UserCode::parse("WDJB-MJHT").expect("a code");
        assert_eq!(code.to_string(), "WDJB-MJHT");
        for typed in ["wdjbmjht", " wdjb mjht ", "W.D.J.B\u{2013}MJHT", "wdjb_mjht\n"] {
            assert_eq!(UserCode::parse(typed), Some(code.clone()), "{typed:?}");
        }
        for typed in ["", "WDJB", "WDJB-MJHTT", "WDJB-MJHA", "WDJB-MJH1", "WDJB-MJHÜ"] {
            assert_eq!(UserCode::parse(typed), None, "{typed:?}");
        }
    }

    #[test]
    fn all_letters_are_drawn_and_no_other() {
        let drawn: Vec<UserCode> = (0..1_000).map(|_| UserCode::draw()).collect();
        let letters: BTreeSet<u8> = drawn.iter().flat_map(|code| code.0.bytes()).collect();
        assert_eq!(letters, LETTERS.iter().copied().collect());
        assert!(drawn.iter().all(|code| UserCode::parse(&code.to_string()).as_ref() == Some(code)));
    }
}
