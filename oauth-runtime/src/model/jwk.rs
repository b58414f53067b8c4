//! Keys as JSON (RFC 7517): read, checked and written in one place.
//!
//! `jsonwebtoken` reads them and verifies by the keys of others; aws-lc checks whether the numbers are a key at all.

use std::collections::BTreeMap;

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::aws_lc;
use jsonwebtoken::jwk::{
    AlgorithmParameters, CommonParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse,
};
use jsonwebtoken::{DecodingKey, DecodingKeyKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::hash::sha256;
use crate::model::proof::Thumbprint;

/// How a JWT is signed, by its name in a header (RFC 7518 §3.1, RFC 8037 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Algorithm {
    HS256,
    ES256,
    // RFC 9864 §2.2: the newer name, with this one curve
    #[serde(alias = "Ed25519")]
    EdDSA,
    RS256,
}

impl Algorithm {
    /// How long its signatures are at most.
    pub(crate) fn most_bytes(self) -> usize {
        match self {
            Algorithm::HS256 => 32,
            Algorithm::ES256 | Algorithm::EdDSA => 64,
            // Of a key of 8192 bits.
            Algorithm::RS256 => 1024,
        }
    }

    fn jose(self) -> jsonwebtoken::Algorithm {
        match self {
            Algorithm::HS256 => jsonwebtoken::Algorithm::HS256,
            Algorithm::ES256 => jsonwebtoken::Algorithm::ES256,
            Algorithm::EdDSA => jsonwebtoken::Algorithm::EdDSA,
            Algorithm::RS256 => jsonwebtoken::Algorithm::RS256,
        }
    }
}

/// The algorithms of signatures that others verify with a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureAlgorithm {
    /// ECDSA over P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
    /// RSA PKCS#1 v1.5 with SHA-256.
    Rs256,
}

impl SignatureAlgorithm {
    pub(crate) const ALL: [SignatureAlgorithm; 3] =
        [SignatureAlgorithm::Es256, SignatureAlgorithm::EdDsa, SignatureAlgorithm::Rs256];

    pub(crate) fn jose(self) -> Algorithm {
        match self {
            SignatureAlgorithm::Es256 => Algorithm::ES256,
            SignatureAlgorithm::EdDsa => Algorithm::EdDSA,
            SignatureAlgorithm::Rs256 => Algorithm::RS256,
        }
    }
}

/// A public key that verifies signatures, checked when it was read.
pub(crate) struct PublicKey {
    pub(crate) algorithm: Algorithm,
    jwk: Jwk,
    key: DecodingKey,
}

/// Why a text gives no keys.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidJwk {
    /// It is not a JSON object, has a member of the wrong type, or is a set without keys.
    #[error("it must be a JWK, or a JWK set with keys in it, as JSON")]
    NotAKey,
    /// It has the private part in it.
    #[error(
        "it has a private or secret key in it: give only the public part of a key pair, and keep the rest with the client"
    )]
    Private,
    /// It is not P-256, Ed25519 or RSA of 2048 to 8192 bits, or its numbers have another length.
    #[error(
        "it must be of kind P-256 (ES256), Ed25519 (EdDSA) or RSA of 2048 to 8192 bits (RS256), with all numbers of its \
         kind in their full length"
    )]
    Kind,
    /// Its numbers are not base64url without padding.
    #[error("its `x`, `y`, `n` and `e` must be base64url without padding")]
    Encoding,
    /// Its numbers are not a public key, such as a point that is not on the curve.
    #[error(
        "its numbers are not a public key, so export it again: a point must be on its curve, an RSA modulus and its \
         exponent must be odd and begin with no zero byte, and the exponent must be 3 or more"
    )]
    Numbers,
    /// Its `alg`, `use` or `key_ops` says that it is for something else.
    #[error(
        "its `use` must be sig, its `key_ops` must contain verify and its `alg` must be that of its kind, or they must \
         be left out"
    )]
    Use,
    /// Another key has the same `kid`.
    #[error("another key has the same `kid`: give each key its own")]
    SameId,
}

crate::model::debug_as_text!(InvalidJwk);

