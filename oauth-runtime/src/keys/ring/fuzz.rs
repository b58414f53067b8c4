//! Tokens signed by keys that a stranger has, and by keys that only the service has.

use std::sync::{Arc, LazyLock};

use aws_lc_rs::hmac;
use base64::Engine as _;
use serde_json::{Value, json};

use crate::keys::derived::DerivedKeys;
use crate::keys::jwt::Expected;
use crate::keys::ring::KeyRing;
use crate::keys::rotation::Keys;
use crate::keys::sealed::Opener;
use crate::keys::signing_key::SigningKey;
use crate::model::base64url::BASE64URL;
use crate::model::secret::{Secret, Secrets};
use crate::model::{Clock, Timestamp};
use crate::seal::{Sealer, derive};

/// One of the signers signs header and payload, in which `KID` stands for the id of one of the keys. A ring accepts
/// only what its own keys signed, each by its own algorithm (RFC 8725 §3.1), and only as an access token.
pub(crate) fn fuzz(signer: u8, kid: u8, (header, payload): (&str, &str), expected: &Expected, now: Timestamp) {
    static SITE: LazyLock<Site> = LazyLock::new(Site::new);
    let signer = &SITE.signers[usize::from(signer) % SITE.signers.len()];
    let kid = &SITE.kids[usize::from(kid) % SITE.kids.len()];
    let header = header.replace("KID", kid);
    for (ring, taken) in SITE.rings.iter().zip(SITE.taken_by(&signer.token(&header, payload), expected, now)) {
        if !taken {
            continue;
        }
        assert!(signer.rings.contains(&ring.name), "{}: signed by {}", ring.name, signer.name);
        let header: Value = serde_json::from_str(&header).expect("it was read");
        let algorithm = header["alg"].as_str().map(|name| if name == "Ed25519" { "EdDSA" } else { name });
        assert_eq!((algorithm, header["kid"].as_str()), (signer.algorithm, signer.kid.as_deref()));
        let typ = header["typ"].as_str().expect("a type").to_ascii_lowercase();
        assert!(["at+jwt", "application/at+jwt"].contains(&typ.as_str()), "{typ}");
        assert!(header.get("crit").is_none(), "RFC 7515 §4.1.11");
        let claims: Value = serde_json::from_str(payload).expect("it was read");
        assert_eq!(claims["iss"], expected.issuer.as_str());
        assert!(claims["exp"].as_f64().is_some_and(|exp| exp > now.seconds() as f64));
        let is_for = |audience: &Value| audience == expected.audience.as_str();
        let audience = &claims["aud"];
        assert!(is_for(audience) || audience.as_array().is_some_and(|list| list.iter().any(is_for)), "{audience}");
    }
}

struct Site {
    rings: Vec<Ring>,
    signers: Vec<Signer>,
    /// The ids of all keys of the rings.
    kids: Vec<String>,
    opener: Opener,
}

struct Ring {
    name: &'static str,
    keys: KeyRing,
}

struct Signer {
    name: &'static str,
    algorithm: Option<&'static str>,
    kid: Option<String>,
    sign: Box<dyn Fn(&[u8]) -> Vec<u8> + Send + Sync>,
    /// The rings that have its key.
    rings: &'static [&'static str],
}

