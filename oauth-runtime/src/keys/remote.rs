//! The keys of an issuer elsewhere, fetched from where it publishes them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::RwLock;
use serde_json::{Value, json};
use url::Url;

use crate::error::Reason;
use crate::keys::jwt::{ACCESS_TOKEN, Expected, Jwt, Verified};
use crate::model::issuer::{Issuer, is_loopback};
use crate::model::jwk::{Algorithm, PublicKey};
use crate::model::{Clock, Timestamp};

/// The keys of an issuer elsewhere, as they were published last.
pub(crate) struct RemoteKeys {
    http: reqwest::Client,
    jwks_uri: String,
    algorithms: Vec<Algorithm>,
    accepted_type: Option<String>,
    clock: Clock,
    state: RwLock<Fetched>,
    /// When they were asked for last; held while they are.
    attempted: tokio::sync::Mutex<Timestamp>,
    is_refreshing: AtomicBool,
    generation: AtomicU64,
}

struct Fetched {
    keys: Arc<Vec<PublicKey>>,
    at: Timestamp,
}

impl RemoteKeys {
    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Asks the issuer for its metadata, and then for its keys.
    pub(crate) async fn discover(
        issuer: &Issuer,
        algorithms: Vec<Algorithm>,
        accepted_type: Option<String>,
        clock: Clock,
    ) -> Result<Self, DiscoveryError> {
        let http = reqwest::Client::builder()
            // A redirect could lead to a host that nothing vouches for.
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .build()
            .map_err(|why| DiscoveryError::Unreachable { url: issuer.as_str().to_owned(), why: why.to_string() })?;
        let jwks_uri = discovered(&http, issuer).await?;
        let now = clock.now();
        let keys = RemoteKeys {
            http,
            jwks_uri,
            algorithms,
            accepted_type,
            clock,
            state: RwLock::new(Fetched { keys: Arc::new(Vec::new()), at: now }),
            attempted: tokio::sync::Mutex::new(now),
            is_refreshing: AtomicBool::new(false),
            generation: AtomicU64::new(0),
        };
        keys.replace().await?;
        Ok(keys)
    }

    /// Verifies an access token (RFC 9068 §4), by keys that may be stale while the issuer is away.
    pub(crate) fn verify(&self, token: &str, expected: &Expected, now: Timestamp) -> Result<Verified, Reason> {
        let jwt = Jwt::parse(token)?;
        let (alg, kid) = (jwt.header.alg, jwt.header.kid.as_deref());
        // RFC 9068 §4: an ID token or any other JWT is not an access token
        let accepted = self.accepted_type.as_deref();
        if !jwt.header.is_type(ACCESS_TOKEN) && !accepted.is_some_and(|accepted| jwt.header.is_type(accepted)) {
            return Err(Reason::TokenType);
        }
        // RFC 8725 §3.1: what is not expected is not tried
        let alg = alg.filter(|alg| self.algorithms.contains(alg)).ok_or(Reason::TokenSignature)?;
        let keys = Arc::clone(&self.state.read().keys);
        let mut candidates = keys.iter().filter(|key| key.algorithm == alg && (kid.is_none() || key.id() == kid));
        match (candidates.next(), candidates.next()) {
            (Some(key), None) => jwt.verify(alg, |message, signature| key.verifies(message, signature))?,
            // Without a `kid` it is clear only where there is one key.
            (Some(_), Some(_)) => return Err(Reason::TokenSignature),
            (None, _) => return Err(Reason::KeyUnknown),
        }
        let mut claims = jwt.claims()?;
        if accepted.is_some() {
            if let (None, Some(party)) = (claims.get("client_id"), claims.get("azp").cloned()) {
                claims.insert("client_id".to_owned(), party);
            }
            claims.entry("jti").or_insert_with(|| json!(""));
        }
        Verified::parse(claims, expected, now)
    }