impl PublicKey {
    /// The keys that a client is registered with: each text is a JWK or a set of them.
    pub(crate) fn registered(texts: &[String]) -> Result<Vec<Self>, InvalidJwk> {
        let mut keys: Vec<PublicKey> = Vec::new();
        for text in texts {
            let json: Value = serde_json::from_str(text).map_err(|_| InvalidJwk::NotAKey)?;
            let set = match json.get("keys") {
                Some(Value::Array(set)) if !set.is_empty() => set.clone(),
                Some(_) => return Err(InvalidJwk::NotAKey),
                None => vec![json],
            };
            for jwk in set {
                let key = PublicKey::from_jwk(jwk)?;
                // RFC 7517 §4.5
                if key.id().is_some() && keys.iter().any(|other| other.id() == key.id()) {
                    return Err(InvalidJwk::SameId);
                }
                keys.push(key);
            }
        }
        Ok(keys)
    }

    /// From a public JWK for signatures.
    pub(crate) fn from_jwk(mut json: Value) -> Result<Self, InvalidJwk> {
        if is_private(&json) {
            return Err(InvalidJwk::Private);
        }
        // RFC 9864 §2.2: the newer name of EdDSA with Ed25519
        if json.get("alg").is_some_and(|named| named == "Ed25519") {
            json["alg"] = "EdDSA".into();
        }
        let jwk: Jwk = serde_json::from_value(json).map_err(|_| InvalidJwk::NotAKey)?;
        let algorithm = match &jwk.algorithm {
            AlgorithmParameters::EllipticCurve(it) if it.curve == EllipticCurve::P256 => Algorithm::ES256,
            AlgorithmParameters::OctetKeyPair(it) if it.curve == EllipticCurve::Ed25519 => Algorithm::EdDSA,
            AlgorithmParameters::RSA(_) => Algorithm::RS256,
            _ => return Err(InvalidJwk::Kind),
        };
        let key = DecodingKey::from_jwk(&jwk).map_err(|_| InvalidJwk::Encoding)?;
        let has_its_length = match (&jwk.algorithm, key.kind()) {
            // RFC 7518 §6.2.1.2: each coordinate has its 32 bytes
            (AlgorithmParameters::EllipticCurve(it), _) => it.x.len() == LENGTH_OF_32 && it.y.len() == LENGTH_OF_32,
            (AlgorithmParameters::OctetKeyPair(it), _) => it.x.len() == LENGTH_OF_32,
            (_, DecodingKeyKind::RsaModulusExponent { n, .. }) => (2048..=8192).contains(&bits(n)),
            _ => false,
        };
        if !has_its_length {
            return Err(InvalidJwk::Kind);
        }
        let CommonParameters { public_key_use, key_operations, key_algorithm, .. } = &jwk.common;
        // RFC 7517 §4.2 to §4.4
        let is_for_this = public_key_use.as_ref().is_none_or(|it| *it == PublicKeyUse::Signature)
            && key_operations.as_ref().is_none_or(|it| it.contains(&KeyOperations::Verify))
            && key_algorithm.is_none_or(|it| it == KeyAlgorithm::from(algorithm.jose()));
        if !is_for_this {
            return Err(InvalidJwk::Use);
        }
        let key = PublicKey { algorithm, jwk, key };
        if key.parsed().is_some() { Ok(key) } else { Err(InvalidJwk::Numbers) }
    }

    /// From the public members of a private JWK.
    pub(crate) fn of_private(mut json: Value) -> Result<Self, InvalidJwk> {
        let members = json.as_object_mut().ok_or(InvalidJwk::NotAKey)?;
        members.retain(|name, _| !PRIVATE.contains(&name.as_str()));
        // RFC 7517 §4.3: the private key signs, the public one verifies
        let signs = |it: Value| it.as_array().is_some_and(|all| all.iter().any(|it| it == "sign"));
        if members.remove("key_ops").is_none_or(signs) { PublicKey::from_jwk(json) } else { Err(InvalidJwk::Use) }
    }

    /// Its `kid`, as it came.
    pub(crate) fn id(&self) -> Option<&str> {
        self.jwk.common.key_id.as_deref()
    }

