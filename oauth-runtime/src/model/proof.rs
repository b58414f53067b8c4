//! Proofs of possession: what a client signs to show that it holds the key that its tokens are bound to (RFC 9449).

use std::borrow::Cow;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

/// The thumbprint of a public key (RFC 7638), by which tokens name it (`cnf.jkt`, RFC 9449 §6.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Thumbprint(String);

/// It is not a SHA-256 hash in base64url.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no thumbprint")]
pub(crate) struct NoThumbprint;

impl Thumbprint {
    /// From a SHA-256 hash.
    pub(crate) fn of(hash: [u8; 32]) -> Self {
        Thumbprint(URL_SAFE_NO_PAD.encode(hash))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Thumbprint {
    type Err = NoThumbprint;

    fn from_str(text: &str) -> Result<Self, NoThumbprint> {
        match URL_SAFE_NO_PAD.decode(text) {
            Ok(hash) if hash.len() == 32 => Ok(Thumbprint(text.to_owned())),
            Ok(_) | Err(_) => Err(NoThumbprint),
        }
    }
}

impl TryFrom<String> for Thumbprint {
    type Error = NoThumbprint;

    fn try_from(text: String) -> Result<Self, NoThumbprint> {
        text.parse()
    }
}

impl From<Thumbprint> for String {
    fn from(Thumbprint(text): Thumbprint) -> String {
        text
    }
}

/// Where a proof was shown, which decides the status of the error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShownAt {
    /// To this server, with a request for tokens or with one that is pushed (RFC 9449 §5, §10.1).
    Server,
    /// To a resource, with an access token (RFC 9449 §7).
    Resource,
}

impl ShownAt {
    #[cfg(test)]
    pub(crate) const ALL: [ShownAt; 2] = [ShownAt::Server, ShownAt::Resource];

    pub(crate) fn status(self) -> u16 {
        match self {
            ShownAt::Server => 400,
            ShownAt::Resource => 401,
        }
    }
}

/// From the table below: the enum, its texts, and all of them for the tests.
macro_rules! flaws {
    ($($(#[$meta:meta])* $name:ident: $text:literal;)+) => {
        /// Why a proof proves nothing.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Flaw { $($(#[$meta])* $name,)+ }

        impl Flaw {
            #[cfg(test)]
            pub(crate) const ALL: &[Flaw] = &[$(Flaw::$name,)+];

            /// What is wrong, and what would be right: for the people who write the client.
            pub(crate) fn text(self) -> &'static str {
                match self { $(Flaw::$name => $text,)+ }
            }
        }
    };
}

// In the order of RFC 9449 §4.3, by its numbers.
flaws! {
    /// §7.1.
    Missing: "the proof is missing: send it in the header DPoP, made for this request";
    /// 1.
    Several: "there are several headers DPoP: send one";
    TooLong: "the proof is longer than 4 KiB";
    /// 2 and 3.
    Malformed: "the proof must be a JWT with jti, htm, htu and iat, and with typ, alg and jwk in its header";
    /// 4.
    Type: "the typ of the proof must be dpop+jwt";
    /// 5.
    Algorithm: "the alg of the proof must be ES256, EdDSA or RS256, and that of its jwk";
    /// 7.
    Private: "the jwk of the proof has a private key in it: stop using that key, and send the public part of a new one";
    Key: "the jwk of the proof must be a public key of kind P-256, Ed25519 or RSA of 2048 to 8192 bits";
    /// 6.
    Signature: "the proof was not signed by the key of its jwk";
    /// 8.
    Method: "the htm of the proof must be the method of this request";
    /// 9.
    Url: "the htu of the proof must be the URL of this request as clients have it, without query and fragment";
    /// 11.
    Time: "the proof is older than a minute, or from the future: make one for each request, and set the clock";
    /// §4.2.
    Id: "the jti of the proof must have 1 to 256 bytes";
    /// 12.
    TokenHash: "the ath of the proof must be the SHA-256 of the access token that comes with it, in base64url";
    /// §11.1.
    Replayed: "the proof was used before: make one for each request";
}

/// A proof that was refused, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotProven {
    pub(crate) flaw: Flaw,
    pub(crate) at: ShownAt,
}

/// Whether a client means the URL of this origin and path by this `htu` (RFC 9449 §4.3, 9): after the normalisation of RFC 3986
/// §6.2.2 and §6.2.3, without query and fragment.
///
/// Dot segments stay as they are: a router distinguishes `/a/../b` from `/b`, and so must this.
pub(crate) fn is_url_of(htu: &str, origin: &str, path: &str) -> bool {
    let Some((htu_origin, htu_path)) = parts(htu) else { return false };
    let Some((origin, _)) = parts(origin) else { return false };
    htu_origin == origin && normal_path(htu_path) == normal_path(path)
}

/// Scheme, host and port, and the path as it is spelled; `None` if it is not a web URL, or has a user in it.
fn parts(url: &str) -> Option<(String, &str)> {
    let url = &url[..url.find(['?', '#']).unwrap_or(url.len())];
    let (scheme, rest) = url.split_once("://")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let scheme = scheme.to_ascii_lowercase();
    let default_port = match scheme.as_str() {
        "https" => ":443",
        "http" => ":80",
        _ => return None,
    };
    let authority = authority.to_ascii_lowercase();
    // RFC 3986 §6.2.3: an empty port is the default one. Only one port is allowed: anything else that ends in a colon
    // is not a host.
    let host = authority.strip_suffix(default_port).or_else(|| authority.strip_suffix(':')).unwrap_or(&authority);
    // A backslash and non-ASCII characters are read in different ways, and no client has to write them.
    let is_plain = !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_graphic() && !b"@\\".contains(&byte));
    is_plain.then(|| (format!("{scheme}://{host}"), path))
}

