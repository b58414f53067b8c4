//! Values that must not be shown.

use std::fmt;
use std::ops::Deref;

/// The secret that everything handed out is signed and sealed under: at least [`Secret::MIN_BYTES`] bytes.
///
/// ```
/// use oauth_runtime::Secret;
///
/// let secret = Secret::from("correct horse battery staple, and then some");
/// assert_eq!(format!("{secret:?}"), "Secret(***)");
/// ```
#[derive(Clone)]
pub struct Secret(Box<[u8]>);

impl Secret {
    /// The least length of a secret, in bytes (RFC 7518 §3.2: as long as the hash).
    pub const MIN_BYTES: usize = 32;

    pub(crate) fn random() -> Self {
        Secret(Box::new(rand::random::<[u8; Secret::MIN_BYTES]>()))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Secret(text.as_bytes().into())
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Secret(text.into_bytes().into())
    }
}

impl From<&[u8]> for Secret {
    fn from(bytes: &[u8]) -> Self {
        Secret(bytes.into())
    }
}

impl From<Vec<u8>> for Secret {
    fn from(bytes: Vec<u8>) -> Self {
        Secret(bytes.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// The secrets of a service: the first makes all that is handed out, each accepts what was made under it.
#[derive(Clone, Debug)]
pub(crate) struct Secrets(Vec<Secret>);

impl Secrets {
    /// One that is there twice counts once.
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