    /// Whether two have the same `kid` and the same numbers.
    #[cfg(feature = "resource-server")]
    pub(crate) fn is_same(&self, other: &PublicKey) -> bool {
        self.id() == other.id() && self.jwk.algorithm == other.jwk.algorithm
    }

    /// Its thumbprint (RFC 7638).
    pub(crate) fn thumbprint(&self) -> Option<Thumbprint> {
        // RFC 7638 §3: only the required members, in the order of their names, without white space
        let members: BTreeMap<String, Value> =
            serde_json::from_value(serde_json::to_value(&self.jwk.algorithm).ok()?).ok()?;
        Some(Thumbprint::of(sha256(&serde_json::to_vec(&members).ok()?)))
    }

    /// Its thumbprint, and the JWK with that as its `kid`.
    pub(crate) fn published(&self) -> Option<(String, Value)> {
        let id = String::from(self.thumbprint()?);
        let common = CommonParameters {
            public_key_use: Some(PublicKeyUse::Signature),
            key_algorithm: Some(self.algorithm.jose().into()),
            key_id: Some(id.clone()),
            ..CommonParameters::default()
        };
        let jwk = Jwk { common, algorithm: self.jwk.algorithm.clone() };
        Some((id, serde_json::to_value(jwk).ok()?))
    }

    /// Parsed, for keys of our own, which verify often. `None` if the numbers are not a key.
    pub(crate) fn parsed(&self) -> Option<ParsedPublicKey> {
        match (self.algorithm, self.key.kind()) {
            (Algorithm::ES256, DecodingKeyKind::SecretOrDer(point)) => {
                ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).ok()
            }
            (Algorithm::EdDSA, DecodingKeyKind::SecretOrDer(x)) => {
                // RFC 8032 §5.1.3: y is less than 2^255 - 19. aws-lc does not check whether it has an x.
                let is_too_large = x[31] | 0x80 == 0xff && x[1..31].iter().all(|it| *it == 0xff) && x[0] >= 0xed;
                let anyone_can_sign = SMALL_ORDER.contains(&URL_SAFE_NO_PAD.encode(x).as_str());
                if is_too_large || anyone_can_sign { None } else { ParsedPublicKey::new(&ED25519, x).ok() }
            }
            (Algorithm::RS256, DecodingKeyKind::RsaModulusExponent { n, e }) => {
                // The numbers are checked only as DER: odd, without leading zeros, the exponent neither 1 nor large.
                let der: PublicKeyX509Der<'_> = PublicKeyComponents { n, e }.as_der().ok()?;
                ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der.as_ref()).ok()
            }
            _ => None,
        }
    }

    /// Whether a message has this signature of the key.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        // By name: the default provider panics if another crate of the application turns on a second one.
        let verifier = (aws_lc::DEFAULT_PROVIDER.verifier_factory)(&self.algorithm.jose(), &self.key);
        verifier.is_ok_and(|verifier| verifier.verify(message, &signature.to_vec()).is_ok())
    }
}

/// A number of a JWK, public or private.
pub(crate) fn number(jwk: &Value, name: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(jwk.get(name)?.as_str()?).ok()
}

pub(crate) fn is_private(jwk: &Value) -> bool {
    PRIVATE.iter().any(|name| jwk.get(name).is_some())
}

/// What a public JWK must not have (RFC 7518 §6.2.2, §6.3.2, §6.4.1).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
/// The points of Ed25519 of order 1, 2, 4 and 8, under which anyone can sign. Some libraries read the last two as such.
const SMALL_ORDER: [&str; 10] = [
    "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "7P_______________________________________38",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA",
    "JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU",
    "JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_IU",
    "xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA3o",
    "xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA_o",
    "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA",
    "7P________________________________________8",
];
/// The length of 32 bytes in base64url.
const LENGTH_OF_32: usize = 43;

