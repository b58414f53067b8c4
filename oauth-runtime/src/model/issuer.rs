//! The issuer: the server's name, from which its addresses are made.

use std::fmt;
use std::str::FromStr;

use url::Url;

use crate::model::written::{after_user, first_of, has, host, is, is_normal, is_on_loopback, own_port, web};

/// An issuer identifier (RFC 8414 §2): https, or http on loopback; no query, no fragment.
#[derive(Clone, Debug)]
pub(crate) struct Issuer {
    text: String,
    url: Url,
    origin: String,
    userinfo: String,
}

/// Why a text is not an issuer.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidIssuer {
    /// It is not an absolute http or https URL.
    NotAUrl,
    /// It is http and not on loopback.
    PlainHttp,
    /// It has a query, a fragment, a user name or a password.
    ExtraParts,
    /// Its path has characters other than letters, digits and `-._~/`, or an empty or dotted segment.
    Path,
    /// It is the address at which its metadata is, and not the issuer's own.
    WellKnown,
}

impl InvalidIssuer {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            InvalidIssuer::NotAUrl => {
                "it must be an absolute URL in normal form, such as https://notes.example: lower-case scheme and host, no port \
                 that is the scheme's own, no spaces or quotes around it"
            }
            InvalidIssuer::PlainHttp => {
                "plain http is for loopback only, such as http://127.0.0.1:8000 or http://localhost:8000; elsewhere write https"
            }
            InvalidIssuer::ExtraParts => "it must have no query, no fragment and no user name",
            InvalidIssuer::Path => "its path may have letters, digits and -._~ between single slashes",
            InvalidIssuer::WellKnown => {
                "it is the address of a document about the issuer: leave /.well-known and what follows it out"
            }
        }
    }
}

impl fmt::Display for InvalidIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl std::error::Error for InvalidIssuer {}

crate::model::debug_as_text!(InvalidIssuer);

impl Issuer {
    /// As configured: the value of `iss`.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Scheme, host and port.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// Host and port.
    pub(crate) fn host(&self) -> &str {
        host_of(&self.origin)
    }

    /// Empty, or a path such as `/tenant`, with which every path of this server begins.
    pub(crate) fn path(&self) -> &str {
        path(&self.url)
    }

    /// The audience of a token that is only for `/userinfo`: a name, wherever that URL is.
    pub(crate) fn userinfo(&self) -> &str {
        &self.userinfo
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
        if let Some(why) = broken_rule(text) {
            return Err(why);
        }
        let url = Url::parse(text).map_err(|_| InvalidIssuer::NotAUrl)?;
        // The text and the URL must be the same. RFC 8414 §3.3 compares issuers as strings, so one that a URL parser
        // would rewrite matches nothing.
        let rewritten = url.as_str();
        if rewritten != text && rewritten.strip_suffix('/') != Some(text) {
            return Err(InvalidIssuer::NotAUrl);
        }
        let origin = url.origin().ascii_serialization();
        let userinfo = format!("{origin}{}/userinfo", path(&url));
        Ok(Issuer { text: text.to_owned(), url, origin, userinfo })
    }
}

fn path(url: &Url) -> &str {
    url.path().trim_end_matches('/')
}

/// Which rule a text breaks, at compile time and at start-up. Only names in other scripts (`xn--`) are left to a
/// parser.
pub(crate) const fn broken_rule(text: &str) -> Option<InvalidIssuer> {
    let Some((authority, mut path)) = web(text.as_bytes()) else { return Some(InvalidIssuer::NotAUrl) };
    let is_https = text.as_bytes()[4] == b's';
    if !is_normal(after_user(authority), own_port(text.as_bytes())) {
        return Some(InvalidIssuer::NotAUrl);
    }
    if !is_https && !is_on_loopback(host(authority)) {
        return Some(InvalidIssuer::PlainHttp);
    }
    if has(path, b"?#") || has(authority, b"@") {
        return Some(InvalidIssuer::ExtraParts);
    }
    while let [before @ .., b'/'] = path {
        path = before;
    }
    if !is_plain(path) {
        return Some(InvalidIssuer::Path);
    }
    // RFC 8414 §3.1: the metadata's address is made of the issuer's, and not the other way round
    if has_segment(path, b".well-known") { Some(InvalidIssuer::WellKnown) } else { None }
}

/// Host and port of an origin.
pub(crate) fn host_of(origin: &str) -> &str {
    origin.split_once("://").map_or(origin, |(_, host)| host)
}

/// Whether the host is this machine: `localhost`, `127.0.0.0/8` or `::1`.
pub(crate) fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(|host| is_on_loopback(host.as_bytes()))
}

/// Whether a path is empty or `/a/b`: nothing in it has a meaning for a router or a URL parser.
pub(crate) fn is_plain_path(path: &str) -> bool {
    is_plain(path.as_bytes())
}

const fn is_plain(mut path: &[u8]) -> bool {
    while let [b'/', rest @ ..] = path {
        let (segment, after) = rest.split_at(first_of(rest, b"/"));
        if segment.is_empty() || is(segment, b".") || is(segment, b"..") || !is_of_segments(segment) {
            return false;
        }
        path = after;
    }
    path.is_empty()
}

const fn has_segment(mut path: &[u8], wanted: &[u8]) -> bool {
    while let [b'/', rest @ ..] = path {
        let (segment, after) = rest.split_at(first_of(rest, b"/"));
        if is(segment, wanted) {
            return true;
        }
        path = after;
    }
    false
}

const fn is_of_segments(mut bytes: &[u8]) -> bool {
    while let [byte, rest @ ..] = bytes {
        if !byte.is_ascii_alphanumeric() && !matches!(byte, b'-' | b'.' | b'_' | b'~') {
            return false;
        }
        bytes = rest;
    }
    true
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
            ("http://me@127.0.0.1", InvalidIssuer::ExtraParts),
            ("http://127.0.0.1@notes.example", InvalidIssuer::PlainHttp),
            ("http://localhost:80@notes.example", InvalidIssuer::PlainHttp),
            ("http://localhost.notes.example", InvalidIssuer::PlainHttp),
            ("http://[::2]", InvalidIssuer::PlainHttp),
            ("http://[::1].notes.example", InvalidIssuer::NotAUrl),
            ("https://", InvalidIssuer::NotAUrl),
            ("https:///a", InvalidIssuer::NotAUrl),
            ("https://notes.example:0", InvalidIssuer::NotAUrl),
            ("https://*.notes.example", InvalidIssuer::NotAUrl),
            ("https://notes.example/..", InvalidIssuer::Path),
            ("https://notes.example/{id}", InvalidIssuer::Path),
            ("https://notes.example/a//b", InvalidIssuer::Path),
            ("https://notes.example/.well-known/openid-configuration", InvalidIssuer::WellKnown),
            ("https://notes.example/a/.well-known", InvalidIssuer::WellKnown),
        ] {
            assert_eq!(bad.parse::<Issuer>().expect_err(bad), why, "{bad}");
        }
        // Only a name in another script is checked at start-up.
        for (text, rest) in
            [("https://xn--a-ecp.ru", true), ("https://notes.example:443", false), ("https://a:99999", false)]
        {
            assert!(text.parse::<Issuer>().is_err(), "{text}");
            assert_eq!(broken_rule(text).is_none(), rest, "{text}");
        }
        let issuer: Issuer = "https://notes.example/a/".parse().expect("an issuer");
        assert_eq!(issuer.path(), "/a");
        assert_eq!(issuer.well_known("oauth-authorization-server"), "/.well-known/oauth-authorization-server/a");
    }
}
