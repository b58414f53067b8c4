//! Proof Key for Code Exchange (RFC 7636), `S256` only.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::model::hash::sha256;
use crate::model::secret::constant_time_eq;

/// A `code_challenge`: the SHA-256 of a verifier, base64url without padding (RFC 7636 §4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Challenge([u8; 32]);

/// A `code_verifier`: 43 to 128 characters, unreserved (RFC 7636 §4.1) or of base64.
///
/// Clients that are in use send base64 as it is. It is compared by its hash alone, and its length is what makes it hard to guess.
pub(crate) struct Verifier(String);

/// The text is not a challenge, or not a verifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl Challenge {
    pub(crate) fn matches(&self, verifier: &Verifier) -> bool {
        constant_time_eq(&self.0, &sha256(verifier.0.as_bytes()))
    }
}

impl FromStr for Challenge {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Malformed)?;
        Ok(Challenge(bytes.try_into().map_err(|_| Malformed)?))
    }
}

impl FromStr for Verifier {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        if (43..=128).contains(&text.len()) && text.bytes().all(known) {
            Ok(Verifier(text.to_owned()))
        } else {
            Err(Malformed)
        }
    }
}

impl TryFrom<String> for Challenge {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        text.parse()
    }
}

impl From<Challenge> for String {
    fn from(challenge: Challenge) -> String {
        URL_SAFE_NO_PAD.encode(challenge.0)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier(***)")
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("malformed PKCE value")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_7636_appendix_b() {
        let challenge: Challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".parse().expect("RFC text");
        let verifier: Verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".parse().expect("RFC text");
        assert!(challenge.matches(&verifier));
        assert!(!challenge.matches(&"x".repeat(43).parse().expect("43 characters")));
    }

    #[test]
    fn malformed_values_are_refused() {
        for challenge in [
            "",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cN",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c",
        ] {
            assert_eq!(challenge.parse::<Challenge>(), Err(Malformed), "{challenge}");
        }
        for verifier in [String::new(), "x".repeat(42), "x".repeat(129), "é".repeat(43), format!("{} ", "x".repeat(43))]
        {
            assert!(verifier.parse::<Verifier>().is_err(), "{verifier}");
        }
        for verifier in ["x".repeat(128), "YyCOXhqCdywzw18TNCefeKjE4OXf+coS/eOFOECx9Kw=".to_owned()] {
            assert!(verifier.parse::<Verifier>().is_ok(), "{verifier}");
        }
    }
}
