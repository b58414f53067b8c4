//! What a guard decides by: tokens that this process issued, or another server.

use std::fmt;
use std::sync::Arc;

use actix_web::HttpRequest;

use crate::error::Reason;
use crate::event::teller::Events;
use crate::guard::cache::TokenCache;
use crate::guard::refusal::{Refusal, RefusalForm};
#[cfg(feature = "resource-server")]
use crate::keys::RemoteKeys;
use crate::keys::sealed::Opener;
use crate::keys::{Expected, KeyRing, Verified};
use crate::model::{Clock, Timestamp};
use crate::standing::Ledger;

/// All that guards need.
pub(crate) struct Protection {
    pub(crate) expected: Expected,
    pub(crate) tokens: Tokens,
    pub(crate) token_cache: TokenCache,
    pub(crate) refusals: Arc<RefusalForm>,
    /// The paths of the server itself, which a policy over the whole `App` lets pass.
    pub(crate) own_paths: Vec<String>,
}

/// Whose tokens they are.
pub(crate) enum Tokens {
    Own(Arc<OwnTokens>),
    #[cfg(feature = "resource-server")]
    Remote(Arc<RemoteKeys>),
}

/// What signs and verifies the tokens of this server, knows whether they stand, and tells the time.
pub(crate) struct OwnTokens {
    pub(crate) keys: KeyRing,
    pub(crate) opener: Opener,
    pub(crate) ledger: Ledger,
    pub(crate) clock: Clock,
    pub(crate) events: Arc<Events>,
}

impl Tokens {
    pub(crate) fn verify(&self, token: &str, expected: &Expected, now: Timestamp) -> Result<Verified, Reason> {
        match self {
            Tokens::Own(own) => own.keys.verify(token, &own.opener, expected, now),
            #[cfg(feature = "resource-server")]
            Tokens::Remote(keys) => keys.verify(token, expected, now),
        }
    }

    /// Changes whenever a key stops to verify before its time: what was verified before has to be verified again.
    pub(crate) fn generation(&self) -> u64 {
        match self {
            Tokens::Own(own) => own.keys.generation(),
            #[cfg(feature = "resource-server")]
            Tokens::Remote(keys) => keys.generation(),
        }
    }

    /// Asks the issuer for keys that it may have had since; nothing to ask where they are our own.
    pub(crate) async fn fetch_keys(&self) {
        match self {
            Tokens::Own(_) => {}
            #[cfg(feature = "resource-server")]
            Tokens::Remote(keys) => keys.fetch().await,
        }
    }

    /// What knows of revocations; none where only the issuer does.
    pub(crate) fn ledger(&self) -> Option<&Ledger> {
        match self {
            Tokens::Own(own) => Some(&own.ledger),
            #[cfg(feature = "resource-server")]
            Tokens::Remote(_) => None,
        }
    }

    pub(crate) fn clock(&self) -> &Clock {
        match self {
            Tokens::Own(own) => &own.clock,
            #[cfg(feature = "resource-server")]
            Tokens::Remote(keys) => keys.clock(),
        }
    }
}

impl Protection {
    /// Whether this is the path of one of the server's own URLs.
    pub(crate) fn is_own_path(&self, path: &str) -> bool {
        self.own_paths.iter().any(|own| own == path)
    }

    /// A refusal in the form of this resource.
    pub(crate) fn refusal(&self, reason: Reason) -> Refusal {
        Refusal::new(reason, Some(&self.refusals))
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
