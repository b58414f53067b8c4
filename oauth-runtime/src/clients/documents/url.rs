//! The URL that is a client's id (draft-ietf-oauth-client-id-metadata-document-02 §3).

use std::str::FromStr;

use url::{Host, Url};

use crate::clients::documents::address::Reach;
use crate::clients::documents::hosts::Hosts;
use crate::model::document::Unfit;
use crate::model::issuer::{Issuer, is_loopback};

/// The URL of a document about a client, or of its keys: in the form that a URL parser writes, so that what is
/// compared, shown and fetched is the same.
#[derive(Clone, Debug)]
pub(super) struct DocumentUrl {
    url: Url,
    is_on_loopback: bool,
}

/// Which URLs this service fetches.
pub(super) struct Places {
    hosts: Hosts,
    /// Hosts of this very service, with their ports.
    own: Vec<(String, Option<u16>)>,
    pub(super) reach: Reach,
}

impl FromStr for DocumentUrl {
    type Err = Unfit;

    fn from_str(text: &str) -> Result<Self, Unfit> {
        // A quote or a brace would mean one thing to a page and another to us.
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\"'<>\\^`{|}".contains(&byte);
        if text.len() > MAX_BYTES || !text.bytes().all(is_plain) {
            return Err(Unfit::Url);
        }
        let url = Url::parse(text).map_err(|_| Unfit::Url)?;
        // Draft §3: the parser removes dot segments, even if spelled `%2e`, the default port and upper case
        let is_written_so = url.as_str() == text;
        let has_more = url.fragment().is_some() || !url.username().is_empty() || url.password().is_some();
        if !is_written_so || has_more || !matches!(url.scheme(), "https" | "http") {
            return Err(Unfit::Url);
        }
        let is_on_loopback = is_loopback(&url);
        if is_on_loopback {
            return Ok(DocumentUrl { url, is_on_loopback });
        }
        let is_public_name = match url.host() {
            // A name without a dot, or with one at its end, may be looked up elsewhere than it seems.
            Some(Host::Domain(name)) => {
                name.contains('.') && !name.ends_with('.') && !name.starts_with('.') && !name.ends_with(".localhost")
            }
            Some(Host::Ipv4(_) | Host::Ipv6(_)) | None => false,
        };
        if !is_public_name {
            return Err(Unfit::Host);
        }
        // Only one port is allowed, which the text of a URL leaves out.
        if url.scheme() != "https" || url.port().is_some() {
            return Err(Unfit::Url);
        }
        Ok(DocumentUrl { url, is_on_loopback })
    }
}

impl DocumentUrl {
    pub(super) fn as_str(&self) -> &str {
        self.url.as_str()
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// The host, which is a name or an address of loopback.
    pub(super) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// What a person sees: the host, with the port if there is one.
    pub(super) fn shown(&self) -> String {
        let port = self.url.port().map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}{port}", self.host())
    }
}

impl Places {
    /// `served` are the URLs of this very service besides the issuer.
    pub(super) fn new<'a>(hosts: Hosts, issuer: &'a Issuer, served: impl Iterator<Item = &'a str>) -> Self {
        let own = std::iter::once(issuer.as_str()).chain(served).filter_map(|text| Url::parse(text).ok());
        let own = own.filter_map(|url| Some((url.host_str()?.to_owned(), url.port_or_known_default()))).collect();
        // Plain http is only for loopback.
        let reach = if issuer.is_https() { Reach::Public } else { Reach::AndLoopback };
        Places { hosts, own, reach }
    }

    /// A URL that may be fetched.
    pub(super) fn parse(&self, text: &str) -> Result<DocumentUrl, Unfit> {
        let url: DocumentUrl = text.parse()?;
        let port = url.url.port_or_known_default();
        let is_own = |(host, own_port): &(String, Option<u16>)| match url.is_on_loopback {
            // On one machine a port is a service of its own.
            true => host == url.host() && *own_port == port,
            false => host == url.host(),
        };
        if (url.is_on_loopback && self.reach == Reach::Public) || self.own.iter().any(is_own) {
            return Err(Unfit::Host);
        }
        if self.let_in(&url) { Ok(url) } else { Err(Unfit::NotLetIn) }
    }

    /// Whether the author accepts its host now, which may change.
    pub(super) fn let_in(&self, url: &DocumentUrl) -> bool {
        self.hosts.have(url.host())
    }
}

