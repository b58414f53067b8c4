//! Where a browser may be sent with a code (RFC 9700 §2.1, RFC 8252 §7).

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

use crate::model::bytes::all_bytes;
use crate::model::issuer::{host_of, is_loopback};
use crate::model::written::{self, begins, first_of, has, host, is, is_normal, is_on_loopback, number, own_port, web};

/// A redirect URI as a client registers it.
#[derive(Clone, Debug)]
pub(crate) struct RedirectUri {
    text: String,
    kind: Kind,
    is_vouched_for: bool,
}

#[derive(Clone, Debug)]
enum Kind {
    /// https, or `http://localhost` with its exact port.
    Web { origin: String },
    /// `http://127.0.0.1` or `http://[::1]`, or `http://localhost` without a port: `before` the port and `after` it.
    Loopback { before: String, after: String },
    /// `com.example.app:/callback`
    PrivateScheme { scheme: String },
}

/// A redirect URI as it was in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Destination {
    /// As requested, byte for byte.
    pub(crate) uri: String,
    /// What a form's Content-Security-Policy must name for the redirect to be followed.
    pub(crate) source: String,
    /// What a person sees: host and port, or the private scheme with its colon.
    pub(crate) shown: String,
    /// Whether the domain name system vouches for who gets the code: by https, and not on this machine.
    pub(crate) is_vouched_for: bool,
    /// Whether it is registered: no browser is sent to any other.
    pub(crate) is_registered: bool,
    /// Whether the outcome of a request is sent there: a page of the application itself does not read it.
    pub(crate) is_told: bool,
}

/// Why a text is not a redirect URI.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidRedirectUri {
    /// It is not an absolute URI in printable ASCII.
    NotAUri,
    /// It has a fragment.
    Fragment,
    /// It has a user name or a password.
    UserInfo,
    /// It is http to another machine.
    PlainHttp,
    /// It is a private scheme without a dot, or a scheme that runs or shows content.
    Scheme,
    /// It has a `*`, as if it stood for several: redirect URIs are compared as strings.
    Wildcard,
    /// Its query has a parameter of the response: the client would get it twice.
    OfAnswers(&'static str),
}

impl InvalidRedirectUri {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            InvalidRedirectUri::NotAUri => {
                "it must be an absolute URI in normal form: lower-case scheme and host, a port from 1 to 65535 \
                 that is not the scheme's own, no segment `.` or `..`, printable ASCII"
            }
            InvalidRedirectUri::Fragment => "it must have no fragment",
            InvalidRedirectUri::UserInfo => "it must have no user name or password",
            InvalidRedirectUri::PlainHttp => "plain http is for 127.0.0.1, [::1] and localhost; elsewhere write https",
            InvalidRedirectUri::Scheme => {
                "it must be https, http on loopback, or a private scheme with a dot such as com.example.app:/callback; \
                 name one without a dot in .allow_scheme(..)"
            }
            InvalidRedirectUri::Wildcard => {
                "it is compared as a string, so `*` stands for nothing else: register each one whole"
            }
            InvalidRedirectUri::OfAnswers(_) => "which is in the response: give that parameter another name",
        }
    }
}

impl fmt::Display for InvalidRedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let InvalidRedirectUri::OfAnswers(name) = self {
            write!(f, "its query must not have {name:?}, ")?;
        }
        f.write_str(self.text())
    }
}

impl std::error::Error for InvalidRedirectUri {}

/// The parameters that a response to an authorization request may have (RFC 6749 §4.1.2, RFC 9207 §2, OpenID Connect
/// Session Management §2).
pub(crate) const OF_ANSWERS: [&str; 7] =
    ["code", "state", "iss", "error", "error_description", "error_uri", "session_state"];
/// The parameter that a browser brings along after a sign-out (OpenID Connect RP-Initiated Logout §3).
pub(crate) const AFTER_SIGN_OUT: [&str; 1] = ["state"];

/// What a client may register in addition to what every client may.
#[derive(Clone, Copy, Default)]
pub(crate) struct Besides<'a> {
    /// Private schemes without a dot.
    pub(crate) schemes: &'a [String],
    /// `http://app.localhost`, which browsers look for on this machine (RFC 6761 §6.3).
    pub(crate) names_on_loopback: bool,
}

