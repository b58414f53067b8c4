//! The keys of an external issuer: fetched when they are needed, trusted for a while, and dropped when it withdraws
//! them.

mod documents;
mod health;
mod shape;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::RwLock;

use crate::error::Reason;
use crate::keys::jwt::{Expected, Jwt};
use crate::keys::remote::documents::{Documents, Unusable};
use crate::keys::verified::Verified;
use crate::model::issuer::Issuer;
use crate::model::jwk::{Algorithm, PublicKey};
use crate::model::{Clock, Timestamp};

#[cfg(fuzzing)]
pub(crate) use documents::fuzz;
pub use health::{IssuerAway, IssuerHealth};
pub(crate) use shape::Shape;

/// The keys of an external issuer, as last published.
pub(crate) struct RemoteKeys {
    documents: Documents,
    algorithms: Vec<Algorithm>,
    shape: Shape,
    /// How long keys that could not be fetched again are trusted.
    max_staleness: Duration,
    clock: Clock,
    state: RwLock<Fetched>,
    /// Held while the issuer is asked.
    asking: tokio::sync::Mutex<Asking>,
    is_refreshing: AtomicBool,
    generation: AtomicU64,
}

struct Fetched {
    keys: Arc<Vec<PublicKey>>,
    /// When the issuer last said so; `None` if it has not yet.
    at: Option<Timestamp>,
    /// Until then the issuer is left alone.
    ask_after: Timestamp,
    /// Set if its last answer was of no use.
    away: Option<Away>,
}

struct Away {
    /// The time of the first such answer in a row.
    since: Timestamp,
    /// What was wrong with the last one.
    why: String,
}

#[derive(Default)]
struct Asking {
    /// How often in a row there was no useful answer.
    failures: u32,
}

