//! Keys with a public part: read or derived, and used to sign.

use std::fmt;
use std::path::Path;

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPairComponents, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, ParsedPublicKey, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde::Serialize;
use serde_json::{Value, json};

use crate::error::Reason;
use crate::keys::jwt::{Header, Jwt, Parts};
use crate::model::jwk::{self, Algorithm, InvalidJwk, PublicKey};

/// A private key that signs tokens: ES256 (P-256), EdDSA (Ed25519) or RS256 (RSA of 2048 bits or more).
///
/// ```
/// use oauth_runtime::SigningKey;
///
/// let key = SigningKey::generate().unwrap();
/// assert_eq!(key.id().len(), 43);
/// assert_eq!(format!("{key:?}"), format!("SigningKey {{ id: {:?}, private: *** }}", key.id()));
/// assert!(SigningKey::from_pem("no key").unwrap_err().to_string().contains("PEM"));
/// ```
pub struct SigningKey {
    pub(crate) header: Header,
    /// Its public JWK.
    pub(crate) published: Value,
    public: ParsedPublicKey,
    private: Private,
}

enum Private {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(Box<RsaKeyPair>),
}

/// Why a signing key cannot be read, added, promoted or retired.
///
/// `Display` and `Debug` print the same text, which says what to change.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The environment variable is not set, is empty, or is not UTF-8.
    #[error("the environment variable {variable} is empty or not set: put a private key in PEM or as a JWK into it")]
    NotSet {
        /// The name of the variable.
        variable: String,
    },
    /// The file cannot be read.
    #[error("the key file {path} cannot be read: {why}")]
    Unreadable {
        /// The path as given.
        path: String,
        /// The text of the I/O error.
        why: String,
    },
    /// The text is not the PEM of a private key.
    #[error(
        "this is not the PEM of a private key: that begins with -----BEGIN PRIVATE KEY-----, -----BEGIN EC PRIVATE KEY----- \
         or -----BEGIN RSA PRIVATE KEY-----"
    )]
    NotPem,
    /// The key in the PEM is encrypted with a passphrase.
    #[error("the key is encrypted: decrypt it first, with `openssl pkcs8 -in KEY -out PLAIN`")]
    Encrypted,
    /// The PEM or the JWK has only the public part.
    #[error("this is a public key, and signing needs the private one")]
    PublicOnly,
    /// The text is not JSON, or a member that its `kty` requires is missing or is not base64url.
    #[error("this is not a private JWK: it needs kty and all members of RFC 7518 section 6")]
    NotJwk,
    /// The key is not P-256, Ed25519 or RSA, is an RSA key of fewer than 2048 bits, or is damaged.
    #[error(
        "the key cannot be used: make one with `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256` \
         (or `-algorithm ED25519`, or `-algorithm RSA` of 2048 bits or more)"
    )]
    Unusable,
    /// [`Keys::add`](crate::Keys::add): this key was added before.
    #[error("the key {id} is there already")]
    Twice {
        /// The `kid` of the key.
        id: String,
    },
    /// [`Keys::also`](crate::Keys::also): a key of this algorithm signs already.
    #[error("the key {id} is of an algorithm that another key signs with: add it, and promote it to replace that one")]
    SameAlgorithm {
        /// The `kid` of the key.
        id: String,
    },
    /// [`Keys::promote`](crate::Keys::promote) and [`Keys::retire`](crate::Keys::retire): no key has this id, or its
    /// time to verify is over.
    #[error("there is no key {id}: add it first")]
    Unknown {
        /// The id as given.
        id: String,
    },
    /// [`Keys::retire`](crate::Keys::retire): this key signs.
    #[error("the key {id} signs: promote another first")]
    Signs {
        /// The `kid` of the key.
        id: String,
    },
    /// The cryptographic library could not generate a key.
    #[error("the cryptographic library failed")]
    Cryptography,
}

crate::model::debug_as_text!(KeyError);

