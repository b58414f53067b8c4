//! Proofs of possession (RFC 9449), and whatever is wrong with one.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey};
use oauth_runtime::Clock;
use serde_json::{Value, json};

/// A key of a client's own.
pub struct ProofKey {
    private: EncodingKey,
    jwk: Jwk,
}

/// A proof that is not signed yet.
pub struct Unsigned<'a> {
    key: &'a ProofKey,
    header: Value,
    claims: Value,
}

impl ProofKey {
    /// A new one, for ES256.
    #[allow(clippy::new_without_default)]
    pub fn new() -> ProofKey {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let private = EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref());
        let jwk = Jwk::from_encoding_key(&private, Algorithm::ES256).unwrap();
        ProofKey { private, jwk }
    }

    /// Its name in tokens.
    pub fn thumbprint(&self) -> String {
        self.jwk.thumbprint(ThumbprintHash::SHA256).unwrap()
    }

    /// The public key.
    pub fn public(&self) -> Value {
        let jwk = serde_json::to_value(&self.jwk.algorithm).unwrap();
        json!({ "kty": jwk["kty"], "crv": jwk["crv"], "x": jwk["x"], "y": jwk["y"] })
    }

    /// A proof for a request, good as it is.
    pub fn for_request(&self, method: &str, url: &str) -> Unsigned<'_> {
        let claims = json!({
            "jti": random(), "htm": method, "htu": url, "iat": Clock::system().now().seconds(),
        });
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.public() });
        Unsigned { key: self, header, claims }
    }

    /// The same, signed: for a request without an access token.
    pub fn proof(&self, method: &str, url: &str) -> String {
        self.for_request(method, url).sign()
    }

    /// The same, for a request with this access token.
    pub fn proof_with(&self, method: &str, url: &str, token: &str) -> String {
        self.for_request(method, url).token(token).sign()
    }
}

fn random() -> String {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).unwrap();
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Unsigned<'_> {
    /// With this access token.
    pub fn token(self, token: &str) -> Self {
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes());
        self.claim("ath", json!(URL_SAFE_NO_PAD.encode(hash)))
    }

    /// With another claim; null leaves it out.
    pub fn claim(mut self, name: &str, value: Value) -> Self {
        put(&mut self.claims, name, value);
        self
    }

    /// With another member of the header; null leaves it out.
    pub fn header(mut self, name: &str, value: Value) -> Self {
        put(&mut self.header, name, value);
        self
    }

    fn message(&self) -> String {
        let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        format!("{}.{}", part(&self.header), part(&self.claims))
    }

    /// Signed by its key.
    pub fn sign(&self) -> String {
        self.signed_by(&self.key.private, Algorithm::ES256)
    }

    /// Signed by another key.
    pub fn signed_by(&self, key: &EncodingKey, algorithm: Algorithm) -> String {
        let message = self.message();
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm).unwrap();
        format!("{message}.{signature}")
    }

    /// Signed by the key of another.
    pub fn signed_by_key(&self, other: &ProofKey) -> String {
        self.signed_by(&other.private, Algorithm::ES256)
    }

    /// With this as its signature.
    pub fn with_signature(&self, signature: &str) -> String {
        format!("{}.{signature}", self.message())
    }
}

fn put(object: &mut Value, name: &str, value: Value) {
    if value.is_null() {
        object.as_object_mut().unwrap().remove(name);
    } else {
        object[name] = value;
    }
}
