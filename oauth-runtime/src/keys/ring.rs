//! The keys of one service: what signs its tokens and verifies them (RFC 9068).

#[cfg(fuzzing)]
mod fuzz;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::error::Reason;
use crate::keys::derived::DerivedKeys;
use crate::keys::jwt::{ACCESS_TOKEN, Expected, ID_TOKEN, Jwt, Parts};
use crate::keys::rotation::Keys;
use crate::keys::sealed::Opener;
use crate::keys::verified::Verified;
use crate::model::Timestamp;
use crate::model::jwk::Algorithm;

#[cfg(fuzzing)]
pub(crate) use fuzz::fuzz;

/// The keys of one service. Callers see neither how many there are nor of what kind.
pub(crate) enum KeyRing {
    /// Derived from the service's secrets.
    Derived(DerivedKeys),
    /// The author's own.
    Own(Keys),
}

impl KeyRing {
    /// Changes whenever a key stops verifying before its time: tokens verified before must be verified again.
    pub(crate) fn generation(&self) -> u64 {
        match self {
            KeyRing::Derived(_) => 0,
            KeyRing::Own(keys) => keys.generation(),
        }
    }

    /// The ids of the [published](Self::published) keys, in the same order.
    pub(crate) fn published_ids(&self) -> Option<Vec<String>> {
        match self {
            KeyRing::Derived(keys) => keys.published_ids(),
            KeyRing::Own(keys) => Some(keys.ids()),
        }
    }

    /// The public keys, as a JWK set (RFC 7517 §5); `None` if there are only secret ones.
    pub(crate) fn published(&self) -> Option<Value> {
        let keys = match self {
            KeyRing::Derived(keys) => keys.published()?,
            KeyRing::Own(keys) => keys.published(),
        };
        Some(json!({ "keys": keys }))
    }

    /// The algorithm that signs.
    pub(crate) fn algorithm(&self) -> Algorithm {
        match self {
            KeyRing::Derived(keys) => keys.algorithm(),
            KeyRing::Own(keys) => keys.signing().header.alg,
        }
    }

    /// The algorithms that can sign ID tokens, beginning with the one for clients that ask for none.
    pub(crate) fn algorithms(&self) -> Vec<Algorithm> {
        match self {
            KeyRing::Derived(keys) => vec![keys.algorithm()],
            KeyRing::Own(keys) => keys.algorithms(),
        }
    }

    /// The id of the key that signs; `None` if there is none at the moment.
    pub(crate) fn signs_with(&self) -> Option<String> {
        match self {
            KeyRing::Derived(keys) => keys.signs_with(),
            KeyRing::Own(keys) => Some(keys.signs_with()),
        }
    }

    /// Signs claims as an access token.
    pub(crate) fn sign(&self, claims: &impl Serialize) -> Option<String> {
        self.sign_as(ACCESS_TOKEN, claims)
    }

    /// Signs claims as a JWT of this type.
    pub(crate) fn sign_as(&self, typ: &str, claims: &impl Serialize) -> Option<String> {
        match self {
            KeyRing::Derived(keys) => keys.sign(typ, claims),
            KeyRing::Own(keys) => keys.signing().sign_jwt(typ, claims),
        }
    }

    /// Signs an ID token or a logout token with the algorithm that the client asks for; the claims may depend on it.
    /// `None` if no key signs with that algorithm any more.
    pub(crate) fn sign_for_client(
        &self,
        typ: &str,
        asked: Option<Algorithm>,
        claims: impl FnOnce(Algorithm) -> Map<String, Value>,
    ) -> Option<String> {
        match self {
            KeyRing::Derived(keys) => {
                let algorithm = keys.algorithm();
                if asked.is_some_and(|asked| asked != algorithm) {
                    return None;
                }
                keys.sign(typ, &claims(algorithm))
            }
            KeyRing::Own(keys) => {
                let key = match asked {
                    Some(asked) => keys.signing_with(asked)?,
                    None => keys.signing(),
                };
                key.sign_jwt(typ, &claims(key.header.alg))
            }
        }
    }