/// The length of a number that does not begin with a zero byte.
fn bits(number: &[u8]) -> usize {
    number.first().map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rsa::{KeySize, PublicKeyComponents};
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair,
    };
    use serde_json::json;

    use super::*;

    fn base64(bytes: impl AsRef<[u8]>) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn ec() -> Value {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        let point = pair.public_key().as_ref();
        json!({ "kty": "EC", "crv": "P-256", "x": base64(&point[1..33]), "y": base64(&point[33..]) })
    }

    fn ed() -> Value {
        let pair = Ed25519KeyPair::generate().expect("a key");
        json!({
            "kty": "OKP", "crv": "Ed25519", "x": base64(pair.public_key()), "use": "sig", "alg": "EdDSA", "kid": "a"
        })
    }

    fn rsa() -> Value {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
        let PublicKeyComponents::<Vec<u8>> { n, e } = pair.public_key().into();
        json!({ "kty": "RSA", "n": base64(n), "e": base64(e) })
    }

    fn refusal(jwk: impl ToString) -> Option<InvalidJwk> {
        PublicKey::registered(&[jwk.to_string()]).err()
    }

    /// Why a key is refused once this member has this value.
    fn with(jwk: &Value, name: &str, value: impl Into<Value>) -> Option<InvalidJwk> {
        let mut changed = jwk.clone();
        changed[name] = value.into();
        refusal(changed)
    }

    #[test]
    fn keys_are_public_of_three_kinds_and_for_signatures() {
        let (ec, ed, rsa) = (ec(), ed(), rsa());
        let x = ed["x"].clone();
        let set = json!({ "keys": [ec, ed, rsa] }).to_string();
        let keys = PublicKey::registered(&[set]).expect("three good keys");
        let algorithms: Vec<Algorithm> = keys.iter().map(|key| key.algorithm).collect();
        assert_eq!(algorithms, [Algorithm::ES256, Algorithm::EdDSA, Algorithm::RS256]);
        assert_eq!(keys[1].id(), Some("a"));

        for (name, value, why) in [
            ("d", x.clone(), InvalidJwk::Private),
            ("k", x.clone(), InvalidJwk::Private),
            ("p", x, InvalidJwk::Private),
            ("x", json!("AA"), InvalidJwk::Kind),
            ("crv", json!("X25519"), InvalidJwk::Kind),
            ("crv", json!("P-256"), InvalidJwk::Kind),
            ("kty", json!("oct"), InvalidJwk::Kind),
            ("use", json!("enc"), InvalidJwk::Use),
            ("alg", json!("ES256"), InvalidJwk::Use),
            ("key_ops", json!(["sign"]), InvalidJwk::Use),
            ("key_ops", json!("verify"), InvalidJwk::NotAKey),
            ("kid", json!(1), InvalidJwk::NotAKey),
        ] {
            assert_eq!(with(&ed, name, value), Some(why), "{name}");
        }
        assert_eq!(with(&ec, "alg", "Ed25519"), Some(InvalidJwk::Use));
        for curve in ["P-384", "Ed25519"] {
            assert_eq!(with(&ec, "crv", curve), Some(InvalidJwk::Kind), "{curve}");
        }
        for (name, value) in [("key_ops", json!(["verify"])), ("alg", json!("Ed25519")), ("ext", json!(true))] {
            assert_eq!(with(&ed, name, value), None, "{name}");
        }
        let short = json!({ "kty": "RSA", "n": URL_SAFE_NO_PAD.encode([0x81; 128]), "e": "AQAB" });
        assert_eq!(refusal(short), Some(InvalidJwk::Kind));
        for text in ["", "[]", "{\"keys\":[]}", "{\"keys\":1}", "{\"keys\":[1]}", "1"] {
            assert_eq!(refusal(text), Some(InvalidJwk::NotAKey), "{text}");
        }
        let twice = [ed.to_string(), json!({ "keys": [ec, ed] }).to_string()];
        assert_eq!(PublicKey::registered(&twice).err(), Some(InvalidJwk::SameId));
    }

    #[test]
    fn numbers_that_are_no_key_are_refused() {
        let (ec, ed, rsa) = (ec(), ed(), rsa());
        let text = |jwk: &Value, name: &str| jwk[name].as_str().expect("text").to_owned();
        let bytes = |jwk: &Value, name: &str| URL_SAFE_NO_PAD.decode(text(jwk, name)).expect("base64url");
        for (jwk, name) in [(&ec, "x"), (&ec, "y"), (&ed, "x"), (&rsa, "n"), (&rsa, "e")] {
            let padded = format!("{}=", text(jwk, name));
            assert_eq!(with(jwk, name, padded), Some(InvalidJwk::Encoding), "{name}");
        }

        // Not on the curve, and a coordinate too large for it
        assert_eq!(with(&ec, "x", text(&ec, "y")), Some(InvalidJwk::Numbers));
        assert_eq!(with(&ec, "x", base64([0; 32])), Some(InvalidJwk::Numbers));
        assert_eq!(with(&ec, "y", base64([0xff; 32])), Some(InvalidJwk::Numbers));
        // As long as two coordinates together, but not each
        let (x, y) = (bytes(&ec, "x"), bytes(&ec, "y"));
        let mut shifted = ec.clone();
        shifted["x"] = base64(&x[..31]).into();
        shifted["y"] = base64([&x[31..], &y].concat()).into();
        assert_eq!(refusal(shifted), Some(InvalidJwk::Kind));

        let (n, e) = (bytes(&rsa, "n"), bytes(&rsa, "e"));
        let even = [&n[..255], &[n[255] ^ 1]].concat();
        assert_eq!(with(&rsa, "n", base64(even)), Some(InvalidJwk::Numbers));
        let zero = [&[0], &*n].concat();
        assert_eq!(with(&rsa, "n", base64(zero)), Some(InvalidJwk::Numbers));
        let of_2047_bits = [&[0x7f], &n[1..]].concat();
        assert_eq!(with(&rsa, "n", base64(of_2047_bits)), Some(InvalidJwk::Kind));
        assert_eq!(with(&rsa, "n", base64([0x81; 1025])), Some(InvalidJwk::Kind));
        let zero = [&[0], &*e].concat();
        for e in [&[][..], &[0], &[1], &[2], &[1, 0, 0], &[1, 0, 0, 0, 1, 1], &zero] {
            assert_eq!(with(&rsa, "e", base64(e)), Some(InvalidJwk::Numbers), "{e:?}");
        }
        assert_eq!(with(&rsa, "e", base64([3])), None);

        // RFC 8032 §5.1.3: 2^255 - 19 and what is above it
        let mut p = [0xff; 32];
        (p[0], p[31]) = (0xed, 0x7f);
        assert_eq!(with(&ed, "x", base64(p)), Some(InvalidJwk::Numbers));
        assert_eq!(with(&ed, "x", base64([0xff; 32])), Some(InvalidJwk::Numbers));
        // The number below it that is no such point, and some that only begin or end as those above
        for (first, between, last) in [(0xeb, 0xff, 0x7f), (0xff, 0xff, 0x3f), (0xff, 0, 0x7f)] {
            let mut x = [between; 32];
            (x[0], x[31]) = (first, last);
            assert_eq!(with(&ed, "x", base64(x)), None, "{x:x?}");
        }
        for x in SMALL_ORDER {
            assert_eq!(with(&ed, "x", x), Some(InvalidJwk::Numbers), "{x}");
        }
    }

    /// The neutral point and 0 are a signature of each message whose hash the order divides.
    #[test]
    fn anyone_can_sign_under_a_point_of_small_order() {
        let mut neutral = [0; 64];
        neutral[0] = 1;
        let forges = |x: &str| {
            let point = URL_SAFE_NO_PAD.decode(x).expect("base64url");
            let key = ParsedPublicKey::new(&ED25519, point).expect("32 bytes");
            (0..64).any(|message| key.verify_sig(&[message], &neutral).is_ok())
        };
        assert!(SMALL_ORDER[..8].iter().all(|x| forges(x)));
        assert!(!forges(ed()["x"].as_str().expect("text")));
    }

    /// The example of RFC 7638 §3.1, and that of RFC 8037 appendix A.3.
    #[test]
    fn the_thumbprint_is_that_of_the_specifications() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        for (jwk, thumbprint) in [
            (
                json!({ "kty": "RSA", "n": n, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29" }),
                "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
            ),
            (json!({ "kty": "OKP", "crv": "Ed25519", "x": x }), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
        ] {
            let (id, jwk) = PublicKey::from_jwk(jwk).expect("a key").published().expect("a JWK");
            assert_eq!((id.as_str(), &jwk["kid"], &jwk["use"]), (thumbprint, &json!(thumbprint), &json!("sig")));
        }
    }
}