impl RemoteKeys {
    /// Without keys until [`RemoteKeys::ask`] finds some.
    pub(crate) fn new(
        issuer: Issuer,
        algorithms: Vec<Algorithm>,
        shape: Shape,
        max_staleness: Duration,
        clock: Clock,
    ) -> Result<Self, DiscoveryError> {
        if max_staleness < MIN_STALENESS {
            return Err(DiscoveryError::MaxStaleness);
        }
        let state = Fetched { keys: Arc::default(), at: None, ask_after: Timestamp::from_seconds(0), away: None };
        Ok(RemoteKeys {
            documents: Documents::of(issuer).map_err(|why| DiscoveryError::HttpClient { why: why.to_string() })?,
            algorithms,
            shape,
            max_staleness,
            clock,
            state: RwLock::new(state),
            asking: tokio::sync::Mutex::default(),
            is_refreshing: AtomicBool::new(false),
            generation: AtomicU64::new(0),
        })
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Verifies an access token (RFC 9068 §4).
    pub(crate) fn verify(&self, token: &str, expected: &Expected, now: Timestamp) -> Result<Verified, Reason> {
        let jwt = Jwt::parse_within(MAX_TOKEN_BYTES, token)?;
        let keys = Arc::clone(&self.state.read().keys);
        let key = self.key_of(&jwt, &keys)?;
        jwt.verify(key.algorithm, |message, signature| key.verifies(message, signature))?;
        let claims = self.shape.claims_of_access_token(&jwt.header, jwt.claims()?, expected)?;
        Verified::parse(claims, expected, now)
    }

    /// Whether the header of this token leads to one of the keys, which would then verify its signature.
    pub(crate) fn asks_a_key(&self, token: &str) -> bool {
        let Ok(jwt) = Jwt::parse_within(MAX_TOKEN_BYTES, token) else { return false };
        self.key_of(&jwt, &self.state.read().keys).is_ok()
    }

    /// The key that a token's header leads to.
    fn key_of<'k>(&self, jwt: &Jwt<'_>, keys: &'k [PublicKey]) -> Result<&'k PublicKey, Reason> {
        let (alg, kid) = (jwt.header.alg, jwt.header.kid.as_deref());
        // RFC 8725 §3.1: only expected algorithms are tried
        let alg = alg.filter(|alg| self.algorithms.contains(alg)).ok_or(Reason::TokenSignature)?;
        let mut candidates = keys.iter().filter(|key| key.algorithm == alg && (kid.is_none() || key.id() == kid));
        match (candidates.next(), candidates.next()) {
            (Some(key), None) => Ok(key),
            // Without a `kid` it is clear only if there is one key.
            (Some(_), Some(_)) => Err(Reason::TokenSignature),
            (None, _) => Err(Reason::KeyUnknown),
        }
    }

    /// Called on every request, even for a token that was verified before, so old keys are noticed here. They remain in
    /// use while new ones are fetched, but no longer than allowed.
    pub(crate) fn generation(self: &Arc<Self>, now: Timestamp) -> Result<u64, Reason> {
        let (at, ask_after) = {
            let state = self.state.read();
            (state.at.ok_or(Reason::IssuerAway)?, state.ask_after)
        };
        let age = now.since(at);
        if age >= self.max_staleness {
            return Err(Reason::IssuerAway);
        }
        if self.is_old(age) && now >= ask_after && !self.is_refreshing.swap(true, Ordering::SeqCst) {
            let refreshing = Refreshing(Arc::clone(self));
            actix_web::rt::spawn(async move { refreshing.0.ask().await });
        }
        Ok(self.generation.load(Ordering::SeqCst))
    }

    /// For a request that cannot be decided with the known keys: all such requests wait for the same answer.
    pub(crate) async fn fetch(self: &Arc<Self>) {
        if self.is_left_alone() {
            return;
        }
        let own = Arc::clone(self);
        // A task of its own, so that a cancelled request does not affect the others that wait.
        let asked = actix_web::rt::spawn(async move { own.ask().await });
        // An error means that the worker ends, and its requests with it.
        let _ = asked.await;
    }

    /// Asks the issuer, unless it was asked a moment ago: made-up key ids cost it next to nothing, and an issuer that
    /// is away is asked less and less often.
    pub(crate) async fn ask(&self) {
        let mut asking = self.asking.lock().await;
        if self.is_left_alone() {
            return;
        }
        let answer = tokio::time::timeout(LONGEST_ANSWER, self.answer()).await;
        match answer.unwrap_or_else(|_| Err(Unusable::Slow { issuer: self.documents.issuer().to_owned() })) {
            Ok(keys) => {
                asking.failures = 0;
                self.hold(keys);
            }
            Err(why) => {
                let pause = FLOOR.min(Duration::from_secs(1 << asking.failures.min(5)));
                asking.failures += 1;
                self.go_without(&why, pause);
            }
        }
    }

    /// Whether keys of this age are fetched again, and used meanwhile.
    fn is_old(&self, age: Duration) -> bool {
        age >= FRESH.min(self.max_staleness / 2)
    }

    fn is_left_alone(&self) -> bool {
        self.clock.now() < self.state.read().ask_after
    }

    /// The keys that are published now, those that can verify a token. Where they are is read anew each time: an issuer
    /// that publishes them elsewhere may leave the old ones where they were.
    async fn answer(&self) -> Result<Vec<PublicKey>, Unusable> {
        let url = self.documents.jwks_uri().await?;
        let keys = self.documents.keys(&url, &self.algorithms).await?;
        // Without keys from the start, the issuer is not ready yet; later, it has withdrawn them.
        if keys.is_empty() && self.state.read().at.is_none() {
            return Err(Unusable::NoKeys { url });
        }
        Ok(keys)
    }

    fn hold(&self, keys: Vec<PublicKey>) {
        if keys.is_empty() {
            tracing::error!(
                target: "oauth",
                issuer = self.documents.issuer(),
                "the issuer publishes no key that can be used any more: all of its tokens are refused"
            );
        }
        let now = self.clock.now();
        let mut state = self.state.write();
        let is_one_gone = !state.keys.iter().all(|before| keys.iter().any(|key| key.is_same(before)));
        *state = Fetched { keys: Arc::new(keys), at: Some(now), ask_after: now + FLOOR, away: None };
        drop(state);
        if is_one_gone {
            // After the key is gone: a reader of the new generation verifies without it.
            self.generation.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn go_without(&self, why: &Unusable, pause: Duration) {
        let now = self.clock.now();
        let at = {
            let mut state = self.state.write();
            state.ask_after = now + pause;
            let since = state.away.as_ref().map_or(now, |away| away.since);
            state.away = Some(Away { since, why: why.to_string() });
            state.at
        };
        let trusted_for = at.map_or(Duration::ZERO, |at| self.max_staleness.saturating_sub(now.since(at)));
        let issuer = self.documents.issuer();
        if trusted_for.is_zero() {
            tracing::error!(target: "oauth", issuer, %why, "there are no keys of the issuer: guards answer 503 until there are");
        } else {
            tracing::warn!(
                target: "oauth",
                issuer,
                %why,
                seconds = trusted_for.as_secs(),
                "the issuer's keys could not be fetched: the last ones are trusted for so many seconds"
            );
        }
    }
}

/// Keys that are being fetched again. Dropping it undoes that mark, even if the worker ends before it has the answer:
/// otherwise no other would ever ask.
struct Refreshing(Arc<RemoteKeys>);

impl Drop for Refreshing {
    fn drop(&mut self) {
        self.0.is_refreshing.store(false, Ordering::SeqCst);
    }
}

/// Why a [`ResourceServer`](crate::ResourceServer) cannot be built, as far as it is known without asking the issuer.
///
/// `Display` and `Debug` print the same text, which says what to change.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoveryError {
    /// [`audience`](crate::ResourceServerBuilder::audience) was not called, or is an empty string.
    #[error(
        "the audience of the tokens is not set: add .audience(\"https://api.example\"), \
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
    /// [`max_staleness`](crate::ResourceServerBuilder::max_staleness) is shorter than a minute.
    #[error("keys have to be trusted for a minute or longer: change .max_staleness(..), or leave it out for an hour")]
    MaxStaleness,
    /// [`dpop`](crate::ResourceServerBuilder::dpop) was not given an origin.
    #[error(
        "proofs are for URLs at {origin:?}, which is not an origin: write scheme and host of this application, as https://api.example"
    )]
    ProofsAt {
        /// The origin as given.
        origin: String,
    },
    /// The HTTP client cannot be made.
    #[error("the HTTP client cannot be made: {why}")]
    HttpClient {
        /// The text of its error.
        why: String,
    },
}

