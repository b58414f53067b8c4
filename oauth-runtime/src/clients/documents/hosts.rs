//! The hosts whose documents about clients are accepted.

use std::fmt;
use std::sync::Arc;

/// The hosts whose documents about clients are accepted, for
/// [`Builder::client_documents`](crate::Builder::client_documents).
///
/// ```
/// use oauth_runtime::Hosts;
///
/// let any = Hosts::any();
/// let some = Hosts::of(["claude.ai", "*.example.com"]);
/// let known = ["claude.ai".to_owned()];
/// let looked_up = Hosts::by(move |host| known.iter().any(|known| known == host));
/// assert_eq!(format!("{some:?}"), "Hosts(claude.ai *.example.com)");
/// # let _ = (any, looked_up);
/// ```
#[derive(Clone)]
pub struct Hosts(Kind);

#[derive(Clone)]
enum Kind {
    Any,
    Of(Vec<String>),
    By(Arc<dyn Fn(&str) -> bool + Send + Sync>),
}

impl Hosts {
    /// Every host that is on the public internet.
    #[must_use]
    pub fn any() -> Self {
        Hosts(Kind::Any)
    }

    /// These hosts, in lower case and ASCII, as in a URL; `*.example.com` for all below `example.com`.
    #[must_use]
    pub fn of<H: Into<String>>(hosts: impl IntoIterator<Item = H>) -> Self {
        Hosts(Kind::Of(hosts.into_iter().map(Into::into).collect()))
    }

    /// The hosts for which a function returns `true`, such as one that reads a list of your own. It is called often,
    /// and must not block. A host for which it returns `false` has no clients from then on; their access tokens go on
    /// until they expire.
    #[must_use]
    pub fn by(lets_in: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Hosts(Kind::By(Arc::new(lets_in)))
    }

    /// The first host that no URL can have.
    pub(crate) fn unusable(&self) -> Option<&str> {
        match &self.0 {
            Kind::Any | Kind::By(_) => None,
            Kind::Of(hosts) => {
                hosts.iter().map(String::as_str).find(|host| !is_host(host.strip_prefix("*.").unwrap_or(host)))
            }
        }
    }

    pub(super) fn have(&self, host: &str) -> bool {
        match &self.0 {
            Kind::Any => true,
            Kind::Of(hosts) => hosts.iter().any(|listed| match listed.strip_prefix("*.") {
                Some(parent) => host.strip_suffix(parent).is_some_and(|below| below.len() > 1 && below.ends_with('.')),
                None => host == listed,
            }),
            Kind::By(lets_in) => lets_in(host),
        }
    }
}

impl fmt::Debug for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Any => f.write_str("Hosts(any)"),
            Kind::Of(hosts) => write!(f, "Hosts({})", hosts.join(" ")),
            Kind::By(_) => f.write_str("Hosts(by a function)"),
        }
    }
}

/// Whether it is written as by a URL parser.
fn is_host(text: &str) -> bool {
    if text.contains('*') {
        return false;
    }
    let url = url::Url::parse(&format!("https://{text}/"));
    url.is_ok_and(|url| url.host_str() == Some(text) && url.as_str() == format!("https://{text}/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_compared_whole() {
        let hosts = Hosts::of(["claude.ai", "*.example.com"]);
        for host in ["claude.ai", "a.example.com", "a.b.example.com"] {
            assert!(hosts.have(host) && Hosts::any().have(host), "{host}");
        }
        for host in [
            "xclaude.ai",
            "claude.ai.evil.example",
            "example.com",
            ".example.com",
            "evilexample.com",
            "a.claude.ai",
            "",
        ] {
            assert!(!hosts.have(host), "{host}");
        }
        let even = Hosts::by(|host| host.len() % 2 == 0);
        assert!(even.have("ab.c") && !even.have("a.c"));
    }

    #[test]
    fn what_no_url_can_have_is_found() {
        for bad in
            ["Claude.ai", "claude.ai:443", "https://claude.ai", "*", "*.*.example", "a/b", "münchen.example", "", "*."]
        {
            assert_eq!(Hosts::of(["claude.ai", bad]).unusable(), Some(bad), "{bad}");
        }
        assert_eq!(Hosts::of(["claude.ai", "*.example.com", "xn--mnchen-3ya.example", "127.0.0.1"]).unusable(), None);
    }
}
