//! The ID token: who signed in, for the client to read (OpenID Connect Core §2).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256, Sha512};

use crate::keys::ID_TOKEN;
use crate::model::Timestamp;
use crate::model::jwk::Algorithm;
use crate::model::session::Authentication;
use crate::server::Server;

/// What an ID token is to say. It has no claims of the user: a client asks `/userinfo` for those.
pub(crate) struct IdToken<'a> {
    pub(crate) subject: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) authentication: &'a Authentication,
    pub(crate) issued_at: Timestamp,
    pub(crate) nonce: Option<&'a str>,
}

impl IdToken<'_> {
    /// Signs it, beside the access token that it was issued with.
    pub(crate) fn sign(&self, server: &Server, access_token: &str) -> Option<String> {
        let mut claims: Map<String, Value> = [
            ("iss", json!(server.issuer().as_str())),
            ("sub", json!(self.subject)),
            ("aud", json!(self.client_id)),
            ("azp", json!(self.client_id)),
            ("iat", json!(self.issued_at)),
            ("exp", json!(self.issued_at + server.access_token_lifetime())),
            ("at_hash", json!(half_hash(access_token, server.keys().algorithm()))),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
        claims.extend(self.authentication.claims());
        if let Some(nonce) = self.nonce {
            claims.insert("nonce".to_owned(), json!(nonce));
        }
        server.keys().sign_as(ID_TOKEN, &claims)
    }
}

/// OpenID Connect Core §3.1.3.6: the left half of the hash that the signature uses. Ed25519 uses SHA-512.
fn half_hash(access_token: &str, algorithm: Algorithm) -> String {
    let hash = match algorithm {
        Algorithm::EdDSA => Sha512::digest(access_token).to_vec(),
        _ => Sha256::digest(access_token).to_vec(),
    };
    URL_SAFE_NO_PAD.encode(&hash[..hash.len() / 2])
}
