//! The two documents of an issuer: its metadata, and the keys that it names.

use std::time::Duration;

use serde_json::Value;
use url::Url;

use crate::model::issuer::{Issuer, is_loopback};
use crate::model::jwk::{Algorithm, PublicKey};

/// Where an issuer's documents are fetched from.
pub(crate) struct Documents {
    http: reqwest::Client,
    issuer: Issuer,
}

impl Documents {
    pub(crate) fn of(issuer: Issuer) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            // A redirect could lead to an untrusted host.
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .build()?;
        Ok(Documents { http, issuer })
    }

    pub(crate) fn issuer(&self) -> &str {
        self.issuer.as_str()
    }

    /// Where the keys are, by the issuer's metadata: OpenID Connect's place, then OAuth's.
    pub(crate) async fn jwks_uri(&self) -> Result<String, Unusable> {
        let issuer = &self.issuer;
        let openid = format!("{}{}/.well-known/openid-configuration", issuer.origin(), issuer.path());
        let oauth = format!("{}{}", issuer.origin(), issuer.well_known("oauth-authorization-server"));
        let (url, metadata) = match self.fetched(&openid).await {
            Err(Unusable::NotFound { .. }) => (oauth.clone(), self.fetched(&oauth).await?),
            metadata => (openid, metadata?),
        };
        // RFC 8414 §3.3: otherwise another server could speak for it
        match metadata.get("issuer").and_then(Value::as_str) {
            Some(named) if named == issuer.as_str() => {}
            named => {
                let named = named.unwrap_or_default().to_owned();
                return Err(Unusable::OtherIssuer { issuer: issuer.as_str().to_owned(), named });
            }
        }
        let jwks_uri = metadata.get("jwks_uri").and_then(Value::as_str).ok_or(Unusable::NoAddress { url })?;
        let is_safe = Url::parse(jwks_uri).is_ok_and(|url| {
            url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url) && !issuer.is_https())
        });
        if is_safe { Ok(jwks_uri.to_owned()) } else { Err(Unusable::PlainHttp { url: jwks_uri.to_owned() }) }
    }

    /// The published keys that can verify a token of these algorithms, which may be none.
    pub(crate) async fn keys(&self, url: &str, algorithms: &[Algorithm]) -> Result<Vec<PublicKey>, Unusable> {
        let set = self.fetched(url).await?;
        usable(&set, algorithms).ok_or_else(|| Unusable::NoSet { url: url.to_owned() })
    }

    /// A JSON document of bounded length.
    async fn fetched(&self, url: &str) -> Result<Value, Unusable> {
        let unreachable =
            |why: reqwest::Error| Unusable::Unreachable { url: url.to_owned(), why: why.without_url().to_string() };
        let request = self.http.get(url).header("accept", "application/json");
        let mut response = request.send().await.map_err(unreachable)?;
        match response.status().as_u16() {
            200 => {}
            404 => return Err(Unusable::NotFound { url: url.to_owned() }),
            status => return Err(Unusable::Status { url: url.to_owned(), status }),
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > MAX_DOCUMENT_BYTES {
                return Err(Unusable::NotJson { url: url.to_owned() });
            }
            body.extend_from_slice(&chunk);
        }
        serde_json::from_slice(&body).map_err(|_| Unusable::NotJson { url: url.to_owned() })
    }
}

/// The keys of a set that can verify a token: the others are for something else, or broken. `None` if it is not a set.
fn usable(set: &Value, algorithms: &[Algorithm]) -> Option<Vec<PublicKey>> {
    let listed = set.get("keys")?.as_array()?;
    let keys = listed.iter().take(MAX_KEYS).filter_map(|jwk| PublicKey::from_jwk(jwk.clone()).ok());
    Some(keys.filter(|key| algorithms.contains(&key.algorithm)).collect())
}

/// A set of keys as an issuer publishes it: only keys that can verify a token are accepted.
#[cfg(fuzzing)]
pub(crate) fn fuzz(set: &Value) {
    for key in usable(set, &[Algorithm::ES256]).unwrap_or_default() {
        assert_eq!(key.algorithm, Algorithm::ES256);
        assert!(!key.verifies(b"a message", &[0; 64]), "a signature of nothing");
    }
}

/// Why an answer of the issuer is of no use: for the log, with what to change.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unusable {
    #[error("{url} cannot be fetched: {why}")]
    Unreachable { url: String, why: String },
    #[error("the documents of {issuer:?} take more than ten seconds")]
    Slow { issuer: String },
    #[error("there is nothing at {url}: check the issuer, including its path and a trailing slash")]
    NotFound { url: String },
    #[error("{url} returns {status} instead of 200; redirects are not followed")]
    Status { url: String, status: u16 },
    #[error("{url} is not JSON, or is longer than {MAX_DOCUMENT_BYTES} bytes")]
    NotJson { url: String },
    #[error(
        "the metadata of {issuer:?} is that of {named:?}: write the issuer just like that, if it is the one you trust"
    )]
    OtherIssuer { issuer: String, named: String },
    #[error(
        "the metadata at {url} has no jwks_uri: an issuer that publishes no keys cannot be used here; if it is an \
         OAuthService, add .own_resource(..) there, with the audience of this server"
    )]
    NoAddress { url: String },
    #[error("the keys are at {url:?}, and must be at an https address")]
    PlainHttp { url: String },
    #[error("{url} is not a JWK set: it has no list of keys")]
    NoSet { url: String },
    #[error(
        "there is no usable key at {url}: keys for ES256, EdDSA and RS256 (2048 bits and more) are, \
         if .algorithms(..) names them"
    )]
    NoKeys { url: String },
}

const TIMEOUT: Duration = Duration::from_secs(5);
const MAX_DOCUMENT_BYTES: usize = 256 * 1024;
const MAX_KEYS: usize = 64;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::jwk::SignatureAlgorithm;

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
            let keys = usable(&set, algorithms).expect("a set");
            keys.iter().filter_map(PublicKey::id).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(names(&SignatureAlgorithm::ALL.map(SignatureAlgorithm::jose)), ["a", "b"]);
        assert!(names(&[Algorithm::ES256]).is_empty());
        for no_set in [json!([]), json!({}), json!({ "keys": null }), json!({ "keys": {} })] {
            assert!(usable(&no_set, &SignatureAlgorithm::ALL.map(SignatureAlgorithm::jose)).is_none(), "{no_set}");
        }
    }
}
