//! Entries for the targets in `fuzz/`: each takes what a stranger sent, and panics if a rule is broken. Not covered by
//! semantic versioning.
#![allow(missing_docs, clippy::unwrap_used, reason = "the comment of a door says what holds")]

use std::collections::BTreeSet;
use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};
use url::Url;

use crate::keys::{Expected, Jwt, Proof, ProofOf};
use crate::model::base64url::BASE64URL;
use crate::model::form::Parameters;
use crate::model::hash::sha256;
use crate::model::issuer::is_loopback;
use crate::model::jwk::PublicKey;
use crate::model::redirect_uri::{Besides, OF_ANSWERS, RedirectUri};
use crate::model::secret::{Secret, Secrets};
use crate::model::{Scope, Timestamp};
use crate::seal::Sealer;

/// RFC 6749 appendix B: forms are read as by any other reader.
pub fn form(bytes: &[u8]) {
    let parsed = Parameters::parse(bytes);
    let mut expected = form_urlencoded::Serializer::new(String::new());
    expected.extend_pairs(form_urlencoded::parse(bytes));
    assert_eq!(parsed.without(&[]), expected.finish());
    for name in ["a", "code", "redirect_uri"] {
        let values: Vec<_> = form_urlencoded::parse(bytes).filter(|(there, _)| there == name).collect();
        match parsed.get(name, 64) {
            Ok(Some(value)) => assert!(values.len() == 1 && values[0].1 == value && value.len() <= 64),
            Ok(None) => assert!(values.is_empty() || (values.len() == 1 && values[0].1.is_empty())),
            Err(_) => {
                let [(_, value)] = &values[..] else { return assert!(!values.is_empty()) };
                assert!(value.len() > 64 || value.contains(char::REPLACEMENT_CHARACTER));
            }
        }
    }
}

/// RFC 6749 §3.3: a scope that is read is allowed, and reads the same once written.
pub fn scope(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let is_allowed =
        text.bytes().all(|byte| byte == b' ' || (byte.is_ascii_graphic() && byte != b'"' && byte != b'\\'));
    let Ok(scope) = text.parse::<Scope>() else {
        return assert!(!is_allowed || text.len() > Scope::MAX_BYTES);
    };
    assert!(is_allowed);
    assert!(scope.iter().eq(text.split(' ').filter(|token| !token.is_empty()).collect::<BTreeSet<_>>()));
    assert_eq!(scope.to_string().parse(), Ok(scope));
}

/// RFC 9700 §2.1, RFC 8252 §7.3: a URI that matches the registered one, on the first line, is the same or differs only
/// in the port of loopback; and the answer goes there, however either is spelled.
pub fn redirect_uri(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (registered, requested) = text.split_once('\n').unwrap_or((text, text));
    let Ok(uri) = RedirectUri::parse_leaving(&OF_ANSWERS, registered, Besides::default()) else { return };
    assert!(uri.matches(registered));
    if !uri.matches(requested) {
        return assert_ne!(registered, requested);
    }
    let requested_url = Url::parse(requested).unwrap();
    let parsed = Url::parse(registered).unwrap();
    assert!(requested_url.username().is_empty() && requested_url.password().is_none());
    if registered != requested {
        assert!(is_loopback(&parsed) && parsed.scheme() == "http");
        assert_eq!(without_port(registered), without_port(requested));
        assert_eq!(parsed.host(), requested_url.host());
    }
    let answer = uri.destination(requested).with(&[("code", "a b&c"), ("state", "\u{e4}=#?")]);
    let answer = Url::parse(&answer).unwrap();
    let place = |url: &Url| (url.origin(), url.path().to_owned(), url.fragment().is_some());
    if requested_url.origin().is_tuple() {
        assert_eq!(place(&answer), place(&requested_url));
    }
    let codes: Vec<_> = answer.query_pairs().filter(|(name, _)| name == "code").map(|(_, value)| value).collect();
    assert_eq!(codes, ["a b&c"]);
}

fn without_port(uri: &str) -> (&str, &str, &str) {
    let (scheme, rest) = uri.split_once("://").unwrap();
    let (authority, after) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let is_number = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    (scheme, authority.rsplit_once(':').filter(|(_, port)| is_number(port)).map_or(authority, |(host, _)| host), after)
}

/// Nothing opens that was not sealed here, and everything that can be sealed comes out unchanged.
pub fn seal(bytes: &[u8]) {
    static SEALERS: LazyLock<[Sealer; 3]> = LazyLock::new(|| {
        let [secret, another] = ["0123456789abcdef0123456789abcdef", "1123456789abcdef0123456789abcdef"];
        [(secret, ISSUER), (another, ISSUER), (secret, "https://b.example")].map(|(secret, issuer)| {
            Sealer::new(&Secrets::new(Secret::from(secret), []), issuer).expect("keys derive from any secret")
        })
    });
    let Some((number, text)) = bytes.split_first() else { return };
    if let Ok(text) = std::str::from_utf8(text) {
        crate::seal::fuzz(&SEALERS[0], &SEALERS[1..], *number, text);
    }
}

