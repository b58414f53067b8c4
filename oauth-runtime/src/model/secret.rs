//! Values that must not be shown.

mod environment;

use std::fmt;
use std::ops::Deref;

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

pub use environment::SecretError;

/// The secret of a service, from which all its keys are derived ([`Builder::secret`](crate::Builder::secret)), or that
/// of a client, which authenticates with it ([`Client::secret`](crate::Client::secret)).
///
/// It is made from a text, ignoring a line break at the end, so that the content of a file or a variable can be used
/// directly; or from bytes. Both methods take either.
///
/// ```
/// use oauth_runtime::{Client, Secret};
///
/// let read = String::from("YdYQ8GU1ZaifFM+45Ep9QAFqr0GY0b9DomzH6GQjLtQ=\n"); // std::fs::read_to_string(..)
/// let secret = Secret::from(read);
/// assert_eq!(format!("{secret:?}"), "Secret(***)");
/// let web = Client::confidential("web").redirect_uri("https://web.example/callback").secret(secret);
/// # let _ = web;
/// ```
#[derive(Clone)]
pub struct Secret {
    bytes: Box<[u8]>,
    is_passphrase: bool,
}

/// Why a text is not the secret of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InvalidSecret {
    /// It stands for this many bytes.
    Short(usize),
    /// It is neither random bytes nor their base64, base64url or hex.
    PlainText,
    /// It is not random.
    Predictable,
}

impl InvalidSecret {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            InvalidSecret::Short(_) => {
                "a secret needs at least 32 bytes (after decoding base64 or hex): `openssl rand -base64 32` makes a \
                 good one"
            }
            InvalidSecret::PlainText => {
                "a secret is plain text, which others could guess: write 32 random bytes in base64, base64url or hex, such as \
                 `openssl rand -base64 32` makes; a phrase of your own is .danger_passphrase(..)"
            }
            InvalidSecret::Predictable => {
                "a secret is not random: it repeats itself, counts up or down, or says \"change me\"; \
                 `openssl rand -base64 32` makes a good one"
            }
        }
    }
}

impl Secret {
    /// The least length of a secret, in bytes (RFC 7518 §3.2: as long as the hash).
    pub const MIN_BYTES: usize = 32;

    /// A phrase that is used as it stands, for [`Builder::previous_secret`](crate::Builder::previous_secret) and
    /// [`Builder::next_secret`](crate::Builder::next_secret). The danger is the same as with
    /// [`Builder::danger_passphrase`](crate::Builder::danger_passphrase).
    ///
    /// ```
    /// use oauth_runtime::{OAuthService, Secret};
    ///
    /// let builder = OAuthService::builder()
    ///     .secret("YdYQ8GU1ZaifFM+45Ep9QAFqr0GY0b9DomzH6GQjLtQ=")
    ///     .previous_secret(Secret::danger_passphrase("correct horse battery staple, and then some"));
    /// # let _ = builder;
    /// ```
    #[must_use]
    pub fn danger_passphrase(phrase: impl Into<String>) -> Self {
        Secret { is_passphrase: true, ..Secret::from(phrase.into().into_bytes()) }
    }

