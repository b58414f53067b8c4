//! Where a browser may be sent with a code (RFC 9700 §2.1, RFC 8252 §7).

use std::fmt;

use url::{Host, Url};

use crate::model::issuer::is_loopback;
use crate::model::written::{self, has, host, is_on_loopback, web};

/// A redirect URI as a client registers it.
#[derive(Clone, Debug)]
pub(crate) struct RedirectUri {
    text: String,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    /// https, or `http://localhost` with its exact port.
    Web { origin: String },
    /// `http://127.0.0.1` and the like, `http://localhost` without a port: `before` the port and `after` it.
    Loopback { before: String, after: String },
    /// `com.example.app:/callback`
    PrivateScheme { scheme: String },
}

/// A redirect URI as it stood in a request and was found registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Destination {
    /// As requested, byte for byte.
    pub(crate) uri: String,
    /// What a form's Content-Security-Policy must name for the redirect to be followed.
    pub(crate) source: String,
    /// What a person is shown: host and port, or the private scheme.
    pub(crate) shown: String,
    /// Whether the domain name system vouches for who gets the code.
    pub(crate) is_https: bool,
}

/// Why a text is no redirect URI.
#[derive(Clone, Copy, PartialEq, Eq)]
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
    /// Its query has a parameter that an answer brings: the client would get it twice.
    OfAnswers(&'static str),
}

impl InvalidRedirectUri {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            InvalidRedirectUri::NotAUri => {
                "it must be an absolute URI in normal form: lower-case host, no default port, printable ASCII"
            }
            InvalidRedirectUri::Fragment => "it must have no fragment",
            InvalidRedirectUri::UserInfo => "it must have no user name or password",
            InvalidRedirectUri::PlainHttp => "plain http is for 127.0.0.1, [::1] and localhost; elsewhere write https",
            InvalidRedirectUri::Scheme => {
                "it must be https, http on loopback, or a private scheme with a dot such as com.example.app:/callback; \
                 name one without a dot in .allow_scheme(..)"
            }
            InvalidRedirectUri::OfAnswers(_) => "which the answer brings: give that parameter another name",
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

/// What an answer to an authorization request may bring (RFC 6749 §4.1.2, RFC 9207 §2, OpenID Connect Session Management §2).
pub(crate) const OF_ANSWERS: [&str; 7] =
    ["code", "state", "iss", "error", "error_description", "error_uri", "session_state"];
/// What a browser brings along that is sent on after a sign-out (OpenID Connect RP-Initiated Logout §3).
pub(crate) const AFTER_SIGN_OUT: [&str; 1] = ["state"];

/// What a client may register besides what every client may.
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

    /// Nothing, where its query leaves room for these parameters: none stands twice in an answer (RFC 6749 §3.1).
    pub(crate) fn leaves(&self, parameters: &[&'static str]) -> Result<(), InvalidRedirectUri> {
        let query = self.text.split_once('?').map_or("", |(_, query)| query);
        let is_there = |name: &str| form_urlencoded::parse(query.as_bytes()).any(|(there, _)| there == name);
        match parameters.iter().find(|name| is_there(name)) {
            Some(name) => Err(InvalidRedirectUri::OfAnswers(name)),
            None => Ok(()),
        }
    }

    /// Whether a requested URI is this one: equal as strings, the port of a loopback address aside.
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

    /// Where the browser goes: to be asked only for a URI that [`RedirectUri::matches`].
    pub(crate) fn destination(&self, requested: &str) -> Destination {
        let (source, shown) = match &self.kind {
            Kind::Web { origin } => (origin.clone(), host_of(origin).to_owned()),
            Kind::PrivateScheme { scheme } => (format!("{scheme}:"), scheme.clone()),
            Kind::Loopback { after, .. } => {
                let origin = requested.strip_suffix(after.as_str()).unwrap_or(requested);
                // A source expression cannot name an IPv6 address (CSP3 §2.3.1), so its scheme has to do.
                let source = if origin.contains('[') { "http:".to_owned() } else { origin.to_owned() };
                (source, host_of(origin).to_owned())
            }
        };
        let is_https = matches!(&self.kind, Kind::Web { origin } if origin.starts_with("https:"));
        Destination { uri: requested.to_owned(), source, shown, is_https }
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
    /// The URI with these parameters in its query, next to those it has (RFC 6749 §3.1.2).
    pub(crate) fn with(&self, parameters: &[(&str, &str)]) -> String {
        let mut uri = self.uri.clone();
        uri.push(if uri.contains('?') { '&' } else { '?' });
        form_urlencoded::Serializer::for_suffix(&mut uri, self.uri.len() + 1).extend_pairs(parameters);
        uri
    }
}

impl RedirectUri {
    pub(crate) fn parse(text: &str, besides: Besides<'_>) -> Result<Self, InvalidRedirectUri> {
        if let Some(why) = broken_rule(text) {
            return Err(why);
        }
        let url = Url::parse(text).map_err(|_| InvalidRedirectUri::NotAUri)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidRedirectUri::UserInfo);
        }
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
            scheme
                if (scheme.contains('.') || besides.schemes.iter().any(|named| named == scheme))
                    && text.starts_with(scheme) =>
            {
                Kind::PrivateScheme { scheme: scheme.to_owned() }
            }
            _ => return Err(InvalidRedirectUri::Scheme),
        };
        Ok(RedirectUri { text: text.to_owned(), kind })
    }
}