crate::model::debug_as_text!(DiscoveryError);

/// How long keys are used before they are fetched again.
const FRESH: Duration = Duration::from_secs(600);
/// How long the issuer is left alone after it answered; after a failure it is a second, then two, and at most this.
const FLOOR: Duration = Duration::from_secs(30);
/// How long the issuer has for all its documents.
const LONGEST_ANSWER: Duration = Duration::from_secs(10);
const MIN_STALENESS: Duration = Duration::from_secs(60);
/// Issuers put lists of groups into tokens; most proxies refuse longer headers.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::keys::remote::shape::Shape;

    fn keys_of(listener: &std::net::TcpListener) -> RemoteKeys {
        let address = listener.local_addr().expect("it is bound");
        let issuer = format!("http://{address}").parse().expect("an issuer on loopback");
        let shape = Shape { accepted_type: None, without_audience: Vec::new() };
        RemoteKeys::new(issuer, Vec::new(), shape, Duration::from_secs(3600), Clock::system()).expect("keys")
    }

    /// The runtime's time is paused here: it advances when there is nothing else to do.
    #[tokio::test(start_paused = true)]
    async fn a_health_check_waits_for_the_question_of_another_within_bounds() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let keys = keys_of(&listener);
        let _asks = keys.asking.lock().await;
        let begun = tokio::time::Instant::now();
        let health = tokio::time::timeout(Duration::from_secs(300), keys.health()).await.expect("an answer in time");
        assert!(health.is_err(), "there are no keys");
        assert!(begun.elapsed() <= Duration::from_secs(21), "{:?}", begun.elapsed());
    }

    /// With an issuer that accepts the connection and says nothing.
    #[test]
    fn a_worker_that_ends_while_it_asks_leaves_the_keys_to_the_others() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a listener of tokio's");
        let keys = Arc::new(keys_of(&listener));
        let now = keys.clock.now();
        keys.state.write().at = Some(Timestamp::from_seconds(now.seconds() - FRESH.as_secs()));
        for worker in ["the first", "another"] {
            let listener = listener.try_clone().expect("the same listener");
            actix_web::rt::Runtime::new().expect("a runtime of actix's").block_on(async {
                let listener = TcpListener::from_std(listener).expect("in a runtime");
                keys.generation(now).expect("the earlier keys");
                let asked = tokio::time::timeout(Duration::from_secs(300), listener.accept()).await;
                asked.unwrap_or_else(|_| panic!("{worker} does not ask")).expect("a connection");
                assert!(keys.is_refreshing.load(Ordering::SeqCst));
            });
            assert!(!keys.is_refreshing.load(Ordering::SeqCst), "{worker} has ended");
        }
    }
}