/// A code, whose client it names, has little room.
const MAX_BYTES: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn places(issuer: &str) -> Places {
        let issuer: Issuer = issuer.parse().expect("an issuer");
        Places::new(Hosts::any(), &issuer, ["https://api.notes.example/mcp"].into_iter())
    }

    fn refusal(issuer: &str, text: &str) -> Option<Unfit> {
        places(issuer).parse(text).err()
    }

    #[test]
    fn a_url_of_a_document_is_https_with_a_path_and_written_in_one_way() {
        let https = "https://notes.example";
        for good in [
            "https://claude.ai/oauth/claude-code-client-metadata",
            "https://vscode.dev/oauth/client-metadata.json",
            "https://app.example/",
            "https://app.example/a?b=c",
            "https://xn--mnchen-3ya.example/a%20b",
            "https://app.example/a//b",
            "https://app.example/.well-known/client",
            "https://app.example/...",
        ] {
            let parsed = places(https).parse(good).expect(good);
            assert_eq!(parsed.as_str(), good);
        }
        let long = format!("https://app.example/{}", "a".repeat(MAX_BYTES));
        for bad in [
            "http://app.example/a",
            "https://app.example",
            "https://app.example/a#b",
            "https://app.example/a#",
            "https://me@app.example/a",
            "https://me:secret@app.example/a",
            "https://@app.example/a",
            "https://app.example:443/a",
            "https://app.example:8443/a",
            "https://app.example/a/../b",
            "https://app.example/a/./b",
            "https://app.example/..",
            "https://app.example/%2e%2e/b",
            "https://app.example/a/%2E/b",
            "https://app.example/.%2e",
            "https://APP.example/a",
            "HTTPS://app.example/a",
            "https://münchen.example/a",
            "https:\\\\app.example\\a",
            "https:/app.example/a",
            "https://app.example/a b",
            "https://app.example/\"",
            "https://0x7f.1/a",
            "https://2130706433/a",
            "ftp://app.example/a",
            "data:application/json,{}",
            "app",
            "",
            &long,
        ] {
            assert_eq!(refusal(https, bad), Some(Unfit::Url), "{bad}");
        }
    }

    #[test]
    fn the_host_is_a_public_name_and_never_the_service_s_own() {
        let https = "https://notes.example";
        for bad in [
            "https://8.8.8.8/a",
            "https://[2606:4700::1111]/a",
            "https://[::ffff:7f00:1]/a",
            "https://127.0.0.1/a",
            "https://[::1]/a",
            "https://localhost/a",
            "http://localhost:8000/a",
            "https://app.localhost/a",
            "https://intranet/a",
            "https://app.example./a",
            "https://notes.example/client",
            "https://api.notes.example/client",
        ] {
            assert_eq!(refusal(https, bad), Some(Unfit::Host), "{bad}");
        }
        let some = Places { hosts: Hosts::of(["claude.ai"]), ..places(https) };
        assert_eq!(some.parse("https://app.example/a").err(), Some(Unfit::NotLetIn));
        assert!(some.parse("https://claude.ai/a").is_ok());
    }

    #[test]
    fn a_service_on_loopback_asks_other_services_on_loopback() {
        let local = "http://127.0.0.1:8000";
        for good in ["http://127.0.0.1:8001/a", "http://localhost:8000/a", "https://[::1]:9/a", "https://app.example/a"]
        {
            assert!(places(local).parse(good).is_ok(), "{good}");
        }
        for bad in ["http://127.0.0.1:8000/a", "http://10.0.0.1/a", "http://127.0.0.1.evil.example/a"] {
            assert!(places(local).parse(bad).is_err(), "{bad}");
        }
        assert_eq!(places(local).parse("http://127.0.0.1:8001/a").expect("a URL").shown(), "127.0.0.1:8001");
    }
}
