//! The author's own signing keys, and how they follow one another.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPairComponents, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::RwLock;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::{Value, json};

use crate::keys::jwk::PublicKey;
use crate::model::{Clock, Timestamp};

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
    pub(crate) public: PublicKey,
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
        "this is no PEM of a private key: it begins with -----BEGIN PRIVATE KEY-----, -----BEGIN EC PRIVATE KEY----- \
         or -----BEGIN RSA PRIVATE KEY-----"
    )]
    NotPem,
    /// The key in the PEM is encrypted with a passphrase.
    #[error("the key is encrypted: decrypt it first, with `openssl pkcs8 -in KEY -out PLAIN`")]
    Encrypted,
    /// The PEM or the JWK has the public part alone.
    #[error("this is a public key, and signing takes the private one")]
    PublicOnly,
    /// The text is not JSON, or a member that its `kty` requires is missing or is not base64url.
    #[error("this is no private JWK: it needs kty and all members of RFC 7518 section 6")]
    NotJwk,
    /// The key is of another kind than P-256, Ed25519 or RSA, is an RSA key of fewer than 2048 bits, or is damaged.
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
    /// Where the cryptographic library fails.
    pub fn generate() -> Result<Self, KeyError> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| KeyError::Cryptography)?;
        SigningKey::es256(pair).ok_or(KeyError::Cryptography)
    }

    /// A key in PEM: PKCS#8 (`PRIVATE KEY`), SEC1 (`EC PRIVATE KEY`) or PKCS#1 (`RSA PRIVATE KEY`).
    ///
    /// # Errors
    /// Where it is encrypted, public, of another curve, an RSA key of fewer than 2048 bits, or no PEM.
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

    /// As [`SigningKey::from_pem`], out of a file.
    ///
    /// # Errors
    /// Also where the file cannot be read.
    pub fn from_pem_file(path: impl AsRef<Path>) -> Result<Self, KeyError> {
        let path = path.as_ref();
        let pem = std::fs::read_to_string(path)
            .map_err(|why| KeyError::Unreadable { path: path.display().to_string(), why: why.to_string() })?;
        SigningKey::from_pem(&pem)
    }

    /// A PEM or a JWK out of an environment variable.
    ///
    /// # Errors
    /// Also where the variable is empty or not set.
    pub fn from_env(variable: &str) -> Result<Self, KeyError> {
        let value = std::env::var(variable).unwrap_or_default();
        match value.trim() {
            "" => Err(KeyError::NotSet { variable: variable.to_owned() }),
            jwk if jwk.starts_with('{') => SigningKey::from_jwk(jwk),
            // A variable often has the two characters `\n` for a line's end.
            pem => SigningKey::from_pem(&pem.replace("\\n", "\n")),
        }
    }

    /// A private key as a JWK (RFC 7517), with all members of RFC 7518 §6.
    ///
    /// # Errors
    /// Where it is no private JWK of one of the three kinds.
    pub fn from_jwk(jwk: &str) -> Result<Self, KeyError> {
        let jwk: Value = serde_json::from_str(jwk).map_err(|_| KeyError::NotJwk)?;
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let bytes = |name: &str| text(name).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()).ok_or(KeyError::NotJwk);
        let kty = text("kty").ok_or(KeyError::NotJwk)?;
        if kty != "oct" && text("d").is_none() {
            return Err(KeyError::PublicOnly);
        }
        let key = match (kty, text("crv")) {
            ("EC", Some("P-256")) => {
                let point = [[4].as_slice(), &bytes("x")?, &bytes("y")?].concat();
                let alg = &ECDSA_P256_SHA256_FIXED_SIGNING;
                EcdsaKeyPair::from_private_key_and_public_key(alg, &bytes("d")?, &point)
                    .ok()
                    .and_then(SigningKey::es256)
            }
            ("OKP", Some("Ed25519")) => {
                let pair = Ed25519KeyPair::from_seed_and_public_key(&bytes("d")?, &bytes("x")?);
                pair.ok().and_then(SigningKey::ed25519)
            }
            ("RSA", _) => {
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
            _ => None,
        };
        key.ok_or(KeyError::Unusable)
    }

    /// Its `kid`: the thumbprint of RFC 7638.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.public.id
    }

    fn es256(pair: EcdsaKeyPair) -> Option<Self> {
        // An uncompressed point: 4, x, y.
        let (x, y) = pair.public_key().as_ref().get(1..65)?.split_at(32);
        Some(SigningKey { public: PublicKey::es256(x, y)?, private: Private::Es256(pair) })
    }

    fn ed25519(pair: Ed25519KeyPair) -> Option<Self> {
        Some(SigningKey { public: PublicKey::ed25519(pair.public_key().as_ref())?, private: Private::EdDsa(pair) })
    }

    fn rs256(pair: RsaKeyPair) -> Option<Self> {
        let components: PublicKeyComponents<Vec<u8>> = pair.public_key().into();
        let public = PublicKey::rs256(&components.n, &components.e)?;
        Some(SigningKey { public, private: Private::Rs256(Box::new(pair)) })
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

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("id", &self.id()).field("private", &format_args!("***")).finish()
    }
}