    /// Verifies an access token: signature, type, issuer, audience and expiry (RFC 9068 §4). No leeway is given, since
    /// the signer is the verifier.
    pub(crate) fn verify(
        &self,
        token: &str,
        opener: &Opener,
        expected: &Expected,
        now: Timestamp,
    ) -> Result<Verified, Reason> {
        let parts = Parts::of(token)?;
        self.verify_own(&parts).unwrap_or_else(|| self.verify_other(parts))?;
        Verified::read(&parts.payload()?, opener, expected, now)
    }

    /// Whether the header of this token names a public key, which would take long to verify its signature.
    pub(crate) fn asks_a_public_key(&self, token: &str) -> bool {
        let Ok(parts) = Parts::of(token) else { return false };
        if let KeyRing::Derived(keys) = self
            && keys.is_of_secret(&parts)
        {
            return false;
        }
        let Ok(jwt) = parts.read() else { return false };
        let (Some(alg), Some(kid)) = (jwt.header.alg, jwt.header.kid.as_deref()) else { return false };
        let key = match self {
            KeyRing::Derived(keys) => keys.public(kid).ok().flatten(),
            KeyRing::Own(keys) => keys.verifying(kid),
        };
        key.is_some_and(|key| key.header.alg == alg)
    }

    /// Verifies what one of these keys signed: the header is compared, and need not be read.
    fn verify_own(&self, parts: &Parts<'_>) -> Option<Result<(), Reason>> {
        match self {
            KeyRing::Derived(keys) => keys.verify_own(parts),
            KeyRing::Own(keys) => keys.of_header(parts).map(|key| key.verify_own(parts)),
        }
    }

    /// Verifies a token with any other header, by all rules for headers.
    fn verify_other(&self, parts: Parts<'_>) -> Result<(), Reason> {
        let jwt = parts.read()?;
        // RFC 9068 §4: an ID token or any other JWT is not an access token
        if !jwt.header.is_type(ACCESS_TOKEN) {
            return Err(Reason::TokenType);
        }
        self.verify_signature(&jwt)
    }

    /// Verifies by the key that the token names.
    fn verify_signature(&self, jwt: &Jwt<'_>) -> Result<(), Reason> {
        let kid = jwt.header.kid.as_deref().ok_or(Reason::TokenSignature)?;
        match self {
            KeyRing::Derived(keys) => keys.verify(jwt, kid),
            KeyRing::Own(keys) => keys.verifying(kid).ok_or(Reason::TokenSignature)?.verify_jwt(jwt),
        }
    }

    /// An ID token that comes back as a hint, however old it is. Its key may be gone by now: then it proves nothing.
    pub(crate) fn id_token(&self, token: &str, issuer: &str) -> Result<IdTokenHint, Reason> {
        let jwt = Jwt::parse(token)?;
        let claims: Map<String, Value> = jwt.claims()?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        // ID tokens are for others to verify: HS256 signs none.
        let is_ours = jwt.header.alg != Some(Algorithm::HS256)
            && self.verify_signature(&jwt).is_ok()
            && jwt.header.is_type(ID_TOKEN)
            && claims.get("iss").is_some_and(|named| named == issuer);
        let subject = text("sub").ok_or(Reason::HintMalformed)?;
        let verified = is_ours.then(|| SignedInAs { subject: subject.clone(), session: text("sid") });
        Ok(IdTokenHint { client_id: text("aud"), subject, verified })
    }
}

/// What is read of an ID token that comes back as a hint.
#[derive(Debug)]
pub(crate) struct IdTokenHint {
    /// As it says, verified or not.
    pub(crate) client_id: Option<String>,
    /// As it says, verified or not.
    pub(crate) subject: String,
    /// `None` if it is not of this server, or of a key that is gone.
    pub(crate) verified: Option<SignedInAs>,
}

/// The client and the user for whom an ID token was issued.
#[derive(Debug)]
pub(crate) struct SignedInAs {
    pub(crate) subject: String,
    pub(crate) session: Option<String>,
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use aws_lc_rs::hmac;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::*;
    use crate::error::Audiences;
    use crate::keys::jwt::MAX_BYTES;
    use crate::keys::signing_key::SigningKey;
    use crate::model::Clock;
    use crate::model::secret::{Secret, Secrets};
    use crate::seal::{Sealer, derive};

