//! Names of values: all of the same length, and hiding what they are about.

use std::cell::RefCell;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::model::hash::sha256;

/// The name of a value: 32 bytes, a hash of what it is about.
///
/// ```
/// use oauth_runtime::store::{BUCKETS, Key};
///
/// let key = Key::named("an example");
/// assert_eq!(key, Key::named("an example"));
/// assert_ne!(key, Key::named("An Example"));
/// assert!(key.bucket() < BUCKETS);
/// assert_eq!(Key::from_bytes(*key.as_bytes()), key);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key([u8; 32]);

/// What a value is about. Each kind has its own names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// All that is kept about a user, or about a client in its own name.
    Subject,
    /// A form of ours that was sent.
    Form,
    /// A client's assertion that was used.
    Assertion,
    /// A proof of possession that was used.
    Proof,
    /// The code that a device shows.
    UserCode,
    /// An authorization request that was pushed.
    Pushed,
    /// A client that registered itself and was ended.
    Registration,
    /// A key of a test.
    Named,
}

impl Key {
    pub(crate) fn of(kind: Kind, name: &str) -> Self {
        let kind: &[u8] = match kind {
            Kind::Subject => b"subject",
            Kind::Form => b"form",
            Kind::Assertion => b"assertion",
            Kind::Proof => b"proof",
            Kind::UserCode => b"user code",
            Kind::Pushed => b"pushed request",
            Kind::Registration => b"registration",
            Kind::Named => b"named",
        };
        Key(sha256(&[kind, b"\0", name.as_bytes()].concat()))
    }

    /// The key of a subject. Each thread remembers recent ones: every access token names a subject, and hashing that
    /// costs more than reading all the rest.
    pub(crate) fn of_subject(subject: &str) -> Self {
        let of = || Key::of(Kind::Subject, subject);
        KNOWN.with_borrow_mut(|known| {
            let at = subject.bytes().fold(0, |at: usize, byte| at.wrapping_mul(31).wrapping_add(byte.into()));
            match known.get_mut(at % SUBJECTS_OF_A_THREAD) {
                Some(Some((name, key))) if **name == *subject => *key,
                Some(place) if subject.len() <= LONGEST_KNOWN => place.insert((subject.into(), of())).1,
                Some(_) | None => of(),
            }
        })
    }

    /// A key for a test of a store: the server itself has no such key.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Key::of(Kind::Named, name)
    }

    /// The key of these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Key(bytes)
    }

    /// A key in this bucket.
    pub(crate) fn in_bucket(bucket: u16) -> Self {
        let [a, b] = bucket.to_be_bytes();
        let mut bytes = [0; 32];
        (bytes[0], bytes[1]) = (a, b);
        Key(bytes)
    }

    /// Its bytes, for a column or a name of the engine's. They are compared as they are: upper and lower case differ
    /// wherever they are written as text.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Its bytes as base64url, of 43 characters.
    #[must_use]
    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// The bucket that it falls in.
    #[must_use]
    pub const fn bucket(&self) -> u16 {
        let [a, b, ..] = self.0;
        u16::from_be_bytes([a, b]) % BUCKETS
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({} in {})", self.to_text(), self.bucket())
    }
}

/// A subject, and its key.
type Known = (Box<str>, Key);

thread_local! {
    static KNOWN: RefCell<[Option<Known>; SUBJECTS_OF_A_THREAD]> =
        const { RefCell::new([const { None }; SUBJECTS_OF_A_THREAD]) };
}

const SUBJECTS_OF_A_THREAD: usize = 128;
/// The longest subject that is remembered, in bytes.
const LONGEST_KNOWN: usize = 128;

/// How many buckets there are: each [`Key::bucket`] is below it.
pub const BUCKETS: u16 = 1024;

/// How long a value may be, in bytes.
pub const MAX_VALUE_BYTES: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_share_no_names() {
        let kinds = [
            Kind::Subject,
            Kind::Form,
            Kind::Assertion,
            Kind::Proof,
            Kind::UserCode,
            Kind::Pushed,
            Kind::Registration,
            Kind::Named,
        ];
        for (index, kind) in kinds.iter().enumerate() {
            for other in &kinds[index + 1..] {
                assert_ne!(Key::of(*kind, "a"), Key::of(*other, "a"));
            }
        }
        assert_ne!(Key::of(Kind::Form, "A"), Key::of(Kind::Form, "a"));
    }

    #[test]
    fn a_subject_has_one_key_whether_it_came_before_or_not() {
        let long = "a".repeat(LONGEST_KNOWN + 1);
        let subjects: Vec<String> =
            (0..1_000).map(|number| format!("subject {number}")).chain([long, String::new()]).collect();
        for subject in subjects.iter().chain(&subjects) {
            let key = Key::of(Kind::Subject, subject);
            assert_eq!([Key::of_subject(subject), Key::of_subject(subject)], [key, key]);
        }
    }

    #[test]
    fn a_bucket_has_a_key() {
        for bucket in 0..BUCKETS {
            assert_eq!(Key::in_bucket(bucket).bucket(), bucket);
        }
    }
}
