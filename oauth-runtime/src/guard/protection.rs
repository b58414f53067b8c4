//! What a guard decides by: the tokens of this process, or of another server.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::HttpRequest;
use actix_web::dev::ServiceRequest;
use percent_encoding::percent_decode_str;

use crate::error::Reason;
use crate::event::teller::Events;
use crate::guard::cache::TokenCache;
use crate::guard::forged::Forged;
use crate::guard::own::OwnUrls;
use crate::guard::proofs::Proofs;
use crate::guard::refusal::{Refusal, RefusalForm, Resource};
#[cfg(feature = "resource-server")]
use crate::keys::RemoteKeys;
use crate::keys::sealed::Opener;
use crate::keys::{Expected, KeyRing, Texts, Verified};
use crate::model::ceiling::{Ceilings, Left};
use crate::model::hierarchy::Hierarchy;
use crate::model::{Clock, Timestamp};
use crate::standing::Ledger;

/// All that guards need.
pub(crate) struct Protection {
    pub(crate) expected: Expected,
    pub(crate) tokens: Tokens,
    pub(crate) token_cache: TokenCache,
    pub(crate) forged: Arc<Forged>,
    pub(crate) refusals: Arc<RefusalForm>,
    pub(crate) own_urls: Arc<OwnUrls>,
    /// How proofs of possession are checked; `None` if all tokens are bearer tokens.
    pub(crate) proofs: Option<Arc<Proofs>>,
    pub(crate) below: Below,
}

/// Resources of this `App` with an audience of their own.
#[derive(Default)]
pub(crate) struct Below {
    /// The path that the handlers of each are below, the longest first.
    pub(crate) resources: Vec<(String, Arc<Protection>)>,
    /// For a path that may be below either of several: accepts no token.
    pub(crate) unclear: Option<Arc<Protection>>,
}

/// The issuer of the tokens.
pub(crate) enum Tokens {
    Own(Arc<OwnTokens>),
    #[cfg(feature = "resource-server")]
    Remote(Arc<RemoteKeys>),
}

/// What signs and verifies the tokens of this server, knows whether they stand, and tells the time.
pub(crate) struct OwnTokens {
    pub(crate) keys: KeyRing,
    pub(crate) opener: Opener,
    pub(crate) ceilings: Ceilings,
    pub(crate) hierarchy: Hierarchy,
    pub(crate) ledger: Ledger,
    pub(crate) clock: Clock,
    pub(crate) events: Arc<Events>,
}

impl Tokens {
    pub(crate) fn verify(&self, token: &str, expected: &Expected, now: Timestamp) -> Result<Verified, Reason> {
        match self {
            Tokens::Own(own) => own.verify(token, expected, now),
            #[cfg(feature = "resource-server")]
            Tokens::Remote(keys) => keys.verify(token, expected, now),
        }
    }

    /// Whether the signature of this token takes long to verify: an HMAC does not.
    pub(crate) fn ask_a_public_key(&self, token: &str) -> bool {
        match self {
            Tokens::Own(own) => own.keys.asks_a_public_key(token),
            #[cfg(feature = "resource-server")]
            Tokens::Remote(keys) => keys.asks_a_key(token),
        }
    }

    /// Changes whenever a key stops verifying before its time: tokens verified before must be verified again. Nothing
    /// is verified without keys.
    pub(crate) fn generation(&self, #[allow(unused_variables)] now: Timestamp) -> Result<u64, Reason> {
        match self {
            Tokens::Own(own) => Ok(own.keys.generation()),
            #[cfg(feature = "resource-server")]
            Tokens::Remote(keys) => keys.generation(now),
        }
    }

    /// Asks the issuer for newer keys; does nothing for our own.
    pub(crate) async fn fetch_keys(&self) {
        match self {
            Tokens::Own(_) => {}
            #[cfg(feature = "resource-server")]
            Tokens::Remote(keys) => keys.fetch().await,
        }
    }

    /// What knows of revocations; `None` if only the issuer does.
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

impl OwnTokens {
    /// A token as it is valid today: without what was removed from the configuration since it was issued.
    pub(crate) fn verify(&self, token: &str, expected: &Expected, now: Timestamp) -> Result<Verified, Reason> {
        let verified = self.verify_as_issued(token, expected, now)?;
        let registered = &verified.registered;
        let Texts { id, client_id, .. } = registered.texts();
        if is_of_a_test(id) {
            return Ok(verified);
        }
        let ceiling = self.ceilings.get(client_id).ok_or(Reason::TokenNotForClient)?;
        let is_of_user = registered.signed_in_at.is_some();
        let left = ceiling.left_of(&registered.scope, &registered.audience, is_of_user);
        let (scope, audience) = match left.ok_or(Reason::TokenNotForClient)? {
            Left::All if self.hierarchy.is_empty() => return Ok(verified),
            Left::All => (registered.scope.clone(), registered.audience.clone()),
            Left::Less(scope, audience) => (scope, audience),
        };
        verified.cut(self.hierarchy.widened(scope), audience, expected)
    }

