//! Tokens that are shown to the server rather than used at it.

use std::sync::Arc;

use crate::error::Reason;
use crate::keys::{self, IdTokenHint, Verified};
use crate::model::form::Parameters;
use crate::server::Server;
use crate::server::shown::Shown;

impl Server {
    /// An access token that was signed here for any audience, while it lasts. One that was verified before, here or by a
    /// guard, is not verified again, unless a key was retired since. This does not say whether it still stands.
    pub(crate) fn access_token(&self, token: &str) -> Option<Arc<Verified>> {
        self.verified_once(token, |Shown { expected, cache }, generation| {
            let verified = Arc::new(self.configured.tokens.verify(token, expected, self.now()).ok()?);
            cache.keep(token.as_bytes(), &verified, generation);
            Some(verified)
        })
    }

    /// The same, even if its client may no longer have such a token.
    pub(crate) fn access_token_as_issued(&self, token: &str) -> Option<Arc<Verified>> {
        self.verified_once(token, |Shown { expected, .. }, _| {
            self.configured.tokens.verify_as_issued(token, expected, self.now()).ok().map(Arc::new)
        })
    }

    /// As verified before, here or by a guard, or else by `verify`.
    fn verified_once(
        &self,
        token: &str,
        verify: impl FnOnce(&Shown, u64) -> Option<Arc<Verified>>,
    ) -> Option<Arc<Verified>> {
        let shown = &self.configured.shown;
        let generation = self.configured.tokens.keys.generation();
        let by_guard = self.protection().token_cache.get(token.as_bytes(), generation);
        match by_guard.or_else(|| shown.cache.get(token.as_bytes(), generation)) {
            Some(verified) => (!verified.registered.is_expired(&shown.expected, self.now())).then_some(verified),
            None => verify(shown, generation),
        }
    }

    /// The ID token that comes back as a hint, if there is one.
    pub(crate) fn id_token_hint(&self, parameters: &Parameters<'_>) -> Result<Option<IdTokenHint>, Reason> {
        let token = parameters.get("id_token_hint", keys::MAX_BYTES)?;
        let issuer = self.issuer().as_str();
        token.map(|token| self.keys().id_token(token, issuer).map_err(|_| Reason::HintMalformed)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Client, Keys, Login, OAuthService, SigningKey};

    fn service(keys: &Keys) -> OAuthService {
        let builder = OAuthService::builder().untyped_claims().issuer("https://shown.example").keys(keys.clone());
        builder
            .direct_peers()
            .secret("6XNa6p+eZkCNrarFa2QxfZ5SWmHv6LkhsB2oJKDiCgM=")
            .client(Client::public("spa").redirect_uri("https://spa.example/cb"))
            .authenticate(async |_: Login| Some(json!({ "sub": "ada" })))
            .build()
            .expect("a service")
    }

    #[test]
    fn a_token_is_verified_once_and_expiry_and_keys_count_each_time() {
        let keys = Keys::new(SigningKey::generate().expect("a key"));
        let oauth = service(&keys);
        let server = oauth.server();
        let token = |audience: &str, lifetime: u64| {
            let now = server.now().seconds();
            let claims = json!({
                "iss": "https://shown.example", "aud": audience, "sub": "ada", "client_id": "spa", "iat": now,
                "exp": now + lifetime, "jti": "1", "auth_time": now
            });
            server.sign(&claims).expect("signs")
        };
        for audience in ["https://shown.example", "https://other.example"] {
            let token = token(audience, 1000);
            let (first, again) = (server.access_token(&token), server.access_token(&token));
            assert_eq!(first.is_some(), audience == "https://shown.example", "its client has no other");
            if let (Some(first), Some(again)) = (first, again) {
                assert!(Arc::ptr_eq(&first, &again), "the same one");
            }
            assert!(server.access_token_as_issued(&token).is_some());
        }
        assert!(server.access_token(&token("https://shown.example", 0)).is_none());

        // C26: what a removed key has signed is no longer valid.
        let token = token("https://shown.example", 1000);
        assert!(server.access_token(&token).is_some());
        let (first, next) = (keys.signs_with(), keys.add(SigningKey::generate().expect("a key")).expect("new"));
        keys.promote(&next).expect("it is there");
        assert!(server.access_token(&token).is_some());
        keys.retire(&first).expect("it does not sign");
        assert!(server.access_token(&token).is_none());
    }
}