    pub(crate) fn random() -> Self {
        Secret::from(rand::random::<[u8; Secret::MIN_BYTES]>())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What a client sends as its secret; `None` if no client can send it (RFC 6749 Appendix A.2).
    pub(crate) fn as_sent(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok().filter(|text| !text.chars().any(char::is_control))
    }

    /// Whether it is one that the documentation, the examples or the tests of this crate show.
    pub(crate) fn is_shown(&self) -> bool {
        let is_this = |own: Secret| SHOWN.iter().filter_map(|shown| decode(shown)).any(|shown| shown == *own.bytes);
        self.decoded().is_ok_and(is_this)
    }

    /// The random bytes of a service's secret, decoded if necessary.
    pub(crate) fn decoded(&self) -> Result<Secret, InvalidSecret> {
        let decoded = match std::str::from_utf8(&self.bytes) {
            Ok(text) if !self.is_passphrase && is_text(text) => {
                let text: String = text.trim().chars().filter(|it| !matches!(it, '\r' | '\n')).collect();
                match broken_rule(&text) {
                    Some(why) => return Err(why),
                    None => Secret::from(decode(&text).ok_or(InvalidSecret::PlainText)?),
                }
            }
            Ok(_) | Err(_) => self.clone(),
        };
        match decoded.bytes.len() {
            bytes if bytes < Secret::MIN_BYTES => Err(InvalidSecret::Short(bytes)),
            _ if is_predictable(&decoded.bytes) => Err(InvalidSecret::Predictable),
            _ => Ok(decoded),
        }
    }
}

/// Whether a person may have written it. For 32 random bytes that is so in fewer than one of 2^35 cases.
fn is_text(text: &str) -> bool {
    text.chars().all(|it| !it.is_control() || it.is_ascii_whitespace())
}

/// Which rule the text of a service's secret breaks, as far as it need not be decoded: at compile time and at start-up.
pub(crate) const fn broken_rule(text: &str) -> Option<InvalidSecret> {
    let (mut of_hex, mut upper, mut lower, mut digits, mut at) = (true, false, false, 0, 0);
    // A file ends with a line break.
    let bytes = text.as_bytes().trim_ascii();
    while at < bytes.len() {
        match bytes[at] {
            b'A'..=b'Z' => upper = true,
            b'a'..=b'z' => lower = true,
            b'0'..=b'9' | b'+' | b'/' | b'-' | b'_' | b'=' => {}
            _ => return Some(InvalidSecret::PlainText),
        }
        of_hex &= bytes[at].is_ascii_hexdigit();
        digits += (bytes[at] != b'=') as usize;
        at += 1;
    }
    // `correct-horse-battery-staple` is base64url by its letters. Random bytes have both cases, except for one in 2^31.
    let is_one = if of_hex { digits % 2 == 0 } else { upper && lower };
    if !is_one {
        return Some(InvalidSecret::PlainText);
    }
    let stands_for = if of_hex { digits / 2 } else { digits * 3 / 4 };
    if stands_for < Secret::MIN_BYTES {
        return Some(InvalidSecret::Short(stands_for));
    }
    if is_predictable(bytes) { Some(InvalidSecret::Predictable) } else { None }
}

/// Whether bytes are plainly not random: they repeat a shorter piece, count up or down, or say "change me". For 32
/// random ones, in hex or raw, that is so in fewer than one of 2^60 cases, and in base64 of 2^34.
pub(crate) const fn is_predictable(bytes: &[u8]) -> bool {
    let mut step = 1;
    while step <= bytes.len() / 2 {
        let mut at = step;
        while at < bytes.len() && bytes[at] == bytes[at - step] {
            at += 1;
        }
        if at == bytes.len() {
            return true;
        }
        step += 1;
    }
    counts(bytes) || asks_to_be_changed(bytes)
}

const fn counts(bytes: &[u8]) -> bool {
    let mut at = 2;
    while at < bytes.len() && bytes[at].wrapping_sub(bytes[at - 1]) == bytes[1].wrapping_sub(bytes[0]) {
        at += 1;
    }
    at >= bytes.len()
}

/// `changeme`, `Change-Me`, `CHANGE_ME`
const fn asks_to_be_changed(bytes: &[u8]) -> bool {
    const ASKED: &[u8] = b"changeme";
    let mut begin = 0;
    while begin < bytes.len() {
        let (mut at, mut found) = (begin, 0);
        while at < bytes.len() && found < ASKED.len() {
            if bytes[at].eq_ignore_ascii_case(&ASKED[found]) {
                found += 1;
            } else if found == 0 || !matches!(bytes[at], b'-' | b'_' | b' ') {
                break;
            }
            at += 1;
        }
        if found == ASKED.len() {
            return true;
        }
        begin += 1;
    }
    false
}

/// The secrets that anyone can read: a test holds the pages and the examples to these.
const SHOWN: [&str; 3] = [
    "YdYQ8GU1ZaifFM+45Ep9QAFqr0GY0b9DomzH6GQjLtQ=",
    "6XNa6p+eZkCNrarFa2QxfZ5SWmHv6LkhsB2oJKDiCgM=",
    "2QyP6cYVUBoxwVm4y0kM4cNTbZ1o7a8yFhFf3lqv0tM=",
];

/// The bytes that a text stands for in hex, base64 or base64url.
fn decode(text: &str) -> Option<Vec<u8>> {
    if text.bytes().all(|it| it.is_ascii_hexdigit()) {
        let pairs = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
        return pairs.map(|pair| u8::from_str_radix(pair.filter(|pair| pair.len() == 2)?, 16).ok()).collect();
    }
    [STANDARD, URL_SAFE].iter().find_map(|alphabet| {
        let padding = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        GeneralPurpose::new(alphabet, padding).decode(text).ok()
    })
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        // A file ends with a line break, which is not part of the secret.
        Secret::from(text.trim_end_matches(['\r', '\n']).as_bytes())
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Secret::from(text.as_str())
    }
}