impl Site {
    fn new() -> Site {
        let secret = Secret::from("0123456789abcdef0123456789abcdef");
        let secrets = Secrets::new(secret.clone(), []);
        let derived =
            |are_public| DerivedKeys::new(&secrets, ISSUER, are_public, Clock::system()).expect("keys derive");
        let (hidden, public) = (derived(false), derived(true));
        let kid = public.signs_with().expect("a key signs");
        let period = public.public(&kid).expect("keys derive").expect("it is there");
        let [es256, eddsa] = [SigningKey::generate(), SigningKey::from_jwk(ED25519)].map(|key| key.expect("a key"));
        let own = Keys::new(es256).also(eddsa).expect("another algorithm");
        let keys: Vec<_> = own.ids().iter().map(|id| own.verifying(id).expect("it is there")).collect();

        let hs256 = hmac::Key::new(hmac::HMAC_SHA256, &derive(&secret, b"sign HS256").expect("keys derive"));
        let mut signers = vec![
            Signer {
                name: "the secret",
                algorithm: Some("HS256"),
                kid: hidden.signs_with(),
                sign: Box::new(move |message| hmac::sign(&hs256, message).as_ref().to_vec()),
                rings: &[SECRET, PUBLIC],
            },
            Signer::of("the period", "ES256", &period, &[SECRET, PUBLIC]),
            Signer::of("a key of its own", "ES256", &keys[0], &[OWN]),
            Signer::of("a second key of its own", "EdDSA", &keys[1], &[OWN]),
        ];
        let kids = signers.iter().filter_map(|signer| signer.kid.clone()).collect();
        let foreign = Arc::new(SigningKey::generate().expect("a key"));
        signers.push(Signer::of("a stranger's key", "ES256", &foreign, &[]));
        // RFC 8725 §2.1: a public key, used as a secret
        for key in [&period, &keys[0], &keys[1]] {
            let [x, y] = ["x", "y"].map(|name| key.published[name].as_str().unwrap_or_default());
            let point: Vec<u8> = [x, y].iter().flat_map(|part| BASE64URL.decode(part).expect("base64url")).collect();
            for known in [key.published.to_string().into_bytes(), key.id().as_bytes().to_vec(), point] {
                signers.push(Signer::stranger("what is published", move |message| {
                    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &known), message).as_ref().to_vec()
                }));
            }
        }
        signers.push(Signer::stranger("nothing", |_| Vec::new()));
        signers.push(Signer::stranger("zeros", |_| vec![0; 64]));

        let rings = [(SECRET, KeyRing::Derived(hidden)), (PUBLIC, KeyRing::Derived(public)), (OWN, KeyRing::Own(own))];
        let rings = rings.into_iter().map(|(name, keys)| Ring { name, keys }).collect();
        let opener = Opener::new(&Arc::new(Sealer::new(&secrets, ISSUER).expect("keys derive")));
        let site = Site { rings, signers, kids, opener };
        site.check();
        site
    }

    /// Checks that each ring accepts what it should: otherwise the above would prove nothing.
    fn check(&self) {
        let (expected, now) = (Expected::own(ISSUER, ISSUER), Timestamp::from_seconds(1_000));
        let claims = json!({
            "iss": ISSUER, "aud": ISSUER, "sub": "alice", "client_id": "spa", "iat": 900, "exp": 1100, "jti": "1",
            "as_of": "AAAAAAAAAAc.7", "gid": "g",
        });
        for signer in &self.signers {
            let header = json!({ "typ": "at+jwt", "alg": signer.algorithm.unwrap_or("HS256"), "kid": signer.kid });
            let taken = self.taken_by(&signer.token(&header.to_string(), &claims.to_string()), &expected, now);
            let has_key: Vec<_> = self.rings.iter().map(|ring| signer.rings.contains(&ring.name)).collect();
            assert_eq!(taken, has_key, "{}", signer.name);
        }
    }

    fn taken_by(&self, token: &str, expected: &Expected, now: Timestamp) -> Vec<bool> {
        self.rings.iter().map(|ring| ring.keys.verify(token, &self.opener, expected, now).is_ok()).collect()
    }
}

impl Signer {
    fn of(name: &'static str, algorithm: &'static str, key: &Arc<SigningKey>, rings: &'static [&'static str]) -> Self {
        let (kid, key) = (Some(key.id().to_owned()), Arc::clone(key));
        let sign = Box::new(move |message: &[u8]| key.sign(message).expect("it signs"));
        Signer { name, algorithm: Some(algorithm), kid, sign, rings }
    }

    fn stranger(name: &'static str, sign: impl Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Signer { name, algorithm: None, kid: None, sign: Box::new(sign), rings: &[] }
    }

    fn token(&self, header: &str, payload: &str) -> String {
        let message = [header, payload].map(|part| BASE64URL.encode(part)).join(".");
        let signature = BASE64URL.encode((self.sign)(message.as_bytes()));
        format!("{message}.{signature}")
    }
}

const ISSUER: &str = "https://a.example";
const SECRET: &str = "the ring of a secret";
const PUBLIC: &str = "the ring of periods";
const OWN: &str = "the ring of its own keys";
/// RFC 8037, appendix A.1.
const ED25519: &str = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
