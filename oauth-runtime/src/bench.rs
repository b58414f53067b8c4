//! Access to single steps for the benches; not covered by semantic versioning.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::OAuthService;
use crate::model::code::AuthorizationCode;

/// An authorization code as a sign-in makes it, ready to be sealed.
#[derive(Debug)]
pub struct Code(AuthorizationCode);

impl Code {
    /// A code of ordinary size: two claims, one scope.
    ///
    /// # Panics
    /// If the type can no longer read this JSON.
    #[must_use]
    pub fn sample() -> Self {
        let code = json!({
            "grant": "hH0Ah5Nq1bq8o3JqkM8u3A", "client_id": "demo", "redirect_uri": "http://127.0.0.1/callback",
            "scope": "notes", "challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            "subject": "alice", "claims": { "role": "admin", "level": 3 }, "how": { "t": 1, "v": "AAAAAAAAAAA.1" }
        });
        Code(serde_json::from_value(code).expect("a code"))
    }

    /// Seals it.
    #[must_use]
    pub fn seal(&self, oauth: &OAuthService) -> Option<String> {
        let now = oauth.server().now();
        oauth.server().sealer().seal(&self.0, now, now + Duration::from_secs(60)).ok()
    }
}

/// Whether a sealed code opens.
#[must_use]
pub fn opens(oauth: &OAuthService, sealed: &str) -> bool {
    oauth.server().sealer().open::<AuthorizationCode>(sealed, oauth.server().now()).is_ok()
}

/// Signs claims as an access token.
#[must_use]
pub fn sign(oauth: &OAuthService, claims: &Map<String, Value>) -> Option<String> {
    oauth.server().keys().sign(claims)
}