    const NOW: Timestamp = Timestamp::from_seconds(1_000);

    fn opener() -> Opener {
        let secrets = Secrets::new(Secret::from("secret"), []);
        let sealer = Sealer::new(&secrets, "https://a.example").expect("keys derive from any secret");
        Opener::new(&Arc::new(sealer))
    }

    fn ring(secret: &str) -> KeyRing {
        derived(secret, false)
    }

    fn derived(secret: &str, are_public: bool) -> KeyRing {
        let secrets = Secrets::new(Secret::from(secret), []);
        let keys = DerivedKeys::new(&secrets, "https://a.example", are_public, Clock::system());
        KeyRing::Derived(keys.expect("keys derive from any secret"))
    }

    fn hmac_key(secret: &str) -> hmac::Key {
        let key = derive(&Secret::from(secret), b"sign HS256").expect("keys derive from any secret");
        hmac::Key::new(hmac::HMAC_SHA256, &key)
    }

    fn header(token: &str) -> Value {
        let header = token.split('.').next().expect("three parts");
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).expect("base64url")).expect("JSON")
    }

    fn claims(change: Value) -> Map<String, Value> {
        let mut claims = json!({
            "iss": "https://a.example", "aud": "https://a.example", "sub": "alice", "client_id": "spa", "iat": 900,
            "exp": 1100, "jti": "1", "role": "admin"
        });
        for (name, value) in change.as_object().expect("an object") {
            claims[name] = value.clone();
        }
        claims
            .as_object()
            .expect("an object")
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    fn verify(token: &str) -> Result<Verified, Reason> {
        let expected = Expected::own("https://a.example", "https://a.example");
        ring("secret").verify(token, &opener(), &expected, NOW)
    }

    fn refusal(change: Value) -> Option<Reason> {
        verify(&ring("secret").sign(&claims(change)).expect("signs")).err()
    }

    #[test]
    fn c26_expiry_audience_issuer_and_presence_are_checked() {
        assert_eq!(refusal(json!({})), None);
        assert_eq!(refusal(json!({ "aud": ["other", "https://a.example"] })), None);
        assert_eq!(refusal(json!({ "exp": 1000 })), Some(Reason::TokenExpired));
        assert_eq!(refusal(json!({ "iss": "https://b.example" })), Some(Reason::TokenIssuer));
        for audience in [vec!["other".to_owned()], vec![]] {
            let apart = Audiences { of_the_token: audience.clone(), expected: "https://a.example".to_owned() };
            assert_eq!(refusal(json!({ "aud": audience })), Some(Reason::TokenAudience(Box::new(apart))));
        }
        assert_eq!(refusal(json!({ "nbf": 1001 })), Some(Reason::TokenMalformed));
        assert!(
            verify(&ring("secret").sign(&claims(json!({}))).expect("signs"))
                .is_ok_and(|it| it.registered.signed_in_at.is_none())
        );
        let token = ring("secret").sign(&claims(json!({ "auth_time": 800 }))).expect("signs");
        let signed_in_at = verify(&token).expect("good").registered.signed_in_at;
        assert_eq!(signed_in_at, Some(Timestamp::from_seconds(800)));
        for required in ["iss", "aud", "sub", "exp", "iat", "jti", "client_id"] {
            assert_eq!(refusal(json!({ required: null })), Some(Reason::TokenMalformed), "{required}");
        }
    }

    #[test]
    fn c26_type_algorithm_and_key_are_pinned() {
        let good = ring("secret").sign(&claims(json!({}))).expect("signs");
        let kid = header(&good)["kid"].clone();
        let payload = good.split('.').nth(1).expect("three parts").to_owned();
        let with = |header: Value| {
            let message = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(header.to_string()));
            let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&hmac_key("secret"), message.as_bytes()));
            verify(&format!("{message}.{signature}")).err()
        };
        assert_eq!(with(json!({ "alg": "HS256", "typ": "AT+JWT", "kid": kid })), None);
        assert_eq!(with(json!({ "alg": "HS256", "typ": "application/at+jwt", "kid": kid })), None);
        assert_eq!(with(json!({ "alg": "HS256", "typ": "JWT", "kid": kid })), Some(Reason::TokenType));
        assert_eq!(with(json!({ "alg": "HS256", "kid": kid })), Some(Reason::TokenType));
        assert_eq!(with(json!({ "alg": "HS384", "typ": "at+jwt", "kid": kid })), Some(Reason::TokenSignature));
        assert_eq!(with(json!({ "alg": "none", "typ": "at+jwt", "kid": kid })), Some(Reason::TokenMalformed));
        assert_eq!(with(json!({ "alg": "HS256", "typ": "at+jwt" })), Some(Reason::TokenSignature));
        assert_eq!(with(json!({ "alg": "HS256", "typ": "at+jwt", "kid": "x" })), Some(Reason::TokenSignature));
        assert_eq!(
            with(json!({ "alg": "HS256", "typ": "at+jwt", "kid": kid, "crit": ["x"] })),
            Some(Reason::TokenMalformed)
        );
        let stripped = format!("{}.", good.rsplit_once('.').expect("three parts").0);
        assert_eq!(verify(&stripped).err(), Some(Reason::TokenSignature));
        let foreign = ring("other").sign(&claims(json!({}))).expect("signs");
        assert_eq!(verify(&foreign).err(), Some(Reason::TokenSignature));
        assert_eq!(verify(&"a".repeat(MAX_BYTES + 1)).err(), Some(Reason::TokenTooLong));
    }

    #[test]
    fn c26_a_public_key_is_no_secret_and_a_token_brings_no_key() {
        let own = Keys::generate().expect("a key");
        let ring = KeyRing::Own(own.clone());
        let expected = Expected::own("https://a.example", "https://a.example");
        let good = ring.sign(&claims(json!({}))).expect("signs");
        assert!(ring.verify(&good, &opener(), &expected, NOW).is_ok());
        let payload = good.split('.').nth(1).expect("three parts").to_owned();
        let kid = own.signs_with();
        let published = own.published().swap_remove(0);
        let point = |name: &str| URL_SAFE_NO_PAD.decode(published[name].as_str().expect("text")).expect("base64url");
        let secrets = [
            serde_json::to_vec(&published).expect("JSON"),
            [[4].as_slice(), &point("x"), &point("y")].concat(),
            kid.clone().into_bytes(),
        ];
        for secret in secrets {
            let header = json!({ "alg": "HS256", "typ": "at+jwt", "kid": kid });
            let message = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(header.to_string()));
            let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), message.as_bytes());
            let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature));
            assert_eq!(ring.verify(&token, &opener(), &expected, NOW).err(), Some(Reason::TokenSignature));
        }

        // A key of the attacker's own, offered in each place that a header has for one.
        let theirs = SigningKey::generate().expect("a key");
        for (name, value) in [
            ("jwk", theirs.published.clone()),
            ("jku", json!("https://evil.example/jwks.json")),
            ("x5u", json!("https://evil.example/cert.pem")),
            ("x5c", json!(["MIIB"])),
            ("kid", json!("../../../../dev/null")),
            ("kid", json!(theirs.id())),
            ("kid", json!("' OR 1=1 --")),
        ] {
            let mut header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": kid });
            header[name] = value;
            let message = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(header.to_string()));
            let signature = URL_SAFE_NO_PAD.encode(theirs.sign(message.as_bytes()).expect("signs"));
            let token = format!("{message}.{signature}");
            assert_eq!(ring.verify(&token, &opener(), &expected, NOW).err(), Some(Reason::TokenSignature), "{name}");
        }
        // Derived keys do not verify its tokens, nor does it verify theirs.
        for other in [derived("secret", false), derived("secret", true)] {
            let token = other.sign(&claims(json!({}))).expect("signs");
            assert_eq!(ring.verify(&token, &opener(), &expected, NOW).err(), Some(Reason::TokenSignature));
            assert_eq!(other.verify(&good, &opener(), &expected, NOW).err(), Some(Reason::TokenSignature));
        }
        // An ID token of the same key is not an access token (RFC 9068 §4).
        let id_token = ring.sign_as("JWT", &claims(json!({}))).expect("signs");
        assert_eq!(ring.verify(&id_token, &opener(), &expected, NOW).err(), Some(Reason::TokenType));
    }

    #[test]
    fn c26_both_derived_kinds_verify_and_none_under_the_algorithm_of_the_other() {
        let expected = Expected::own("https://a.example", "https://a.example");
        let rings = [derived("secret", false), derived("secret", true)];
        let tokens = [&rings[0], &rings[1]].map(|ring| ring.sign(&claims(json!({}))).expect("signs"));
        assert_eq!(tokens.each_ref().map(|token| header(token)["alg"].clone()), ["HS256", "ES256"]);
        // A service may begin or cease to publish keys, its processes one after another.
        for (ring, token) in rings.iter().flat_map(|ring| tokens.iter().map(move |token| (ring, token))) {
            assert!(ring.verify(token, &opener(), &expected, NOW).is_ok(), "{token}");
        }

        // RFC 8725 §3.1: the id of each key with the algorithm of the other, signed by anything that an attacker could
        // use.
        let ring = &rings[1];
        let [hs256, es256] = tokens.each_ref().map(|token| header(token)["kid"].clone());
        let published = ring.published().expect("public keys")["keys"][0].clone();
        assert_eq!(published["kid"], es256);
        let payload = tokens[0].split('.').nth(1).expect("three parts");
        let signed = |alg: &str, kid: &Value, sign: &dyn Fn(&[u8]) -> Vec<u8>| {
            let header = json!({ "alg": alg, "typ": "at+jwt", "kid": kid }).to_string();
            let message = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(header));
            let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(sign(message.as_bytes())));
            ring.verify(&token, &opener(), &expected, NOW).err()
        };
        let point = |name: &str| URL_SAFE_NO_PAD.decode(published[name].as_str().expect("text")).expect("base64url");
        for secret in [
            serde_json::to_vec(&published).expect("JSON"),
            [[4].as_slice(), &point("x"), &point("y")].concat(),
            es256.to_string().into_bytes(),
        ] {
            let sign =
                |message: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), message).as_ref().to_vec();
            for kid in [&hs256, &es256] {
                assert_eq!(signed("HS256", kid, &sign), Some(Reason::TokenSignature), "{kid}");
            }
        }
        let own = |message: &[u8]| hmac::sign(&hmac_key("secret"), message).as_ref().to_vec();
        assert_eq!(signed("HS256", &hs256, &own), None, "the control");
        for (alg, kid) in [("HS256", &es256), ("ES256", &hs256), ("ES256", &es256)] {
            assert_eq!(signed(alg, kid, &own), Some(Reason::TokenSignature), "{alg} {kid}");
        }
        let theirs = SigningKey::generate().expect("a key");
        let theirs = |message: &[u8]| theirs.sign(message).expect("signs");
        for (alg, kid) in [("ES256", &hs256), ("ES256", &es256), ("HS256", &hs256)] {
            assert_eq!(signed(alg, kid, &theirs), Some(Reason::TokenSignature), "{alg} {kid}");
        }
    }

    #[test]
    fn an_id_token_proves_who_it_was_for_only_under_a_public_key() {
        let claims = claims(json!({ "aud": "spa" }));
        let read = |ring: &KeyRing, token: &str| {
            ring.id_token(token, "https://a.example").expect("a JWT").verified.map(|verified| verified.subject)
        };
        let (secret, public) = (derived("secret", false), derived("secret", true));
        let id_token = public.sign_as(ID_TOKEN, &claims).expect("signs");
        assert_eq!(read(&public, &id_token).as_deref(), Some("alice"));
        assert_eq!(read(&secret, &id_token).as_deref(), Some("alice"), "openid was taken away since");
        assert_eq!(read(&derived("other", true), &id_token), None);
        let id_token = secret.sign_as(ID_TOKEN, &claims).expect("signs");
        assert_eq!(read(&public, &id_token), None);
        assert_eq!(read(&secret, &id_token), None);
    }
}
