//! Ids that cannot be guessed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::model::hash::sha256;

/// 128 random bits (RFC 6749 §10.10).
pub(crate) fn random_id() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>())
}

/// The name of a fact in the store: of fixed length, and hiding what it is about.
pub(crate) fn digest(kind: &str, value: &str) -> String {
    let mut name = String::with_capacity(kind.len() + 1 + HASH_CHARS);
    name.push_str(kind);
    name.push('-');
    URL_SAFE_NO_PAD.encode_string(sha256(value.as_bytes()), &mut name);
    name
}

/// The length of a SHA-256 in base64url.
const HASH_CHARS: usize = 43;