impl SigningKey {
    /// A new key for ES256.
    ///
    /// # Errors
    /// If the cryptographic library fails.
    pub fn generate() -> Result<Self, KeyError> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| KeyError::Cryptography)?;
        SigningKey::es256(pair).ok_or(KeyError::Cryptography)
    }

    /// A key in PEM: PKCS#8 (`PRIVATE KEY`), SEC1 (`EC PRIVATE KEY`) or PKCS#1 (`RSA PRIVATE KEY`).
    ///
    /// # Errors
    /// If it is encrypted, public, of another curve, an RSA key of fewer than 2048 bits, or not PEM.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        if pem.contains("ENCRYPTED") {
            return Err(KeyError::Encrypted);
        }
        let key = match PrivateKeyDer::from_pem_slice(pem.as_bytes()) {
            Ok(PrivateKeyDer::Pkcs8(der)) => {
                let der = der.secret_pkcs8_der();
                let es256 = || EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, der).ok();
                let ed25519 = || Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).ok();
                let rsa = || RsaKeyPair::from_pkcs8(der).ok();
                es256()
                    .and_then(SigningKey::es256)
                    .or_else(|| ed25519().and_then(SigningKey::ed25519))
                    .or_else(|| rsa().and_then(SigningKey::rs256))
            }
            Ok(PrivateKeyDer::Sec1(der)) => {
                let pair = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, der.secret_sec1_der());
                pair.ok().and_then(SigningKey::es256)
            }
            Ok(PrivateKeyDer::Pkcs1(der)) => {
                RsaKeyPair::from_der(der.secret_pkcs1_der()).ok().and_then(SigningKey::rs256)
            }
            Ok(_) => None,
            Err(_) if pem.contains("PUBLIC KEY") => return Err(KeyError::PublicOnly),
            Err(_) => return Err(KeyError::NotPem),
        };
        key.ok_or(KeyError::Unusable)
    }

    /// Like [`SigningKey::from_pem`], from a file.
    ///
    /// # Errors
    /// Also if the file cannot be read.
    pub fn from_pem_file(path: impl AsRef<Path>) -> Result<Self, KeyError> {
        let path = path.as_ref();
        let pem = std::fs::read_to_string(path)
            .map_err(|why| KeyError::Unreadable { path: path.display().to_string(), why: why.to_string() })?;
        SigningKey::from_pem(&pem)
    }

    /// A PEM or a JWK from an environment variable.
    ///
    /// # Errors
    /// Also if the variable is empty or not set.
    pub fn from_env(variable: &str) -> Result<Self, KeyError> {
        let value = std::env::var(variable).unwrap_or_default();
        match value.trim() {
            "" => Err(KeyError::NotSet { variable: variable.to_owned() }),
            jwk if jwk.starts_with('{') => SigningKey::from_jwk(jwk),
            // A variable often has the two characters `\n` for a line break.
            pem => SigningKey::from_pem(&pem.replace("\\n", "\n")),
        }
    }

    /// A private key as a JWK (RFC 7517), with all members of RFC 7518 §6.
    ///
    /// # Errors
    /// If it is not a private JWK of one of the three kinds.
    pub fn from_jwk(jwk: &str) -> Result<Self, KeyError> {
        let jwk: Value = serde_json::from_str(jwk).map_err(|_| KeyError::NotJwk)?;
        if jwk.get("kty").is_none() {
            return Err(KeyError::NotJwk);
        }
        if !jwk::is_private(&jwk) {
            return Err(KeyError::PublicOnly);
        }
        let public = PublicKey::of_private(jwk.clone()).map_err(|why| match why {
            InvalidJwk::NotAKey | InvalidJwk::Encoding => KeyError::NotJwk,
            _ => KeyError::Unusable,
        })?;
        let bytes = |name: &str| jwk::number(&jwk, name).ok_or(KeyError::NotJwk);
        let key = match public.algorithm {
            Algorithm::ES256 => {
                let point = [[4].as_slice(), &bytes("x")?, &bytes("y")?].concat();
                let alg = &ECDSA_P256_SHA256_FIXED_SIGNING;
                let pair = EcdsaKeyPair::from_private_key_and_public_key(alg, &bytes("d")?, &point);
                pair.ok().and_then(SigningKey::es256)
            }
            Algorithm::EdDSA => {
                let pair = Ed25519KeyPair::from_seed_and_public_key(&bytes("d")?, &bytes("x")?);
                pair.ok().and_then(SigningKey::ed25519)
            }
            Algorithm::RS256 => {
                let components = KeyPairComponents {
                    public_key: PublicKeyComponents { n: bytes("n")?, e: bytes("e")? },
                    d: bytes("d")?,
                    p: bytes("p")?,
                    q: bytes("q")?,
                    dP: bytes("dp")?,
                    dQ: bytes("dq")?,
                    qInv: bytes("qi")?,
                };
                RsaKeyPair::from_components(&components).ok().and_then(SigningKey::rs256)
            }
            Algorithm::HS256 => None,
        };
        key.ok_or(KeyError::Unusable)
    }

    /// Its `kid`: the thumbprint of RFC 7638.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.header.kid
    }

    /// The ES256 key with this private number; `None` if it is zero, or not below the order of the curve.
    pub(crate) fn from_scalar(scalar: &[u8; 32]) -> Option<Self> {
        let private = PrivateKey::from_private_key(&ECDH_P256, scalar).ok()?;
        let point = private.compute_public_key().ok()?;
        let alg = &ECDSA_P256_SHA256_FIXED_SIGNING;
        SigningKey::es256(EcdsaKeyPair::from_private_key_and_public_key(alg, scalar, point.as_ref()).ok()?)
    }

    fn es256(pair: EcdsaKeyPair) -> Option<Self> {
        // An uncompressed point: 4, x, y.
        let (x, y) = pair.public_key().as_ref().get(1..65)?.split_at(32);
        let jwk = json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y) });
        SigningKey::new(jwk, Private::Es256(pair))
    }

    fn ed25519(pair: Ed25519KeyPair) -> Option<Self> {
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key()) });
        SigningKey::new(jwk, Private::EdDsa(pair))
    }

    fn rs256(pair: RsaKeyPair) -> Option<Self> {
        let PublicKeyComponents::<Vec<u8>> { n, e } = pair.public_key().into();
        SigningKey::new(json!({ "kty": "RSA", "n": encode(n), "e": encode(e) }), Private::Rs256(Box::new(pair)))
    }

    fn new(jwk: Value, private: Private) -> Option<Self> {
        let public = PublicKey::from_jwk(jwk).ok()?;
        let (kid, published) = public.published()?;
        let header = Header::new(public.algorithm, kid)?;
        Some(SigningKey { header, published, public: public.parsed()?, private })
    }

    /// Signs claims as a JWT of this type.
    pub(crate) fn sign_jwt(&self, typ: &str, claims: &impl Serialize) -> Option<String> {
        self.header.sign(typ, claims, |message| self.sign(message))
    }

    /// Verifies the signature of an access token that has this key's header.
    pub(crate) fn verify_own(&self, parts: &Parts<'_>) -> Result<(), Reason> {
        parts.verify(|message, signature| self.verifies(message, signature))
    }

    /// Verifies the signature of a JWT.
    pub(crate) fn verify_jwt(&self, jwt: &Jwt<'_>) -> Result<(), Reason> {
        jwt.verify(self.header.alg, |message, signature| self.verifies(message, signature))
    }

    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.public.verify_sig(message, signature).is_ok()
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match &self.private {
            Private::Es256(pair) => Some(pair.sign(&random, message).ok()?.as_ref().to_vec()),
            Private::EdDsa(pair) => Some(pair.try_sign(message).ok()?.as_ref().to_vec()),
            Private::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).ok()?;
                Some(signature)
            }
        }
    }
}