/// The signing keys of a service, for [`Builder::keys`](crate::Builder::keys): one signs, all of them verify and are
/// published at `/.well-known/jwks.json`.
///
/// It is a handle: keep a clone, and change the keys while the service runs.
///
/// ```
/// use oauth_runtime::{Keys, SigningKey};
///
/// # fn main() -> Result<(), oauth_runtime::KeyError> {
/// let keys = Keys::new(SigningKey::generate()?);
/// let first = keys.signs_with();
///
/// // Published now. Others may keep the old list for 5 minutes, so wait as long before it signs.
/// let next = keys.add(SigningKey::generate()?)?;
/// assert_eq!(keys.signs_with(), first);
///
/// // The first goes on verifying for a day, as long as a token can live, and goes by itself.
/// keys.promote(&next)?;
/// assert_eq!(keys.signs_with(), next);
/// assert_eq!(keys.ids(), [first, next]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Keys(Arc<Shared>);

struct Shared {
    state: RwLock<State>,
    generation: AtomicU64,
}

struct State {
    keys: Vec<Held>,
    signs: Arc<SigningKey>,
    clock: Clock,
}

struct Held {
    key: Arc<SigningKey>,
    /// When it was replaced: it verifies for as long after that as a token can live.
    replaced: Option<Timestamp>,
}

impl Keys {
    /// One key, which signs.
    #[must_use]
    pub fn new(key: SigningKey) -> Self {
        let signs = Arc::new(key);
        let keys = vec![Held { key: Arc::clone(&signs), replaced: None }];
        let state = RwLock::new(State { keys, signs, clock: Clock::system() });
        Keys(Arc::new(Shared { state, generation: AtomicU64::new(0) }))
    }

    /// A new key for ES256, for development: it ends with this process, and with it every token. The log warns of it.
    ///
    /// # Errors
    /// Where the cryptographic library fails.
    pub fn generate() -> Result<Self, KeyError> {
        tracing::warn!(
            target: "oauth",
            "the signing key was drawn anew: every token ends with this process; use SigningKey::from_env or from_pem_file"
        );
        SigningKey::generate().map(Keys::new)
    }

    /// Publishes a key, which then verifies but does not sign yet; answers its id.
    ///
    /// # Errors
    /// Where it is there already.
    pub fn add(&self, key: SigningKey) -> Result<String, KeyError> {
        let mut state = self.0.state.write();
        state.drop_past();
        let id = key.id().to_owned();
        if state.keys.iter().any(|held| held.key.id() == id) {
            return Err(KeyError::Twice { id });
        }
        state.keys.push(Held { key: Arc::new(key), replaced: None });
        Ok(id)
    }

    /// Signs with this key from now on.
    ///
    /// # Errors
    /// Where there is no such key.
    pub fn promote(&self, id: &str) -> Result<(), KeyError> {
        let mut state = self.0.state.write();
        state.drop_past();
        let now = state.clock.now();
        let Some(key) = state.keys.iter().find(|held| held.key.id() == id).map(|held| Arc::clone(&held.key)) else {
            return Err(KeyError::Unknown { id: id.to_owned() });
        };
        let before = std::mem::replace(&mut state.signs, key);
        for held in &mut state.keys {
            if held.key.id() == id {
                held.replaced = None;
            } else if held.key.id() == before.id() {
                held.replaced = Some(now);
            }
        }
        Ok(())
    }

