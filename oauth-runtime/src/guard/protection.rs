//! What a guard decides by, whoever issued the tokens: this process, or somebody else.

use std::fmt;
use std::sync::Arc;

use actix_web::HttpRequest;

use crate::error::Reason;
use crate::guard::cache::TokenCache;
use crate::guard::refusal::{RefusalBody, Resource};
#[cfg(feature = "resource-server")]
use crate::keys::RemoteKeys;
use crate::keys::{Expected, KeyRing, Verified};
use crate::model::{Clock, Timestamp};
use crate::store::Store;

/// All that guards need.
pub(crate) struct Protection {
    pub(crate) expected: Expected,
    pub(crate) resource: Option<Resource>,
    pub(crate) token_cache: TokenCache,
    pub(crate) keys: Verifier,
    /// What knows of revocations; none where only the issuer does.
    pub(crate) store: Option<Arc<dyn Store>>,
    pub(crate) clock: Clock,
    pub(crate) refusal_body: Option<Arc<RefusalBody>>,
    pub(crate) explains_refusals: bool,
    /// The paths of the server itself, which a policy over the whole `App` lets pass.
    pub(crate) own_paths: Vec<String>,
}

/// Whose keys verify.
pub(crate) enum Verifier {
    Own(Arc<KeyRing>),
    #[cfg(feature = "resource-server")]
    Remote(Arc<RemoteKeys>),
}

impl Verifier {
    pub(crate) fn verify(&self, token: &str, expected: &Expected, now: Timestamp) -> Result<Verified, Reason> {
        match self {
            Verifier::Own(keys) => keys.verify(token, expected, now),
            #[cfg(feature = "resource-server")]
            Verifier::Remote(keys) => keys.verify(token, expected, now),
        }
    }

    /// Changes whenever a key stops to verify before its time: what was verified before has to be verified again.
    pub(crate) fn generation(&self) -> u64 {
        match self {
            Verifier::Own(keys) => keys.generation(),
            #[cfg(feature = "resource-server")]
            Verifier::Remote(keys) => keys.generation(),
        }
    }

    /// Asks the issuer for keys that it may have had since; nothing to ask where they are our own.
    pub(crate) async fn fetch(&self) {
        match self {
            Verifier::Own(_) => {}
            #[cfg(feature = "resource-server")]
            Verifier::Remote(keys) => keys.fetch().await,
        }
    }
}

impl Protection {
    /// Whether this is the path of one of the server's own URLs.
    pub(crate) fn is_own_path(&self, path: &str) -> bool {
        self.own_paths.iter().any(|own| own == path)
    }

    /// That of the `App` or the scope.
    pub(crate) fn of(request: &HttpRequest) -> Result<&Arc<Protection>, Reason> {
        request.app_data::<Arc<Protection>>().ok_or_else(|| {
            tracing::error!(
                target: "oauth",
                path = request.path(),
                "a guarded handler has no OAuthService and no ResourceServer: add .configure(oauth.routes()) to the App"
            );
            Reason::NoService
        })
    }
}

impl fmt::Debug for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Protection").field("expected", &self.expected).finish_non_exhaustive()
    }
}