crate::model::debug_as_text!(InvalidRedirectUri);

impl RedirectUri {
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Refuses a query with one of these parameters: none may occur twice in a response (RFC 6749 §3.1).
    pub(crate) fn leaves(&self, parameters: &[&'static str]) -> Result<(), InvalidRedirectUri> {
        let query = self.text.split_once('?').map_or("", |(_, query)| query);
        let is_there = |name: &str| form_urlencoded::parse(query.as_bytes()).any(|(there, _)| there == name);
        match parameters.iter().find(|name| is_there(name)) {
            Some(name) => Err(InvalidRedirectUri::OfAnswers(name)),
            None => Ok(()),
        }
    }

    /// Whether a requested URI is this one: equal as strings, except for the port of a loopback address.
    pub(crate) fn matches(&self, requested: &str) -> bool {
        match &self.kind {
            Kind::Web { .. } | Kind::PrivateScheme { .. } => requested == self.text,
            Kind::Loopback { before, after } => {
                let Some(rest) = requested.strip_prefix(before.as_str()) else { return false };
                let Some(port) = rest.strip_suffix(after.as_str()) else { return false };
                // RFC 8252 §7.3: any port, and nothing else may vary
                port.is_empty() || port.strip_prefix(':').is_some_and(is_port)
            }
        }
    }

    /// Where the browser goes: call it only for a URI that [`RedirectUri::matches`].
    pub(crate) fn destination(&self, requested: &str) -> Destination {
        let (source, shown) = match &self.kind {
            Kind::Web { origin } => (origin.clone(), host_of(origin).to_owned()),
            // It is not a host, whatever it looks like: `accounts.bank.example` is a scheme as well.
            Kind::PrivateScheme { scheme } => {
                let source = format!("{scheme}:");
                (source.clone(), source)
            }
            Kind::Loopback { after, .. } => {
                let origin = requested.strip_suffix(after.as_str()).unwrap_or(requested);
                // A source expression cannot name an IPv6 address (CSP3 §2.3.1), so its scheme has to do.
                let source = if origin.contains('[') { "http:".to_owned() } else { origin.to_owned() };
                (source, host_of(origin).to_owned())
            }
        };
        let uri = requested.to_owned();
        Destination { uri, source, shown, is_vouched_for: self.is_vouched_for, is_registered: true, is_told: true }
    }

    /// Whether a page of this origin belongs to the client, for CORS.
    pub(crate) fn allows_origin(&self, origin: &str) -> bool {
        match &self.kind {
            Kind::Web { origin: registered } => origin == registered,
            Kind::Loopback { before, .. } => origin
                .strip_prefix(before.as_str())
                .is_some_and(|port| port.is_empty() || port.strip_prefix(':').is_some_and(is_port)),
            Kind::PrivateScheme { .. } => false,
        }
    }
}

impl Destination {
    /// A page of this server, at this URL, to which its own pages may lead anyway.
    pub(crate) fn own_page(url: &str) -> Self {
        let parsed = Url::parse(url).ok();
        let shown = parsed.as_ref().map(|url| host_of(&url.origin().ascii_serialization()).to_owned());
        let is_vouched_for = parsed.as_ref().is_some_and(is_vouched_for);
        Destination {
            uri: url.to_owned(),
            source: String::new(),
            shown: shown.unwrap_or_default(),
            is_vouched_for,
            is_registered: true,
            is_told: true,
        }
    }