/// Whether a private scheme may be allowed by its name: none that a browser shows, runs or sends itself.
pub(crate) fn is_private_scheme(text: &str) -> bool {
    // RFC 3986 §3.1, in the lower case that URLs are compared in
    let is_of_scheme = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte);
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(is_of_scheme)
        && !OF_BROWSERS.contains(&text)
}

/// Which rule a text breaks, as far as it takes no parser of URLs and nothing that the client or the issuer says: when a program
/// is compiled, and when it starts.
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
    if !has(bytes, b":") {
        return Some(InvalidRedirectUri::NotAUri);
    }
    if has(bytes, b"#") {
        return Some(InvalidRedirectUri::Fragment);
    }
    let Some((authority, _)) = web(bytes) else { return None };
    let host = host(authority);
    if has(authority, b"@") {
        Some(InvalidRedirectUri::UserInfo)
    } else if bytes[4] != b's' && !is_on_loopback(host) && !written::is_name_on_loopback(host) {
        Some(InvalidRedirectUri::PlainHttp)
    } else {
        None
    }
}

fn is_name_on_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(|host| written::is_name_on_loopback(host.as_bytes()))
}

/// Whether the text begins with its own origin, spelled as a browser spells it, and the origin ends there.
fn has_origin(text: &str, origin: &str) -> bool {
    text.strip_prefix(origin).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
}

