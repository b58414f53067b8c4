//! What tokens are for (RFC 8707).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A set of resources, each known to the service. Empty: none was named, which means the service's own audience.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Resources(BTreeSet<String>);

/// A resource was asked for that was not granted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotGranted;

impl Resources {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn has(&self, resource: &str) -> bool {
        self.0.contains(resource)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    pub(crate) fn is_subset(&self, other: &Resources) -> bool {
        self.0.is_subset(&other.0)
    }

    /// What of it is in the other as well.
    pub(crate) fn within(&self, other: &Resources) -> Resources {
        Resources(self.0.intersection(&other.0).cloned().collect())
    }

    /// With the service's own audience by its name.
    pub(crate) fn named(&self, own: &str) -> Resources {
        if self.is_empty() { [own].into_iter().collect() } else { self.clone() }
    }

    pub(crate) fn join(&mut self, other: &Resources) {
        self.0.extend(other.0.iter().cloned());
    }

    /// What a token is for that is asked for out of this grant: all of it where nothing is named (RFC 8707 §2.2).
    pub(crate) fn narrowed(&self, asked: Resources, own: &str) -> Result<Resources, NotGranted> {
        let granted = |resource: &String| self.0.contains(resource) || (self.is_empty() && resource == own);
        if asked.is_empty() {
            Ok(self.clone())
        } else if asked.0.iter().all(granted) {
            Ok(asked)
        } else {
            Err(NotGranted)
        }
    }

    /// RFC 7519 §4.1.3: one is a string, several are a list.
    pub(crate) fn audience(&self, own: &str) -> Value {
        let mut resources = self.0.iter();
        match (resources.next(), resources.next()) {
            (None, _) => json!(own),
            (Some(one), None) => json!(one),
            (Some(_), Some(_)) => json!(self.0),
        }
    }
}

impl<'a> FromIterator<&'a str> for Resources {
    fn from_iter<I: IntoIterator<Item = &'a str>>(resources: I) -> Self {
        Resources(resources.into_iter().map(str::to_owned).collect())
    }
}

/// RFC 8707 §2: an absolute URI without a fragment. Bounded, since it travels in the code.
pub(crate) fn is_resource(text: &str) -> bool {
    text.len() <= 256 && url::Url::parse(text).is_ok_and(|url| url.fragment().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> Resources {
        text.split_whitespace().collect()
    }

    #[test]
    fn what_is_asked_for_is_within_what_was_granted() {
        assert_eq!(set("a b").narrowed(set(""), "own"), Ok(set("a b")));
        assert_eq!(set("a b").narrowed(set("b"), "own"), Ok(set("b")));
        assert_eq!(set("a b").narrowed(set("b c"), "own"), Err(NotGranted));
        assert_eq!(set("a").narrowed(set("own"), "own"), Err(NotGranted));
        assert_eq!(set("").narrowed(set("own"), "own"), Ok(set("own")));
        assert_eq!(set("").narrowed(set("a"), "own"), Err(NotGranted));
    }

    #[test]
    fn one_is_a_string_and_several_are_a_list() {
        assert_eq!(set("").audience("own"), json!("own"));
        assert_eq!(set("a").audience("own"), json!("a"));
        assert_eq!(set("b a a").audience("own"), json!(["a", "b"]));
    }
}