impl From<&[u8]> for Secret {
    fn from(bytes: &[u8]) -> Self {
        Secret { bytes: bytes.into(), is_passphrase: false }
    }
}

impl From<Vec<u8>> for Secret {
    fn from(bytes: Vec<u8>) -> Self {
        Secret { bytes: bytes.into(), is_passphrase: false }
    }
}

impl From<[u8; Secret::MIN_BYTES]> for Secret {
    fn from(bytes: [u8; Secret::MIN_BYTES]) -> Self {
        Secret { bytes: bytes.into(), is_passphrase: false }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// The secrets of a service: the first makes everything that is issued, each accepts what was made under it.
#[derive(Clone, Debug)]
pub(crate) struct Secrets(Vec<Secret>);

impl Secrets {
    /// A duplicate counts once.
    pub(crate) fn new(current: Secret, others: impl IntoIterator<Item = Secret>) -> Self {
        let mut secrets = vec![current];
        for other in others {
            if secrets.iter().all(|secret| !constant_time_eq(secret.bytes(), other.bytes())) {
                secrets.push(other);
            }
        }
        Secrets(secrets)
    }

    /// The current one first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Secret> {
        self.0.iter()
    }
}

/// What a person typed as the password. Reads as a `&str`; does not show itself.
///
/// ```
/// use oauth_runtime::Password;
///
/// let password = Password::from(String::from("admin123"));
/// assert_eq!(&*password, "admin123");
/// assert_eq!(format!("{password:?}"), "Password(***)");
/// ```
pub struct Password(String);

impl From<String> for Password {
    fn from(text: String) -> Self {
        Password(text)
    }
}

impl Deref for Password {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Password {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl AsRef<[u8]> for Password {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(***)")
    }
}

/// Whether two byte strings are equal, in a time that does not depend on where they differ.
pub(crate) fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(a, b).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: [u8; 32] = [
        0x61, 0xd6, 0x10, 0xf0, 0x65, 0x35, 0x65, 0xa8, 0x9f, 0x14, 0xcf, 0xb8, 0xe4, 0x4a, 0x7d, 0x40, 0x01, 0x6a,
        0xaf, 0x41, 0x98, 0xd1, 0xbf, 0x43, 0xa2, 0x6c, 0xc7, 0xe8, 0x64, 0x23, 0x2e, 0xd4,
    ];

    #[test]
    fn a_line_s_end_is_no_part_of_a_text_and_all_is_of_bytes_and_phrases() {
        for text in ["a secret", "a secret\n", "a secret\r\n"] {
            assert_eq!(Secret::from(text).bytes(), b"a secret");
            assert_eq!(Secret::from(text.to_owned()).bytes(), b"a secret");
            assert_eq!(Secret::from(text.as_bytes()).bytes(), text.as_bytes());
            assert_eq!(Secret::danger_passphrase(text).bytes(), text.as_bytes());
        }
        assert_eq!(Secret::from(" a secret ").bytes(), b" a secret ");
    }

    #[test]
    fn a_secret_is_read_in_each_form_that_programs_print() {
        let hex = "61d610f0653565a89f14cfb8e44a7d40016aaf4198d1bf43a26cc7e864232ed4";
        let wrapped = format!("{}\n{}\n", &hex[..60], &hex[60..]);
        let forms = [
            "YdYQ8GU1ZaifFM+45Ep9QAFqr0GY0b9DomzH6GQjLtQ=",
            "YdYQ8GU1ZaifFM+45Ep9QAFqr0GY0b9DomzH6GQjLtQ",
            "YdYQ8GU1ZaifFM-45Ep9QAFqr0GY0b9DomzH6GQjLtQ=",
            "YdYQ8GU1ZaifFM-45Ep9QAFqr0GY0b9DomzH6GQjLtQ",
            "YdYQ8GU1ZaifFM+45Ep9QAFqr0GY0b9DomzH6GQjLtQ=\n",
            " YdYQ8GU1ZaifFM+45Ep9QAFqr0GY0b9DomzH6GQjLtQ=\r\n",
            hex,
            &hex.to_uppercase(),
            &wrapped,
        ];
        for form in forms {
            assert_eq!(Secret::from(form).decoded().expect(form).bytes(), BYTES, "{form}");
            assert_eq!(Secret::from(form.as_bytes()).decoded().expect(form).bytes(), BYTES, "{form}");
        }
        let raw = Secret::from(BYTES).decoded().expect("raw bytes");
        assert_eq!(raw.bytes(), BYTES);
        assert_eq!(raw.decoded().expect("raw bytes").bytes(), BYTES);
        // Raw bytes are not cut, whatever they begin or end with.
        let longer = [b"\n", &BYTES[..], b"\n"].concat();
        assert_eq!(Secret::from(longer.clone()).decoded().expect("raw bytes").bytes(), longer);
        let phrase = Secret::danger_passphrase("correct horse battery staple, and then some");
        assert_eq!(phrase.decoded().expect("a phrase").bytes(), b"correct horse battery staple, and then some");
    }