/// Who signs and which key's id stands for `KID`, a letter each; header and payload, a line each.
pub fn keys(bytes: &[u8]) {
    let Some(([signer, kid], text)) = bytes.split_first_chunk() else { return };
    let Some(parts) = std::str::from_utf8(text).ok().and_then(|text| text.split_once('\n')) else { return };
    crate::keys::fuzz_signed(*signer, *kid, parts, &Expected::own(ISSUER, ISSUER), NOW);
}

/// RFC 7519: headers and payloads as strangers write them; our own are read in two ways that agree.
pub fn jwt(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    crate::keys::fuzz_claims(text, &Expected::own(ISSUER, ISSUER), NOW);
    let (header, payload) = text.split_once('\n').unwrap_or((text, "{}"));
    let token = format!("{}.{}.AAAA", BASE64URL.encode(header), BASE64URL.encode(payload));
    for token in [text, &token] {
        let Ok(jwt) = Jwt::parse(token) else { continue };
        // RFC 8725 §3.1
        assert!(jwt.header.alg.is_none_or(|alg| jwt.verify(alg, |_, _| false).is_err()));
        if jwt.claims::<Map<String, Value>>().is_ok() {
            assert_eq!(token.split('.').count(), 3);
        }
    }
}

/// Keys as strangers publish them: a private one is never accepted, and none verifies an empty signature.
pub fn jwk(bytes: &[u8]) {
    let Ok(json) = serde_json::from_slice::<Value>(bytes) else { return };
    #[cfg(feature = "resource-server")]
    crate::keys::fuzz_published(&json);
    let Ok(key) = PublicKey::from_jwk(json.clone()) else { return };
    let has = |name: &str| json.get(name).is_some();
    assert!(!["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|name| has(name)));
    assert!(!key.verifies(b"a message", &[0; 64]));
    assert!(key.thumbprint().is_some());
}

/// Documents about clients.
#[cfg(feature = "mcp")]
pub fn document(bytes: &[u8]) {
    crate::clients::documents::fuzz(bytes);
}

/// RFC 9449 §4.3: header and claims, a line each, of a proof that is signed. An accepted proof is for this request and
/// of this time.
pub fn proof(bytes: &[u8]) {
    static KEY: LazyLock<EcdsaKeyPair> =
        LazyLock::new(|| EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap());
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let of = ProofOf { method: "POST", origin: "https://a.example", path: "/token", token: None };
    assert!(Proof::verify(text, &of, NOW).is_err(), "it was not signed");
    let Some((header, claims)) = text.split_once('\n') else { return };
    let Ok(Value::Object(mut header)) = serde_json::from_str(header) else { return };
    let point = KEY.public_key().as_ref();
    let [x, y] = [&point[1..33], &point[33..]].map(|number| BASE64URL.encode(number));
    header.entry("jwk").or_insert(json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y }));
    let header_text = Value::Object(header);
    let message = [header_text.to_string().as_str(), claims].map(|part| BASE64URL.encode(part)).join(".");
    let signature = KEY.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
    let signed = format!("{message}.{}", BASE64URL.encode(signature));
    let with_token = ProofOf { token: Some(b"a token"), ..of };
    // RFC 9449 §4.3, 12
    let is_of_token = Proof::verify(&signed, &with_token, NOW).is_ok();
    let Ok(proof) = Proof::verify(&signed, &of, NOW) else { return assert!(!is_of_token) };
    assert!(header_text["typ"].as_str().is_some_and(|typ| {
        let typ = typ.to_ascii_lowercase();
        typ == "dpop+jwt" || typ == "application/dpop+jwt"
    }));
    assert_eq!((header_text.get("alg"), header_text.get("crit")), (Some(&json!("ES256")), None));
    let claims: Value = serde_json::from_str(claims).unwrap();
    assert!(!is_of_token || claims["ath"] == BASE64URL.encode(sha256(b"a token")));
    let url = Url::parse(claims["htu"].as_str().unwrap()).unwrap();
    assert!(url.username().is_empty() && url.password().is_none());
    assert_eq!((&claims["htm"], url.origin()), (&json!("POST"), Url::parse("https://a.example").unwrap().origin()));
    // RFC 9449 §4.3: once both are in the normal form of RFC 3986 §6.2.2
    assert_eq!(percent_decode_str(url.path()).decode_utf8_lossy(), "/token");
    assert!(claims["iat"].as_f64().is_some_and(|iat| (930.0..1_011.0).contains(&iat)));
    assert!(proof.until > NOW && !claims["jti"].as_str().unwrap().is_empty());
}

const ISSUER: &str = "https://a.example";
const NOW: Timestamp = Timestamp::from_seconds(1_000);