fn host_of(origin: &str) -> &str {
    origin.split_once("://").map_or(origin, |(_, host)| host)
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
mod tests {
    use super::*;

    fn registered(text: &str) -> RedirectUri {
        parsed(text).expect(text)
    }

    fn parsed(text: &str) -> Result<RedirectUri, InvalidRedirectUri> {
        RedirectUri::parse(text, Besides::default())
    }

    #[test]
    fn c07_registered_whole_and_compared_as_strings() {
        let uri = registered("https://notes.example/callback?a=b");
        assert!(uri.matches("https://notes.example/callback?a=b"));
        for other in [
            "https://notes.example/callback",
            "https://notes.example/callback?a=b&c=d",
            "https://notes.example/callback/../callback?a=b",
            "https://NOTES.example/callback?a=b",
            "https://notes.example:443/callback?a=b",
            "https://notes.example.evil.example/callback?a=b",
            "",
        ] {
            assert!(!uri.matches(other), "{other}");
        }
        assert_eq!(parsed("https://notes.example/#a").expect_err("a fragment"), InvalidRedirectUri::Fragment);
    }

    #[test]
    fn c08_loopback_any_port_and_nothing_else() {
        let uri = registered("http://127.0.0.1/callback");
        for good in ["http://127.0.0.1/callback", "http://127.0.0.1:1/callback", "http://127.0.0.1:65535/callback"] {
            assert!(uri.matches(good), "{good}");
        }
        for bad in [
            "http://127.0.0.1:/callback",
            "http://127.0.0.1:0/callback",
            "http://127.0.0.1:65536/callback",
            "http://127.0.0.1:+80/callback",
            "http://127.0.0.1:80:80/callback",
            "http://127.0.0.1:8000@evil.example/callback",
            "http://evil@127.0.0.1:8000/callback",
            "http://127.0.0.1.evil.example/callback",
            "http://127.0.0.1:8000/callback/",
            "http://127.0.0.1:8000/callback?x",
            "http://127.0.0.2:8000/callback",
            "http://localhost:8000/callback",
            "https://127.0.0.1:8000/callback",
            "http://[::1]:8000/callback",
        ] {
            assert!(!uri.matches(bad), "{bad}");
        }
        assert!(registered("http://127.0.0.1:8000/").matches("http://127.0.0.1:9/"));
        assert!(registered("http://[::1]/cb").matches("http://[::1]:9/cb"));
        let local = registered("http://localhost:3000/cb");
        assert!(local.matches("http://localhost:3000/cb") && !local.matches("http://localhost:3001/cb"));
        let local = registered("http://localhost/cb");
        for good in ["http://localhost/cb", "http://localhost:1/cb", "http://localhost:3001/cb"] {
            assert!(local.matches(good), "{good}");
        }
        for bad in [
            "http://localhost:3001/cb/",
            "http://localhost.evil.example:3001/cb",
            "http://localhost:3001@evil.example/cb",
            "http://127.0.0.1:3001/cb",
            "https://localhost:3001/cb",
        ] {
            assert!(!local.matches(bad), "{bad}");
        }
    }

    #[test]
    fn c08_c09_names_on_loopback_and_private_schemes_without_a_dot_are_for_those_who_name_them() {
        let schemes = ["cursor".to_owned()];
        let all = Besides { schemes: &schemes, names_on_loopback: true };
        for uri in ["cursor://app.cursor/oauth/callback", "http://notes.localhost:3000/cb", "http://notes.localhost/cb"]
        {
            assert!(parsed(uri).is_err(), "{uri}");
            assert!(RedirectUri::parse(uri, all).expect(uri).matches(uri), "{uri}");
        }
        for bad in ["cursors:/cb", "CURSOR:/cb", "http://notes.localhost.example/cb", "http://evil-localhost/cb"] {
            assert!(RedirectUri::parse(bad, all).is_err(), "{bad}");
        }
        let anywhere = RedirectUri::parse("http://notes.localhost/cb", all).expect("a name on loopback");
        assert!(anywhere.matches("http://notes.localhost:3000/cb") && !anywhere.matches("http://a.localhost:3000/cb"));
        let app = RedirectUri::parse("cursor://app/cb", all).expect("a private scheme").destination("cursor://app/cb");
        assert_eq!((app.source.as_str(), app.shown.as_str(), app.is_https), ("cursor:", "cursor", false));
        assert!(is_private_scheme("cursor") && is_private_scheme("vscode-insiders"));
        for bad in ["", "Cursor", "7z", "a:b", "a b", "http", "javascript", "data", "é"] {
            assert!(!is_private_scheme(bad), "{bad}");
        }
    }

    #[test]
    fn c09_plain_http_is_for_loopback_and_a_private_scheme_has_a_dot() {
        for (bad, why) in [
            ("http://notes.example/cb", InvalidRedirectUri::PlainHttp),
            ("http://127.0.0.1.nip.example/cb", InvalidRedirectUri::PlainHttp),
            ("myapp:/cb", InvalidRedirectUri::Scheme),
            ("javascript:alert(1)", InvalidRedirectUri::Scheme),
            ("data:text/html,x", InvalidRedirectUri::Scheme),
            ("/callback", InvalidRedirectUri::NotAUri),
            ("https://notes.example\\@evil.example/", InvalidRedirectUri::NotAUri),
            ("https://notes.example/ cb", InvalidRedirectUri::NotAUri),
            ("https://Notes.example/cb", InvalidRedirectUri::NotAUri),
            ("http://127.1/cb", InvalidRedirectUri::NotAUri),
            ("https://user@notes.example/", InvalidRedirectUri::UserInfo),
            ("https://:@notes.example/", InvalidRedirectUri::UserInfo),
        ] {
            assert_eq!(parsed(bad).expect_err(bad), why, "{bad}");
        }
        assert!(registered("com.example.app:/cb").matches("com.example.app:/cb"));
    }

    #[test]
    fn its_query_has_nothing_that_an_answer_brings() {
        for (uri, name) in [
            ("https://a.example/cb?code=1", Some("code")),
            ("https://a.example/cb?a=1&state", Some("state")),
            ("https://a.example/cb?%69ss=1", Some("iss")),
            ("http://127.0.0.1/cb?error=", Some("error")),
            ("com.example.app:/cb?error_uri=1", Some("error_uri")),
            ("https://a.example/cb?error_description=1", Some("error_description")),
            ("https://a.example/cb?session_state=1", Some("session_state")),
            ("https://a.example/code?codes=code&Code=1;state", None),
        ] {
            let left = name.map_or(Ok(()), |name| Err(InvalidRedirectUri::OfAnswers(name)));
            assert_eq!(registered(uri).leaves(&OF_ANSWERS), left, "{uri}");
        }
        assert_eq!(registered("https://a.example/bye?code=1").leaves(&AFTER_SIGN_OUT), Ok(()));
    }

    #[test]
    fn destinations_name_what_a_browser_and_a_person_need() {
        let of = |text: &str, requested: &str| {
            let destination = registered(text).destination(requested);
            (destination.source, destination.shown)
        };
        assert_eq!(
            of("https://a.example:8443/cb", "https://a.example:8443/cb"),
            ("https://a.example:8443".into(), "a.example:8443".into())
        );
        assert_eq!(
            of("http://127.0.0.1/cb", "http://127.0.0.1:90/cb"),
            ("http://127.0.0.1:90".into(), "127.0.0.1:90".into())
        );
        assert_eq!(of("http://[::1]/cb", "http://[::1]:90/cb"), ("http:".into(), "[::1]:90".into()));
        assert_eq!(
            of("com.example.app:/cb", "com.example.app:/cb"),
            ("com.example.app:".into(), "com.example.app".into())
        );
    }

    #[test]
    fn parameters_join_the_query_that_is_there() {
        let with = |uri: &str| registered(uri).destination(uri).with(&[("code", "a b"), ("state", "&=")]);
        assert_eq!(with("https://a.example/cb"), "https://a.example/cb?code=a+b&state=%26%3D");
        assert_eq!(with("https://a.example/cb?x=1"), "https://a.example/cb?x=1&code=a+b&state=%26%3D");
        assert_eq!(with("com.example.app:/cb"), "com.example.app:/cb?code=a+b&state=%26%3D");
    }
}