    #[test]
    fn what_a_client_sends_is_one_line_of_text() {
        for (given, sent) in [
            (Secret::from("one\r\n"), Some("one")),
            (Secret::from("p\u{e4}ss "), Some("p\u{e4}ss ")),
            (Secret::from("one\ntwo"), None),
            (Secret::from(b"one\n".as_slice()), None),
            (Secret::from(BYTES), None),
        ] {
            assert_eq!(given.as_sent(), sent);
        }
    }

    #[test]
    fn what_is_short_or_written_by_a_person_is_refused() {
        let refused = |secret: Secret| secret.decoded().expect_err("no secret");
        for text in [
            "",
            "short",
            "correct horse battery staple, and then some",
            "Correct Horse Battery Staple, And Then Some!",
            "correct-horse-battery-staple-and-then-some-more",
            "CHANGE_ME_IN_PRODUCTION_CHANGE_ME_IN_PRODUCTION_",
            "p\u{e4}ssw\u{f6}rter sind keine geheimnisse, auch lange nicht",
            "123e4567-e89b-12d3-a456-426614174000",
            "61d610f0653565a89f14cfb8e44a7d40016aaf4198d1bf43a26cc7e864232ed",
            "\"YdYQ8GU1ZaifFM+45Ep9QAFqr0GY0b9DomzH6GQjLtQ=\"",
            "YdYQ8GU1ZaifFM+45Ep9QAFqr0GY0b9DomzH6GQjLt_=",
        ] {
            let expected = if text.is_empty() { InvalidSecret::Short(0) } else { InvalidSecret::PlainText };
            assert_eq!(refused(Secret::from(text)), expected, "{text}");
        }
        assert_eq!(refused(Secret::from(*b"correct horse battery staple 123")), InvalidSecret::PlainText);
        assert_eq!(refused(Secret::from("61d610f0653565a89f14cfb8e44a7d40")), InvalidSecret::Short(16));
        assert_eq!(refused(Secret::from("YdYQ8GU1ZaifFM+45Ep9QAFqr0GY0b9DomzH6GQjLg==")), InvalidSecret::Short(31));
        assert_eq!(refused(Secret::from(&BYTES[..31])), InvalidSecret::Short(31));
        let counting: [u8; 32] = std::array::from_fn(|at| 200_u8.wrapping_add(at as u8));
        for predictable in [
            Secret::from([0x80; 32]),
            Secret::from(counting),
            Secret::from("YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE="),
            Secret::from("61".repeat(32)),
            Secret::from("61d610f0653565a89f14cfb8e44a7d40".repeat(2)),
            Secret::from("ChangeMe+ifFM+45Ep9QAFqr0GY0b9DomzH6GQjLtQI="),
            Secret::danger_passphrase("a".repeat(32)),
            Secret::danger_passphrase("please change_me, before this is used"),
        ] {
            assert_eq!(refused(predictable), InvalidSecret::Predictable);
        }
        // Random bytes may repeat a piece once, or have one that is longer than half.
        let twice = [&BYTES[..20], &BYTES[..12]].concat();
        assert!(
            Secret::from(twice).decoded().is_ok() && !is_predictable(b"0123456789abcdefghijklmnopqrstuvwxyz0123456789")
        );
        assert_eq!(refused(Secret::danger_passphrase("short")), InvalidSecret::Short(5));
    }
}
