//! The ID token: who signed in, for the client to read (OpenID Connect Core §2).

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::keys::ID_TOKEN;
use crate::keys::sealed::SESSION;
use crate::model::Timestamp;
use crate::model::client::RegisteredClient;
use crate::model::jwk::Algorithm;
use crate::model::session::Authentication;
use crate::server::Server;

/// The content of an ID token.
pub(crate) struct IdToken<'a> {
    pub(crate) subject: &'a str,
    pub(crate) client: &'a RegisteredClient,
    /// The user's claims: empty, unless the client wants them here rather than at `/userinfo`.
    pub(crate) shown: Map<String, Value>,
    pub(crate) authentication: &'a Authentication,
    pub(crate) issued_at: Timestamp,
    pub(crate) nonce: Option<&'a str>,
}

impl IdToken<'_> {
    /// Signs it, beside the access token that it was issued with.
    pub(crate) fn sign(self, server: &Server, access_token: &str) -> Option<String> {
        let asked = self.client.id_token_algorithm;
        server.keys().sign_for_client(ID_TOKEN, asked, |algorithm| self.claims(server, access_token, algorithm))
    }

    fn claims(self, server: &Server, access_token: &str, algorithm: Algorithm) -> Map<String, Value> {
        let mut claims = self.shown;
        let registered = [
            ("iss", json!(server.issuer().as_str())),
            ("sub", json!(self.subject)),
            ("aud", json!(self.client.client_id)),
            ("azp", json!(self.client.client_id)),
            ("iat", json!(self.issued_at)),
            ("exp", json!(self.issued_at + server.access_token_lifetime())),
            ("at_hash", json!(half_hash(access_token, algorithm))),
        ];
        let named = registered.into_iter().chain(self.authentication.claims());
        claims.extend(named.map(|(name, value)| (name.to_owned(), value)));
        if let Some(session) = &self.authentication.session {
            claims.insert(SESSION.to_owned(), json!(self.client.name_of_session(session)));
        }
        if let Some(nonce) = self.nonce {
            claims.insert("nonce".to_owned(), json!(nonce));
        }
        claims
    }
}

/// OpenID Connect Core §3.1.3.6: the left half of the hash that the signature uses. Ed25519 uses SHA-512.
fn half_hash(access_token: &str, algorithm: Algorithm) -> String {
    let hash = match algorithm {
        Algorithm::EdDSA => digest(&SHA512, access_token.as_bytes()),
        _ => digest(&SHA256, access_token.as_bytes()),
    };
    let hash = hash.as_ref();
    URL_SAFE_NO_PAD.encode(&hash[..hash.len() / 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of `abc`, whose hashes FIPS 180-4 gives as its examples.
    #[test]
    fn c26_an_access_token_s_hash_is_of_the_signature_s_kind() {
        for (algorithm, half) in [
            (Algorithm::HS256, "ungWv48Bz-pBQUDeXa4iIw"),
            (Algorithm::ES256, "ungWv48Bz-pBQUDeXa4iIw"),
            (Algorithm::RS256, "ungWv48Bz-pBQUDeXa4iIw"),
            (Algorithm::EdDSA, "3a81oZNherrMQXNJriBBMRLm-k6JqX6iCp7u5ktV05o"),
        ] {
            assert_eq!(half_hash("abc", algorithm), half, "{algorithm:?}");
        }
    }
}
