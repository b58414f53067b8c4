//! How a confidential client proves who it is.

use std::fmt;

use crate::model::hash::sha256;
use crate::model::jwk::PublicKey;
use crate::model::secret::constant_time_eq;

/// The credentials of a confidential client: its secrets, its keys, or both while it changes from one to the other.
pub(crate) struct Credentials {
    pub(crate) secrets: Vec<SecretHash>,
    /// The keys of its assertions (RFC 7523 §3).
    pub(crate) keys: Vec<PublicKey>,
}

/// The SHA-256 of a secret: enough to recognize it, but it cannot be sent instead.
pub(crate) struct SecretHash([u8; 32]);

impl SecretHash {
    /// The hash of what the client sends.
    pub(crate) fn of(secret: &str) -> Self {
        SecretHash(sha256(secret.as_bytes()))
    }
}

impl Credentials {
    /// All are compared, even after a match.
    pub(crate) fn has_secret(&self, secret: &str) -> bool {
        let hash = sha256(secret.as_bytes());
        self.secrets.iter().fold(false, |found, known| constant_time_eq(&known.0, &hash) | found)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({} secrets, {} keys)", self.secrets.len(), self.keys.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_recognised_and_not_kept() {
        let secrets = ["one", "two"].map(SecretHash::of).into();
        let credentials = Credentials { secrets, keys: Vec::new() };
        assert!(credentials.has_secret("one") && credentials.has_secret("two"));
        assert!(!credentials.has_secret("three") && !credentials.has_secret(""));
        assert_eq!(format!("{credentials:?}"), "Credentials(2 secrets, 0 keys)");
    }
}
