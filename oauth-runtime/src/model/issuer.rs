//! The issuer: the server's name, and what its addresses are made of.

use std::str::FromStr;

use url::{Host, Url};

/// An issuer identifier (RFC 8414 §2): https, or http on loopback; no query, no fragment.
#[derive(Clone, Debug)]
pub(crate) struct Issuer {
    text: String,
    url: Url,
}

/// Why a text is no issuer.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIssuer {
    /// It is not an absolute http or https URL.
    #[error("it must be an absolute URL in normal form, such as https://notes.example")]
    NotAUrl,
    /// It is http and not on loopback.
    #[error("plain http is for loopback only; elsewhere write https")]
    PlainHttp,
    /// It has a query, a fragment, a user name or a password.
    #[error("it must have no query, no fragment and no user name")]
    ExtraParts,
    /// Its path has characters other than letters, digits and `-._~/`, or an empty or dotted segment.
    #[error("its path may have letters, digits and -._~ between single slashes")]
    Path,
}

crate::model::debug_as_text!(InvalidIssuer);

impl Issuer {
    /// As configured: the value of `iss`.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Scheme, host and port.
    pub(crate) fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// Empty, or `/tenant`: what every path of this server begins with.
    pub(crate) fn path(&self) -> &str {
        self.url.path().trim_end_matches('/')
    }

    /// The audience of a token that is for `/userinfo` alone: a name, wherever that URL is.
    pub(crate) fn userinfo(&self) -> String {
        format!("{}{}/userinfo", self.origin(), self.path())
    }

    pub(crate) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The path of a metadata document: the well-known part comes before the issuer's path (RFC 8414 §3).
    pub(crate) fn well_known(&self, name: &str) -> String {
        format!("/.well-known/{name}{}", self.path())
    }
}

impl FromStr for Issuer {
    type Err = InvalidIssuer;

    fn from_str(text: &str) -> Result<Self, InvalidIssuer> {
        let url = Url::parse(text).map_err(|_| InvalidIssuer::NotAUrl)?;
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return Err(InvalidIssuer::PlainHttp),
            _ => return Err(InvalidIssuer::NotAUrl),
        }
        if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidIssuer::ExtraParts);
        }
        if !is_plain_path(url.path().trim_end_matches('/')) {
            return Err(InvalidIssuer::Path);
        }
        // RFC 8414 §3.3 compares issuers as strings: one that a URL parser would rewrite compares with nothing.
        let rewritten = url.as_str();
        if rewritten != text && rewritten.strip_suffix('/') != Some(text) {
            return Err(InvalidIssuer::NotAUrl);
        }
        Ok(Issuer { text: text.to_owned(), url })
    }
}

/// Whether the host is this machine: `localhost`, `127.0.0.0/8` or `::1`.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Whether a path is empty or `/a/b`: nothing in it has a meaning for a router or a URL parser.
pub(crate) fn is_plain_path(path: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    path.is_empty()
        || path.strip_prefix('/').is_some_and(|rest| {
            rest.split('/')
                .all(|segment| !segment.is_empty() && segment != "." && segment != ".." && segment.bytes().all(plain))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuers() {
        for good in [
            "https://notes.example",
            "https://notes.example/",
            "https://notes.example/a/b",
            "http://127.0.0.1:8000",
            "http://[::1]:1",
            "http://localhost:3000",
        ] {
            assert_eq!(good.parse::<Issuer>().expect(good).as_str(), good);
        }
        for (bad, why) in [
            ("notes.example", InvalidIssuer::NotAUrl),
            ("ftp://notes.example", InvalidIssuer::NotAUrl),
            ("https://Notes.example", InvalidIssuer::NotAUrl),
            ("https://notes.example:443", InvalidIssuer::NotAUrl),
            ("http://notes.example", InvalidIssuer::PlainHttp),
            ("http://127.0.0.1.evil.example", InvalidIssuer::PlainHttp),
            ("https://notes.example?a", InvalidIssuer::ExtraParts),
            ("https://notes.example#a", InvalidIssuer::ExtraParts),
            ("https://me@notes.example", InvalidIssuer::ExtraParts),
            ("https://notes.example/{id}", InvalidIssuer::Path),
            ("https://notes.example/a//b", InvalidIssuer::Path),
        ] {
            assert_eq!(bad.parse::<Issuer>().expect_err(bad), why, "{bad}");
        }
        let issuer: Issuer = "https://notes.example/a/".parse().expect("an issuer");
        assert_eq!(issuer.path(), "/a");
        assert_eq!(issuer.well_known("oauth-authorization-server"), "/.well-known/oauth-authorization-server/a");
    }
}