    /// The URI with these parameters in its query, next to those it has (RFC 6749 §3.1.2).
    pub(crate) fn with(&self, parameters: &[(&str, &str)]) -> String {
        let bytes = parameters.iter().map(|(name, value)| name.len() + value.len() + 2).sum::<usize>();
        let mut uri = String::with_capacity(self.uri.len() + bytes + ROOM_TO_ENCODE);
        uri.push_str(&self.uri);
        let mut before = if uri.contains('?') { '&' } else { '?' };
        for (name, value) in parameters {
            uri.push(before);
            before = '&';
            push_encoded(&mut uri, name);
            uri.push('=');
            push_encoded(&mut uri, value);
        }
        uri
    }
}

/// As a form encodes it. Sealed texts are base64url, which needs no encoding.
fn push_encoded(uri: &mut String, text: &str) {
    if all_bytes(text, |byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
        uri.push_str(text);
    } else {
        uri.extend(form_urlencoded::byte_serialize(text.as_bytes()));
    }
}

/// A state and an issuer have a few characters that become three bytes.
const ROOM_TO_ENCODE: usize = 32;

impl RedirectUri {
    /// A redirect URI whose query [leaves](RedirectUri::leaves) room for these parameters.
    pub(crate) fn parse_leaving(
        parameters: &[&'static str],
        text: &str,
        besides: Besides<'_>,
    ) -> Result<Self, InvalidRedirectUri> {
        let parsed = RedirectUri::parse(text, besides)?;
        parsed.leaves(parameters).map(|()| parsed)
    }

    pub(crate) fn parse(text: &str, besides: Besides<'_>) -> Result<Self, InvalidRedirectUri> {
        if let Some(why) = broken_rule(text) {
            return Err(why);
        }
        let url = Url::parse(text).map_err(|_| InvalidRedirectUri::NotAUri)?;
        let origin = url.origin().ascii_serialization();
        let kind = match url.scheme() {
            "https" if has_origin(text, &origin) => Kind::Web { origin },
            "http" if !(is_loopback(&url) || (besides.names_on_loopback && is_name_on_loopback(&url))) => {
                return Err(InvalidRedirectUri::PlainHttp);
            }
            "http" if !has_origin(text, &origin) => return Err(InvalidRedirectUri::NotAUri),
            // RFC 8252 §8.3 advises against the name, and native apps use it: a port that is written is meant
            "http" if matches!(url.host(), Some(Host::Domain(_))) && url.port().is_some() => Kind::Web { origin },
            "http" => {
                let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
                let before = origin.strip_suffix(&port).unwrap_or(&origin).to_owned();
                Kind::Loopback { before, after: text[origin.len()..].to_owned() }
            }
            "https" => return Err(InvalidRedirectUri::NotAUri),
            scheme if scheme.contains('.') || besides.schemes.iter().any(|named| named == scheme) => {
                Kind::PrivateScheme { scheme: scheme.to_owned() }
            }
            _ => return Err(InvalidRedirectUri::Scheme),
        };
        Ok(RedirectUri { text: text.to_owned(), kind, is_vouched_for: is_vouched_for(&url) })
    }
}

/// Whether a private scheme may be allowed by its name: not one that a browser shows, runs or sends itself.
pub(crate) const fn is_private_scheme(text: &str) -> bool {
    let mut at = 0;
    while at < OF_BROWSERS.len() {
        if is(text.as_bytes(), OF_BROWSERS[at].as_bytes()) {
            return false;
        }
        at += 1;
    }
    is_scheme(text.as_bytes())
}

/// RFC 3986 §3.1, in the lower case that URLs are compared in.
const fn is_scheme(mut text: &[u8]) -> bool {
    if !matches!(text, [b'a'..=b'z', ..]) {
        return false;
    }
    while let [byte, rest @ ..] = text {
        if !matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'+' | b'-' | b'.') {
            return false;
        }
        text = rest;
    }
    true
}

/// Which rule a text breaks, at compile time and at start-up, apart from rules that depend on the client or the issuer.
pub(crate) const fn broken_rule(text: &str) -> Option<InvalidRedirectUri> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        // A backslash, a quote or a space would mean one thing to a browser and another to us.
        if !bytes[at].is_ascii_graphic() || has(&[bytes[at]], b"\"<>\\^`{|}") {
            return Some(InvalidRedirectUri::NotAUri);
        }
        at += 1;
    }
    let (scheme, rest) = text.split_at(first_of(bytes, b":"));
    let whole = bytes.split_at(first_of(bytes, b"?")).0;
    if !is_scheme(scheme.as_bytes()) || rest.is_empty() {
        Some(InvalidRedirectUri::NotAUri)
    } else if has(bytes, b"#") {
        Some(InvalidRedirectUri::Fragment)
    } else if has(whole, b"*") {
        Some(InvalidRedirectUri::Wildcard)
    } else if has_dot_segment(whole) {
        // A browser would go to another address than what is written.
        Some(InvalidRedirectUri::NotAUri)
    } else if is(scheme.as_bytes(), b"https") || is(scheme.as_bytes(), b"http") {
        broken_rule_of_web(bytes)
    } else if !is_private_scheme(scheme) {
        Some(InvalidRedirectUri::Scheme)
    } else if begins(rest.as_bytes(), b"://") {
        broken_rule_of_app(rest.as_bytes().split_at(3).1)
    } else {
        None
    }
}