/// RFC 3986 §6.2.2.1, §6.2.2.2 and §6.2.3: an empty path is `/`; hex digits become upper case, and needless encoding is
/// removed.
fn normal_path(path: &str) -> Cow<'_, str> {
    if path.is_empty() {
        return Cow::Borrowed("/");
    }
    if !path.contains('%') {
        return Cow::Borrowed(path);
    }
    let mut normal = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        normal.push_str(before);
        match after.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit())) {
            Some(digits) => {
                // Two hex digits are a byte.
                let byte = u8::from_str_radix(digits, 16).unwrap_or_default();
                if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                    normal.push(char::from(byte));
                } else {
                    normal.push('%');
                    normal.push_str(&digits.to_ascii_uppercase());
                }
                rest = &after[2..];
            }
            None => {
                normal.push('%');
                rest = after;
            }
        }
    }
    normal.push_str(rest);
    Cow::Owned(normal)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: &str = "https://api.example";

    #[test]
    fn c52_a_url_is_meant_by_each_of_its_spellings_and_by_no_other() {
        for (htu, path) in [
            ("https://api.example/notes", "/notes"),
            ("HTTPS://API.Example/notes", "/notes"),
            ("https://api.example:443/notes", "/notes"),
            ("https://api.example:/notes", "/notes"),
            ("https://api.example/notes?page=2", "/notes"),
            ("https://api.example/notes#top", "/notes"),
            ("https://api.example/notes?a=/#b?c", "/notes"),
            ("https://api.example", "/"),
            ("https://api.example?x", "/"),
            ("https://api.example/", "/"),
            ("https://api.example/%7Eada/%6eotes", "/~ada/notes"),
            ("https://api.example/~ada", "/%7eada"),
            ("https://api.example/a%2fb", "/a%2Fb"),
            ("https://api.example/%c3%a9", "/%C3%A9"),
            ("https://api.example/50%", "/50%"),
            ("https://api.example/a/../b", "/a/../b"),
        ] {
            assert!(is_url_of(htu, ORIGIN, path), "{htu} {path}");
        }
        for (htu, path) in [
            ("https://api.example::443/notes", "/notes"),
            ("https://api.example::/notes", "/notes"),
            ("", "/"),
            ("/notes", "/notes"),
            ("//api.example/notes", "/notes"),
            ("http://api.example/notes", "/notes"),
            ("https://api.example:80/notes", "/notes"),
            ("https://api.example:8443/notes", "/notes"),
            ("https://evil.example/notes", "/notes"),
            ("https://api.example.evil.example/notes", "/notes"),
            ("https://evil.example#https://api.example/notes", "/notes"),
            ("https://api.example@evil.example/notes", "/notes"),
            ("https://ada@api.example/notes", "/notes"),
            ("https://evil.example\\@api.example/notes", "/notes"),
            ("https:/api.example/notes", "/notes"),
            (" https://api.example/notes", "/notes"),
            ("https://api.example /notes", "/notes"),
            ("https://api.example/Notes", "/notes"),
            ("https://api.example/notes/", "/notes"),
            ("https://api.example/notes", "/notes/1"),
            ("https://api.example/notes%3Fpage", "/notes"),
            ("https://api.example/a%2fb", "/a/b"),
            ("https://api.example/%2561", "/a"),
            ("https://api.example/50%of", "/50%OF"),
            ("https://api.example/b", "/a/../b"),
            ("https://api.example/a/../b", "/b"),
            ("https://api.example/a/%2e%2e/b", "/b"),
            ("wss://api.example/notes", "/notes"),
        ] {
            assert!(!is_url_of(htu, ORIGIN, path), "{htu} {path}");
        }
        assert!(is_url_of("http://127.0.0.1:8000/token", "http://127.0.0.1:8000", "/token"));
        assert!(is_url_of("http://[::1]/token", "http://[::1]:80", "/token"));
    }

    #[test]
    fn a_thumbprint_is_a_hash() {
        let hash = Thumbprint::of([7; 32]);
        assert_eq!(hash.as_str().parse(), Ok(hash.clone()));
        for other in ["", "x", &hash.as_str()[..42], &format!("{}A", hash.as_str()), &format!("{}=", hash.as_str())] {
            assert_eq!(other.parse::<Thumbprint>(), Err(NoThumbprint), "{other}");
        }
    }
}