    /// A token with all that it was issued with, whether or not its client may have that today: for ending it.
    pub(crate) fn verify_as_issued(
        &self,
        token: &str,
        expected: &Expected,
        now: Timestamp,
    ) -> Result<Verified, Reason> {
        self.keys.verify(token, &self.opener, expected, now)
    }
}

fn is_below(whole: &str, path: &str) -> bool {
    path.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn may_be_read_otherwise(path: &str) -> bool {
    path.contains(['%', '\\', ';']) || path.contains("//") || path.contains("/.")
}

/// A path as the most lenient reader sees it: decoded, without the parameters of its segments (RFC 3986 §3.3), without empty
/// and dot segments (§5.2.4).
fn plainly(path: &str) -> String {
    let mut decoded = path.to_owned();
    // Twice, since some decode a path that was decoded already.
    for _ in 0..2 {
        decoded = percent_decode_str(&decoded).decode_utf8_lossy().into_owned();
    }
    let mut segments: Vec<&str> = Vec::new();
    for segment in decoded.split(['/', '\\']) {
        // Servlet containers read `..;x` as `..`.
        match segment.split(';').next().unwrap_or_default() {
            "" | "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    segments.iter().flat_map(|segment| ["/", segment]).collect()
}

/// Whether a token was made by [`testing::token`](crate::testing::token()), for which no configuration is checked. No
/// random id has a dot, and only the server makes ids.
pub(crate) fn is_of_a_test(id: &str) -> bool {
    cfg!(feature = "testing") && id.starts_with(ID_OF_A_TEST)
}

/// The beginning of the id of such a token.
pub(crate) const ID_OF_A_TEST: &str = "test.";

impl Protection {
    /// Whether the server itself answers this request. An `App` without its routes has handlers of its own at such an address,
    /// or nothing.
    pub(crate) fn is_own(self: &Arc<Self>, request: &ServiceRequest) -> bool {
        let mounted = request.app_data::<Arc<Protection>>().is_some_and(|mounted| Arc::ptr_eq(mounted, self));
        // In a scope a resource server answers nothing itself.
        let mounted = mounted && self.refusals.resource.as_ref().is_none_or(Resource::is_described);
        if mounted {
            self.own_urls.tell_of_shadows(request.request());
        }
        mounted && self.own_urls.answer(request)
    }

    /// What decides at this path: guards below a resource's path accept only its tokens (RFC 8707 §2).
    pub(crate) fn at(self: &Arc<Self>, request: &HttpRequest) -> &Arc<Self> {
        let Below { resources, unclear } = &self.below;
        let Some(unclear) = unclear else { return self };
        // As the router reads it: needless encoding leads to the same handler.
        let path = request.match_info().as_str();
        let found = |path: &str| resources.iter().position(|(whole, _)| is_below(whole, path));
        let as_it_stands = found(path);
        // An inner middleware, or a server to which this one forwards, may read it as another path.
        if may_be_read_otherwise(path) && found(&plainly(path)) != as_it_stands {
            return unclear;
        }
        as_it_stands.and_then(|index| resources.get(index)).map_or(self, |(_, resource)| resource)
    }

    /// Whether tokens that are not bound to a key are accepted.
    pub(crate) fn takes_bearers(&self) -> bool {
        self.proofs.as_ref().is_none_or(|proofs| !proofs.is_required)
    }

    /// A refusal in the form of this resource.
    pub(crate) fn refusal(&self, reason: Reason) -> Refusal {
        Refusal::new(reason, Some(&self.refusals))
    }

    /// The protection of the `App` or the scope, or of the resource within.
    pub(crate) fn of(request: &HttpRequest) -> Result<&Arc<Protection>, Reason> {
        let protection = request.app_data::<Arc<Protection>>().map(|protection| protection.at(request));
        protection.ok_or_else(|| no_service(request, "a guarded handler has no OAuthService and no ResourceServer"))
    }
}

/// Tells what a request lacks in its `App`, and the cure.
pub(crate) fn no_service(request: &HttpRequest, what: &str) -> Reason {
    let cure = if IS_IN_SCOPE.load(Ordering::Relaxed) { IN_SCOPE } else { "add .configure(oauth.routes()) to the App" };
    tracing::error!(target: "oauth", path = request.path(), "{what}: {cure}");
    Reason::NoService
}

/// Tells that the server's routes were given to a scope, now and when they are missed.
pub(crate) fn tell_of_scope(issuer: &str) {
    IS_IN_SCOPE.store(true, Ordering::Relaxed);
    tracing::error!(target: "oauth", issuer, "{IN_SCOPE}");
}

const IN_SCOPE: &str =
    "oauth.routes() was given to a web::scope: give it to App::configure, and put the path into .issuer(..)";
/// What is outside of that scope cannot see it.
static IS_IN_SCOPE: AtomicBool = AtomicBool::new(false);

impl fmt::Debug for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Protection").field("expected", &self.expected).finish_non_exhaustive()
    }
}
