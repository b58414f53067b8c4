//! What tokens are for (RFC 8707).

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A resource as it is spelled. It equals its other spellings, since clients send what their URL library made of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub(crate) struct Resource {
    spelling: String,
    /// The same for each of its spellings.
    meant: String,
}

/// A set of resources, each known to the service. Empty: none was named, which means the service's own audience.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Resources(BTreeSet<Resource>);

/// A resource was asked for that was not granted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotGranted;

impl Resource {
    pub(crate) fn as_str(&self) -> &str {
        &self.spelling
    }
}

impl From<String> for Resource {
    fn from(spelling: String) -> Self {
        Resource { meant: meant(&spelling), spelling }
    }
}

impl From<&str> for Resource {
    fn from(spelling: &str) -> Self {
        Resource::from(spelling.to_owned())
    }
}

impl From<Resource> for String {
    fn from(resource: Resource) -> String {
        resource.spelling
    }
}

impl PartialEq for Resource {
    fn eq(&self, other: &Self) -> bool {
        self.meant == other.meant
    }
}

impl Eq for Resource {}

impl Ord for Resource {
    fn cmp(&self, other: &Self) -> Ordering {
        self.meant.cmp(&other.meant)
    }
}

impl PartialOrd for Resource {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// RFC 3986 §6.2.2.1 and §6.2.3: scheme and host in lower case, no default port, an empty path is `/`. A trailing slash
/// is removed as well. Nothing else is changed: encoded characters and dots in a path may matter.
fn meant(spelling: &str) -> String {
    let Some((scheme, rest)) = spelling.split_once("://") else { return spelling.to_owned() };
    let scheme = scheme.to_ascii_lowercase();
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (user, host) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
    let host = host.to_ascii_lowercase();
    let default_port = match scheme.as_str() {
        "https" => ":443",
        "http" => ":80",
        _ => "",
    };
    let host = host.strip_suffix(default_port).unwrap_or(&host);
    let (path, query) = path.split_at(path.find(['?', '#']).unwrap_or(path.len()));
    let path = path.strip_suffix('/').unwrap_or(path);
    format!("{scheme}://{user}{host}{path}{query}")
}

impl Resources {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them has this spelling.
    pub(crate) fn has(&self, resource: &str) -> bool {
        self.iter().any(|known| known == resource)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(Resource::as_str)
    }

    pub(crate) fn is_subset(&self, other: &Resources) -> bool {
        self.0.is_subset(&other.0)
    }

    /// The part that is in the other as well, as the other spells it.
    pub(crate) fn within(&self, other: &Resources) -> Resources {
        Resources(other.0.intersection(&self.0).cloned().collect())
    }

    /// With the service's own audience by its name.
    pub(crate) fn named(&self, own: &str) -> Resources {
        if self.is_empty() { [own].into_iter().collect() } else { self.clone() }
    }

    pub(crate) fn join(&mut self, other: &Resources) {
        self.0.extend(other.0.iter().cloned());
    }

    /// What a token requested from this grant is for: all of it if nothing is named (RFC 8707 §2.2).
    pub(crate) fn narrowed(&self, asked: Resources, own: &str) -> Result<Resources, NotGranted> {
        if asked.is_empty() {
            return Ok(self.clone());
        }
        let own = Resource::from(own);
        let granted = |resource: &Resource| self.0.contains(resource) || (self.is_empty() && *resource == own);
        if asked.0.iter().all(granted) { Ok(asked) } else { Err(NotGranted) }
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
        Resources(resources.into_iter().map(Resource::from).collect())
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
    fn c24_a_resource_is_one_however_a_url_library_spells_it() {
        let same = |one: &str, other: &str| Resource::from(one) == Resource::from(other);
        for spelling in
            ["https://api.example", "https://api.example/", "HTTPS://API.example:443", "https://api.example:443/"]
        {
            assert!(same("https://api.example", spelling), "{spelling}");
        }
        for (one, other) in [
            ("https://api.example/v1", "https://api.example/v1/"),
            ("https://api.example?a=b", "https://api.example/?a=b"),
            ("http://127.0.0.1:80", "http://127.0.0.1/"),
            ("http://[::1]:80/mcp", "HTTP://[::1]/mcp/"),
            ("notes", "notes"),
        ] {
            assert!(same(one, other), "{one} {other}");
        }
        for (one, other) in [
            ("https://api.example/v1", "https://api.example/V1"),
            ("https://api.example/v1", "https://api.example/v1//"),
            ("https://api.example/a/../v1", "https://api.example/v1"),
            ("https://api.example/%76", "https://api.example/v"),
            ("https://api.example/v1?a", "https://api.example/v1?A"),
            ("https://api.example:80", "https://api.example"),
            ("http://api.example", "https://api.example"),
            ("https://api.example:8443", "https://api.example"),
            ("https://Me@api.example", "https://me@api.example"),
            ("https://api.example.", "https://api.example"),
            ("notes", "notes/"),
            ("urn:notes", "urn:Notes"),
        ] {
            assert!(!same(one, other), "{one} {other}");
        }
        let registered: Resources = set("https://api.example/ https://files.example/v1");
        let within = set("https://API.example https://files.example/v1/ https://x.example").within(&registered);
        assert_eq!(within.iter().collect::<Vec<_>>(), ["https://api.example/", "https://files.example/v1"]);
    }

    #[test]
    fn one_is_a_string_and_several_are_a_list() {
        assert_eq!(set("").audience("own"), json!("own"));
        assert_eq!(set("a").audience("own"), json!("a"));
        assert_eq!(set("b a a").audience("own"), json!(["a", "b"]));
    }
}