    /// Asked on every request, those with a token that was verified before among them: so this is where old keys are
    /// noticed. They are used on while others are asked for.
    pub(crate) fn generation(self: &Arc<Self>) -> u64 {
        let is_old = self.clock.now().since(self.state.read().at) >= FRESH;
        if is_old && !self.is_refreshing.swap(true, Ordering::SeqCst) {
            let own = Arc::clone(self);
            actix_web::rt::spawn(async move {
                own.fetch().await;
                own.is_refreshing.store(false, Ordering::SeqCst);
            });
        }
        self.generation.load(Ordering::SeqCst)
    }

    /// For a key that is not known: at most once in a while, so that made-up names of keys cost the issuer nothing.
    /// All requests that ask meanwhile wait for the one answer.
    pub(crate) async fn fetch(&self) {
        let mut attempted = self.attempted.lock().await;
        if self.clock.now().since(*attempted) < FLOOR {
            return;
        }
        *attempted = self.clock.now();
        if let Err(why) = self.replace().await {
            tracing::warn!(target: "oauth", %why, "the issuer's keys could not be fetched: those of before go on");
        }
    }

    async fn replace(&self) -> Result<(), DiscoveryError> {
        let set = fetched(&self.http, &self.jwks_uri).await?;
        let keys = usable(&set, &self.algorithms);
        // An empty set is more likely a mistake than a wish to refuse everybody: the keys of before go on.
        if keys.is_empty() {
            return Err(DiscoveryError::NoKeys { url: self.jwks_uri.clone() });
        }
        let mut state = self.state.write();
        let is_one_gone = !state.keys.iter().all(|before| keys.iter().any(|key| key.is_same(before)));
        *state = Fetched { keys: Arc::new(keys), at: self.clock.now() };
        drop(state);
        if is_one_gone {
            // After the key is gone: what reads the new generation verifies without it.
            self.generation.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    }
}

/// Where the keys are, by the issuer's metadata: OpenID Connect's place, then OAuth's.
async fn discovered(http: &reqwest::Client, issuer: &Issuer) -> Result<String, DiscoveryError> {
    let openid = format!("{}{}/.well-known/openid-configuration", issuer.origin(), issuer.path());
    let oauth = format!("{}{}", issuer.origin(), issuer.well_known("oauth-authorization-server"));
    let (url, metadata) = match fetched(http, &openid).await {
        Ok(metadata) => (openid, metadata),
        Err(DiscoveryError::NotFound { .. }) => (oauth.clone(), fetched(http, &oauth).await?),
        Err(why) => return Err(why),
    };
    // RFC 8414 §3.3: else another could speak for it
    match metadata.get("issuer").and_then(Value::as_str) {
        Some(named) if named == issuer.as_str() => {}
        named => {
            let named = named.unwrap_or_default().to_owned();
            return Err(DiscoveryError::OtherIssuer { issuer: issuer.as_str().to_owned(), named });
        }
    }
    let jwks_uri = metadata.get("jwks_uri").and_then(Value::as_str).ok_or(DiscoveryError::NoKeys { url })?;
    let is_safe = Url::parse(jwks_uri).is_ok_and(|url| {
        url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url) && !issuer.is_https())
    });
    if is_safe { Ok(jwks_uri.to_owned()) } else { Err(DiscoveryError::PlainHttp { url: jwks_uri.to_owned() }) }
}

/// A JSON document of bounded length.
async fn fetched(http: &reqwest::Client, url: &str) -> Result<Value, DiscoveryError> {
    let unreachable =
        |why: reqwest::Error| DiscoveryError::Unreachable { url: url.to_owned(), why: why.without_url().to_string() };
    let mut response = http.get(url).header("accept", "application/json").send().await.map_err(unreachable)?;
    match response.status().as_u16() {
        200 => {}
        404 => return Err(DiscoveryError::NotFound { url: url.to_owned() }),
        status => return Err(DiscoveryError::Status { url: url.to_owned(), status }),
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > MAX_DOCUMENT_BYTES {
            return Err(DiscoveryError::NotJson { url: url.to_owned() });
        }
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&body).map_err(|_| DiscoveryError::NotJson { url: url.to_owned() })
}

