//! A page of the application itself, and what it requires of its user.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A path on this origin with its query, to which a browser may be sent back: however it is read, it leads to no other
/// host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct LocalPath(String);

impl LocalPath {
    /// The address of a request, to come back to: with its query if there is room for that.
    pub(crate) fn of(path: &str, query: &str) -> Self {
        let whole = LocalPath::parse(&format!("{path}?{query}")).filter(|_| !query.is_empty());
        whole.or_else(|| LocalPath::parse(path)).unwrap_or_default()
    }

    /// `None` if a browser could read it as anything but a path (WHATWG URL §4.4: `\` counts as `/`, and a tab is
    /// ignored).
    fn parse(text: &str) -> Option<Self> {
        let leads_elsewhere = text.starts_with("//") || text.contains(['\\', '#']);
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        let is_local = text.starts_with('/') && !leads_elsewhere && is_plain && text.len() <= MAX_BYTES;
        is_local.then(|| LocalPath(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The root.
impl Default for LocalPath {
    fn default() -> Self {
        LocalPath("/".to_owned())
    }
}

/// A page that waits for someone to sign in: it travels sealed in the URL of the sign-in.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct PageRequest {
    #[serde(rename = "p")]
    pub(crate) page: LocalPath,
    /// Whether the user signs in even if they are signed in already.
    #[serde(rename = "n", default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) anew: bool,
    /// In one of these ways, if any are named.
    #[serde(rename = "c", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) acr: Vec<String>,
}

impl PageRequest {
    /// How long the sign-in page can be reloaded. After that the page itself asks again.
    pub(crate) const LIFETIME: Duration = Duration::from_secs(3600);
}

/// It has to fit into an answer together with the session's cookie.
const MAX_BYTES: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_to_come_back_to_is_a_path_of_this_origin() {
        let long = "x".repeat(MAX_BYTES);
        for (path, query, back) in [
            ("/app", "", "/app"),
            ("/app/notes", "q=a%20b&page=2", "/app/notes?q=a%20b&page=2"),
            ("/a//b", "x=//evil.example", "/a//b?x=//evil.example"),
            ("/app", &long, "/app"),
            (&format!("/{long}"), "", "/"),
            ("//evil.example", "", "/"),
            ("///evil.example", "", "/"),
            ("/\\evil.example", "", "/"),
            ("\\\\evil.example", "", "/"),
            ("https://evil.example/", "", "/"),
            ("javascript:alert(1)", "", "/"),
            ("evil.example", "", "/"),
            ("", "", "/"),
            ("/\t/evil.example", "", "/"),
            ("/\n/evil.example", "", "/"),
            ("/a\r\nset-cookie: x", "", "/"),
            ("/a b", "", "/"),
            ("/é", "", "/"),
            ("/app", "a\r\nset-cookie: x", "/app"),
            ("/app", "a#b", "/app"),
        ] {
            assert_eq!(LocalPath::of(path, query).as_str(), back, "{path:?} ? {query:?}");
        }
    }
}