fn encode(number: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(number)
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("id", &self.id()).field("private", &format_args!("***")).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pem(label: &str, der: &[u8]) -> String {
        let body = base64::engine::general_purpose::STANDARD.encode(der);
        format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
    }

    fn ec() -> EcdsaKeyPair {
        EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key")
    }

    fn of_ec(key: &EcdsaKeyPair) -> Vec<u8> {
        use aws_lc_rs::encoding::{AsBigEndian as _, EcPrivateKeyBin};
        let secret: EcPrivateKeyBin<'_> = key.private_key().as_be_bytes().expect("a number");
        secret.as_ref().to_vec()
    }

    #[test]
    fn keys_are_read_in_each_form() {
        let (ec, ed) = (ec(), Ed25519KeyPair::generate().expect("a key"));
        let rsa = RsaKeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).expect("a key");
        use aws_lc_rs::encoding::{AsDer as _, EcPrivateKeyRfc5915Der, Pkcs8V1Der};
        let sec1: EcPrivateKeyRfc5915Der<'_> = ec.private_key().as_der().expect("DER");
        let rsa8: Pkcs8V1Der<'_> = rsa.as_der().expect("DER");
        let forms = [
            pem("PRIVATE KEY", ec.to_pkcs8v1().expect("DER").as_ref()),
            pem("EC PRIVATE KEY", sec1.as_ref()),
            pem("PRIVATE KEY", ed.to_pkcs8().expect("DER").as_ref()),
            pem("PRIVATE KEY", ed.to_pkcs8v1().expect("DER").as_ref()),
            pem("PRIVATE KEY", rsa8.as_ref()),
        ];
        for form in &forms {
            let key = SigningKey::from_pem(form).expect("a key");
            let signature = key.sign(b"message").expect("signs");
            assert!(key.verifies(b"message", &signature) && !key.verifies(b"massage", &signature));
        }
        assert_eq!(
            SigningKey::from_pem(&forms[0]).expect("a key").id(),
            SigningKey::from_pem(&forms[1]).expect("a key").id()
        );

        let text = |bytes: &[u8]| json!(URL_SAFE_NO_PAD.encode(bytes));
        let (x, d) = (ed.public_key().as_ref().to_vec(), ed.to_pkcs8v1().expect("DER").as_ref()[16..].to_vec());
        let (point, secret) = (ec.public_key().as_ref(), of_ec(&ec));
        // RFC 8017, A.1.2: behind the header of PKCS #8 a version, and then these.
        let numbers = numbers(&rsa8.as_ref()[26..]);
        let of_rsa = ["n", "e", "d", "p", "q", "dp", "dq", "qi"].into_iter().zip(&numbers[1..]);
        let mut rsa = json!({ "kty": "RSA" });
        of_rsa.for_each(|(name, number)| rsa[name] = text(number));
        for (jwk, form) in [
            (json!({ "kty": "OKP", "crv": "Ed25519", "x": text(&x), "d": text(&d) }), &forms[2]),
            (
                json!({ "kty": "EC", "crv": "P-256", "x": text(&point[1..33]), "y": text(&point[33..]),
                    "d": text(&secret) }),
                &forms[0],
            ),
            (rsa, &forms[4]),
        ] {
            let (key, same) =
                (SigningKey::from_jwk(&jwk.to_string()).expect("a key"), SigningKey::from_pem(form).expect("a key"));
            assert_eq!(key.id(), same.id());
            assert!(same.verifies(b"message", &key.sign(b"message").expect("signs")), "{jwk}");
            // Each member is needed, and has to belong to the others.
            for member in jwk.as_object().expect("an object").keys() {
                let mut less = jwk.clone();
                less.as_object_mut().expect("an object").remove(member);
                assert!(SigningKey::from_jwk(&less.to_string()).is_err(), "{member}");
            }
            let mut other = jwk.clone();
            other["d"] = text(&[7; 32]);
            assert_eq!(SigningKey::from_jwk(&other.to_string()).err(), Some(KeyError::Unusable));
        }
    }

    /// The integers of a DER sequence, without the zero that keeps them positive.
    fn numbers(der: &[u8]) -> Vec<Vec<u8>> {
        let length = |der: &[u8]| match der[1] {
            0x81 => (usize::from(der[2]), 3),
            0x82 => (usize::from(der[2]) << 8 | usize::from(der[3]), 4),
            short => (usize::from(short), 2),
        };
        let (mut rest, mut numbers) = (&der[length(der).1..], Vec::new());
        while !rest.is_empty() {
            let (bytes, begins) = length(rest);
            let number = &rest[begins..begins + bytes];
            numbers.push(number.strip_prefix(&[0]).unwrap_or(number).to_vec());
            rest = &rest[begins + bytes..];
        }
        numbers
    }

    #[test]
    fn what_is_no_private_key_is_told_apart() {
        let small = pem("RSA PRIVATE KEY", &[0x30, 0]);
        let p384 = EcdsaKeyPair::generate(&aws_lc_rs::signature::ECDSA_P384_SHA384_FIXED_SIGNING).expect("a key");
        let p384 = pem("PRIVATE KEY", p384.to_pkcs8v1().expect("DER").as_ref());
        for (text, why) in [
            ("", KeyError::NotPem),
            ("-----BEGIN ENCRYPTED PRIVATE KEY-----", KeyError::Encrypted),
            ("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n", KeyError::Encrypted),
            (pem("PUBLIC KEY", &[0x30, 0]).as_str(), KeyError::PublicOnly),
            (small.as_str(), KeyError::Unusable),
            (p384.as_str(), KeyError::Unusable),
        ] {
            assert_eq!(SigningKey::from_pem(text).expect_err("no key"), why, "{text}");
        }
        for (jwk, why) in [
            ("", KeyError::NotJwk),
            ("{}", KeyError::NotJwk),
            (r#"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#, KeyError::PublicOnly),
            (r#"{"kty":"EC","crv":"P-256","x":"AA","y":"AA","d":"AA"}"#, KeyError::Unusable),
            (r#"{"kty":"oct","k":"AA"}"#, KeyError::Unusable),
        ] {
            assert_eq!(SigningKey::from_jwk(jwk).expect_err("no key"), why, "{jwk}");
        }
        let variable = "OAUTH_RUNTIME_NO_SUCH_VARIABLE";
        assert_eq!(
            SigningKey::from_env(variable).expect_err("none"),
            KeyError::NotSet { variable: variable.to_owned() }
        );
        assert!(matches!(SigningKey::from_pem_file("/no/such/file"), Err(KeyError::Unreadable { .. })));
    }
}