/// The keys of a set that can verify a token: the others are for something else, or broken.
fn usable(set: &Value, algorithms: &[Algorithm]) -> Vec<PublicKey> {
    let listed = set.get("keys").and_then(Value::as_array).map_or(&[] as &[Value], Vec::as_slice);
    let keys = listed.iter().take(MAX_KEYS).filter_map(|jwk| PublicKey::from_jwk(jwk.clone()).ok());
    keys.filter(|key| algorithms.contains(&key.algorithm)).collect()
}

/// Why an issuer cannot be relied on.
///
/// `Display` and `Debug` print the same text, which says what to change.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoveryError {
    /// [`audience`](crate::ResourceServerBuilder::audience) was not called, or is an empty string.
    #[error(
        "whom the tokens have to be for is not said: add .audience(\"https://api.example\"), \
         the aud that the issuer writes"
    )]
    NoAudience,
    /// [`algorithms`](crate::ResourceServerBuilder::algorithms) was called with an empty list.
    #[error("no algorithm is left: leave .algorithms(..) out, or name one")]
    NoAlgorithm,
    /// The issuer is not an https URL (http on loopback) in normal form.
    #[error("the issuer {issuer:?} must be an https URL (or http on loopback) without a query, as its metadata has it")]
    Issuer {
        /// The issuer as given.
        issuer: String,
    },
    /// The issuer cannot be reached, or does not answer in time.
    #[error("{url} cannot be fetched: {why}")]
    Unreachable {
        /// The URL of the metadata or the keys.
        url: String,
        /// The text of the HTTP client's error.
        why: String,
    },
    /// The answer is 404.
    #[error("there is nothing at {url}: check the issuer, its path and a closing slash included")]
    NotFound {
        /// The URL of the metadata or the keys.
        url: String,
    },
    /// The answer is neither 200 nor 404.
    #[error("{url} answers {status} instead of 200; redirects are not followed")]
    Status {
        /// The URL of the metadata or the keys.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// The answer is not JSON, or is too long.
    #[error("{url} is no JSON, or longer than {MAX_DOCUMENT_BYTES} bytes")]
    NotJson {
        /// The URL of the metadata or the keys.
        url: String,
    },
    /// The metadata is that of another issuer (RFC 8414 §3.3).
    #[error(
        "the metadata of {issuer:?} is that of {named:?}: write the issuer just like that, if it is the one you trust"
    )]
    OtherIssuer {
        /// The issuer as configured.
        issuer: String,
        /// The issuer in the metadata; empty if it has none.
        named: String,
    },
    /// The keys are at an address that is neither https nor, for an issuer on loopback, on loopback.
    #[error("the keys are at {url:?}, and must be at an https address")]
    PlainHttp {
        /// The `jwks_uri` of the metadata.
        url: String,
    },
    /// The metadata has no `jwks_uri`, or none of the published keys can be used.
    #[error(
        "there is no key at {url} that could be used: ES256, EdDSA and RS256 (2048 bits and more) can, \
         of those that .algorithms(..) names"
    )]
    NoKeys {
        /// The URL of the metadata or the keys.
        url: String,
    },
}

crate::model::debug_as_text!(DiscoveryError);

const TIMEOUT: Duration = Duration::from_secs(5);
const MAX_DOCUMENT_BYTES: usize = 256 * 1024;
const MAX_KEYS: usize = 64;
/// How long keys are used before others are asked for.
const FRESH: Duration = Duration::from_secs(600);
/// How long the issuer is left alone after it was asked.
const FLOOR: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_cannot_be_used_is_skipped() {
        let (x, zeros) = ("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "A".repeat(43));
        let good = |kid: &str| json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid });
        let mut private = good("private");
        private["d"] = json!("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
        let off_the_curve = json!({ "kty": "EC", "crv": "P-256", "x": zeros, "y": zeros, "kid": "off" });
        let encrypts = json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": "enc", "use": "enc" });
        let set = json!({ "keys": [1, off_the_curve, private, good("a"), encrypts, { "kty": "EC" }, good("b")] });
        let names = |algorithms: &[Algorithm]| {
            usable(&set, algorithms).iter().filter_map(PublicKey::id).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(names(&Algorithm::PUBLIC), ["a", "b"]);
        assert!(names(&[Algorithm::ES256]).is_empty() && usable(&json!([]), &Algorithm::PUBLIC).is_empty());
    }
}
