//! The scope of an authorization (RFC 6749 §3.3).

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A set of scopes, such as `notes:read notes:write`: without order and without repetition.
///
/// ```
/// use oauth_runtime::Scope;
///
/// let scope: Scope = "notes:write notes:read".parse().unwrap();
/// assert_eq!(scope.to_string(), "notes:read notes:write");
/// assert!(scope.contains("notes:read"));
/// assert!("notes:read".parse::<Scope>().unwrap().is_subset(&scope));
/// assert!("notes:\"read\"".parse::<Scope>().is_err());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Scope(BTreeSet<String>);

/// Why a text is not a scope.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidScope {
    /// A character outside `%x21 / %x23-5B / %x5D-7E`.
    #[error("a scope has a character that RFC 6749 section 3.3 does not allow")]
    Character,
    /// Longer than [`Scope::MAX_BYTES`].
    #[error("a scope is longer than {} bytes", Scope::MAX_BYTES)]
    TooLong,
}

crate::model::debug_as_text!(InvalidScope);

impl Scope {
    /// The longest text, in bytes, that can be [parsed](str::parse) as a scope: this bounds a scope that the builder's
    /// [`scope`](crate::Builder::scope) declares, and all that a request asks for, including the spaces. A longer
    /// parameter `scope` is `invalid_request`, a longer declaration a [`BuildError::Scope`](crate::BuildError::Scope).
    /// A granted scope may be longer, as with a long `default_scope`.
    pub const MAX_BYTES: usize = 1024;

    /// Whether it is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it contains this one scope.
    #[must_use]
    pub fn contains(&self, token: &str) -> bool {
        self.0.contains(token)
    }

    /// Whether `other` contains all of this.
    #[must_use]
    pub fn is_subset(&self, other: &Scope) -> bool {
        self.0.is_subset(&other.0)
    }

    /// Its scopes, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The part that is in the other as well.
    pub(crate) fn within(&self, other: &Scope) -> Scope {
        Scope(self.0.intersection(&other.0).cloned().collect())
    }

    pub(crate) fn extend<'a>(&mut self, tokens: impl IntoIterator<Item = &'a str>) {
        self.0.extend(tokens.into_iter().map(str::to_owned));
    }
}

impl FromStr for Scope {
    type Err = InvalidScope;

    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        if text.len() > Scope::MAX_BYTES {
            return Err(InvalidScope::TooLong);
        }
        Scope::of_any_length(text)
    }
}

impl Scope {
    /// A stored scope may have been joined from several requests.
    fn of_any_length(text: &str) -> Result<Self, InvalidScope> {
        let allowed = |byte: u8| matches!(byte, b' ' | 0x21 | 0x23..=0x5B | 0x5D..=0x7E);
        if !text.bytes().all(allowed) {
            return Err(InvalidScope::Character);
        }
        Ok(Scope(text.split(' ').filter(|token| !token.is_empty()).map(str::to_owned).collect()))
    }
}

impl TryFrom<String> for Scope {
    type Error = InvalidScope;

    fn try_from(text: String) -> Result<Self, InvalidScope> {
        Scope::of_any_length(&text)
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> String {
        scope.to_string()
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, token) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(token)?;
        }
        Ok(())
    }
}