    /// Takes a key away at once: what it has signed is refused from now on. For a key that somebody else has.
    ///
    /// # Errors
    /// Where there is no such key, and where it signs: promote another first.
    pub fn retire(&self, id: &str) -> Result<(), KeyError> {
        let mut state = self.0.state.write();
        if state.signs.id() == id {
            return Err(KeyError::Signs { id: id.to_owned() });
        }
        let before = state.keys.len();
        state.keys.retain(|held| held.key.id() != id);
        if state.keys.len() == before {
            return Err(KeyError::Unknown { id: id.to_owned() });
        }
        // After the key is gone: whoever reads the new generation verifies without it.
        self.0.generation.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    /// The id of the key that signs.
    #[must_use]
    pub fn signs_with(&self) -> String {
        self.0.state.read().signs.id().to_owned()
    }

    /// The ids of all that verify, in the order in which they came.
    #[must_use]
    pub fn ids(&self) -> Vec<String> {
        let state = self.0.state.read();
        state.current().map(|held| held.key.id().to_owned()).collect()
    }

    pub(crate) fn set_clock(&self, clock: Clock) {
        self.0.state.write().clock = clock;
    }

    pub(crate) fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::SeqCst)
    }

    pub(crate) fn signing(&self) -> Arc<SigningKey> {
        Arc::clone(&self.0.state.read().signs)
    }

    pub(crate) fn verifying(&self, id: &str) -> Option<Arc<SigningKey>> {
        let state = self.0.state.read();
        state.current().find(|held| held.key.id() == id).map(|held| Arc::clone(&held.key))
    }

    pub(crate) fn published(&self) -> Value {
        let state = self.0.state.read();
        json!({ "keys": state.current().map(|held| held.key.public.jwk()).collect::<Vec<_>>() })
    }
}

impl State {
    fn current(&self) -> impl Iterator<Item = &Held> {
        let now = self.clock.now();
        self.keys.iter().filter(move |held| held.replaced.is_none_or(|replaced| now < replaced + KEPT))
    }

    fn drop_past(&mut self) {
        let now = self.clock.now();
        self.keys.retain(|held| held.replaced.is_none_or(|replaced| now < replaced + KEPT));
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("ids", &self.ids()).field("signs_with", &self.signs_with()).finish()
    }
}

/// As long as an access token can live, and a minute for one that is signed while the key changes.
const KEPT: Duration = crate::model::lifetime::LONGEST_ACCESS_TOKEN.saturating_add(Duration::from_secs(60));

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
            assert!(key.public.verifies(b"message", &signature) && !key.public.verifies(b"massage", &signature));
        }
        assert_eq!(
            SigningKey::from_pem(&forms[0]).expect("a key").id(),
            SigningKey::from_pem(&forms[1]).expect("a key").id()
        );

        let (x, d) = (ed.public_key().as_ref().to_vec(), ed.to_pkcs8v1().expect("DER").as_ref()[16..].to_vec());
        let jwk =
            json!({ "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(x), "d": URL_SAFE_NO_PAD.encode(d) });
        assert_eq!(
            SigningKey::from_jwk(&jwk.to_string()).expect("a key").id(),
            SigningKey::from_pem(&forms[2]).expect("a key").id()
        );
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

    #[cfg(feature = "testing")]
    #[test]
    fn a_replaced_key_verifies_for_as_long_as_a_token_lives() {
        let clock = Clock::by_hand();
        let keys = Keys::new(SigningKey::generate().expect("a key"));
        keys.set_clock(clock.clone());
        let (first, next) = (keys.signs_with(), keys.add(SigningKey::generate().expect("a key")).expect("new"));
        assert_eq!(keys.promote("other"), Err(KeyError::Unknown { id: "other".to_owned() }));
        assert_eq!(keys.retire(&first), Err(KeyError::Signs { id: first.clone() }));
        keys.promote(&next).expect("it is there");
        clock.advance(KEPT - Duration::from_secs(1));
        assert!(keys.verifying(&first).is_some());
        clock.advance(Duration::from_secs(1));
        assert!(keys.verifying(&first).is_none() && keys.ids() == [next.clone()]);
        // It may come back, as a new one.
        assert_eq!(keys.promote(&first), Err(KeyError::Unknown { id: first }));
        let twice = pem("PRIVATE KEY", ec().to_pkcs8v1().expect("DER").as_ref());
        let next = keys.add(SigningKey::from_pem(&twice).expect("a key")).expect("new");
        let again = SigningKey::from_pem(&twice).expect("a key");
        assert_eq!(keys.add(again), Err(KeyError::Twice { id: next }));
    }
}
