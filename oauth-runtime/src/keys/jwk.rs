//! Public keys as JSON (RFC 7517), and what verifies by them.

use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{self, ParsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::keys::Header;

/// A public key, parsed once.
pub(crate) struct PublicKey {
    pub(crate) id: String,
    pub(crate) algorithm: Algorithm,
    /// The required members alone, sorted: what the thumbprint is of.
    members: Map<String, Value>,
    parsed: ParsedPublicKey,
}

impl PublicKey {
    /// P-256, by the coordinates of its point.
    pub(crate) fn es256(x: &[u8], y: &[u8]) -> Option<Self> {
        if x.len() != 32 || y.len() != 32 {
            return None;
        }
        let point: Vec<u8> = [&[4], x, y].concat();
        let parsed = ParsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point).ok()?;
        let members = json!({ "crv": "P-256", "kty": "EC", "x": encode(x), "y": encode(y) });
        PublicKey::new(Algorithm::ES256, members, parsed)
    }

    pub(crate) fn ed25519(x: &[u8]) -> Option<Self> {
        let parsed = ParsedPublicKey::new(&signature::ED25519, x).ok()?;
        PublicKey::new(Algorithm::EdDSA, json!({ "crv": "Ed25519", "kty": "OKP", "x": encode(x) }), parsed)
    }

    /// At least 2048 bits (RFC 7518 §3.3).
    pub(crate) fn rs256(n: &[u8], e: &[u8]) -> Option<Self> {
        if n.len() < 256 {
            return None;
        }
        let components = PublicKeyComponents { n, e };
        let parsed = components.to_parsed_public_key(&signature::RSA_PKCS1_2048_8192_SHA256).ok()?;
        PublicKey::new(Algorithm::RS256, json!({ "e": encode(e), "kty": "RSA", "n": encode(n) }), parsed)
    }

    /// From a public JWK for signatures, of one of these three kinds; with the `kid` that it came with.
    #[cfg(feature = "resource-server")]
    pub(crate) fn from_jwk(jwk: &Value) -> Option<(Option<String>, Self)> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
        let key = match (text("kty")?, text("crv")) {
            ("EC", Some("P-256")) => PublicKey::es256(&bytes("x")?, &bytes("y")?),
            ("OKP", Some("Ed25519")) => PublicKey::ed25519(&bytes("x")?),
            ("RSA", None) => PublicKey::rs256(&bytes("n")?, &bytes("e")?),
            _ => None,
        }?;
        // RFC 7517 §4.2, §4.4: a key that is for something else verifies nothing here
        let algorithm = json!(key.algorithm);
        let is_for_signatures = text("use").is_none_or(|purpose| purpose == "sig")
            && text("alg").is_none_or(|named| algorithm == named || (named == "Ed25519" && algorithm == "EdDSA"));
        is_for_signatures.then(|| (text("kid").map(str::to_owned), key))
    }

    fn new(algorithm: Algorithm, members: Value, parsed: ParsedPublicKey) -> Option<Self> {
        let Value::Object(members) = members else { return None };
        // RFC 7638 §3: of the required members, in the order of their names, without white space
        let id = encode(&Sha256::digest(serde_json::to_vec(&members).ok()?));
        Some(PublicKey { id, algorithm, members, parsed })
    }

    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.parsed.verify_sig(message, signature).is_ok()
    }

    pub(crate) fn header(&self) -> Header {
        Header { alg: self.algorithm, kid: self.id.clone() }
    }

    /// For a JWK set.
    pub(crate) fn jwk(&self) -> Value {
        let mut jwk = self.members.clone();
        jwk.insert("alg".to_owned(), json!(self.algorithm));
        jwk.insert("use".to_owned(), json!("sig"));
        jwk.insert("kid".to_owned(), json!(self.id));
        Value::Object(jwk)
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7638 §3.1, and that of RFC 8037 appendix A.3.
    #[test]
    fn the_thumbprint_is_that_of_the_specifications() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).expect("base64url");
        let rsa = PublicKey::rs256(&bytes(n), &bytes("AQAB")).expect("a key");
        assert_eq!(rsa.id, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        let ed25519 = PublicKey::ed25519(&bytes("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")).expect("a key");
        assert_eq!(ed25519.id, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }
}