const fn broken_rule_of_web(text: &[u8]) -> Option<InvalidRedirectUri> {
    let Some((authority, _)) = web(text) else { return Some(InvalidRedirectUri::NotAUri) };
    let is_https = text[4] == b's';
    let host = host(authority);
    if has(authority, b"@") {
        Some(InvalidRedirectUri::UserInfo)
    } else if !is_normal(authority, own_port(text)) {
        Some(InvalidRedirectUri::NotAUri)
    } else if !is_https && !is_on_loopback(host) && !written::is_name_on_loopback(host) {
        Some(InvalidRedirectUri::PlainHttp)
    } else {
        None
    }
}

/// What follows `com.example.app://`.
const fn broken_rule_of_app(rest: &[u8]) -> Option<InvalidRedirectUri> {
    let authority = rest.split_at(first_of(rest, b"/?")).0;
    let (host, port) = authority.split_at(first_of(authority, b":"));
    let is_port = match port {
        [] => true,
        [_, digits @ ..] => !host.is_empty() && matches!(number(digits, 65_535), Some(1..)),
    };
    if has(authority, b"@") {
        Some(InvalidRedirectUri::UserInfo)
    } else if !is_port || has(authority, b"[]") {
        Some(InvalidRedirectUri::NotAUri)
    } else {
        None
    }
}

/// Whether a URL parser would remove a segment from a path (RFC 3986 §5.2.4), which it does with an encoded dot as
/// well.
const fn has_dot_segment(mut text: &[u8]) -> bool {
    while has(text, b"/") {
        text = text.split_at(first_of(text, b"/") + 1).1;
        let mut segment = text.split_at(first_of(text, b"/")).0;
        let mut dots = 0;
        while let [b'.', rest @ ..] | [b'%', b'2', b'e' | b'E', rest @ ..] = segment {
            dots += 1;
            segment = rest;
        }
        if segment.is_empty() && (dots == 1 || dots == 2) {
            return true;
        }
    }
    false
}

/// RFC 8252 §8.6: on a user's own machine, any program can listen, by https as well. A name may end in a dot, and an address
/// that means each of the machine's leads to loopback.
fn is_vouched_for(url: &Url) -> bool {
    let is_here = |address: IpAddr| address.is_loopback() || address.is_unspecified();
    let is_on_this_machine = match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.').as_bytes();
            is_on_loopback(name) || written::is_name_on_loopback(name)
        }
        Some(Host::Ipv4(address)) => is_here(address.into()),
        Some(Host::Ipv6(address)) => is_here(IpAddr::V6(address).to_canonical()),
        None => true,
    };
    url.scheme() == "https" && !is_on_this_machine
}

fn is_name_on_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(|host| written::is_name_on_loopback(host.as_bytes()))
}

/// Whether the text begins with its own origin, spelled as a browser does, and the origin ends there.
fn has_origin(text: &str, origin: &str) -> bool {
    text.strip_prefix(origin).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
}

fn is_port(text: &str) -> bool {
    text.len() <= 5 && text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port > 0)
}

/// Schemes that mean something to every browser.
const OF_BROWSERS: [&str; 19] = [
    "about",
    "blob",
    "chrome",
    "data",
    "file",
    "filesystem",
    "ftp",
    "http",
    "https",
    "intent",
    "javascript",
    "mailto",
    "resource",
    "sms",
    "tel",
    "vbscript",
    "view-source",
    "ws",
    "wss",
];

#[cfg(test)]
mod tests;
