//! The author's own signing keys, and how they follow one another.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::RwLock;
use serde_json::Value;

use crate::keys::jwt::Parts;
use crate::keys::signing_key::{KeyError, SigningKey};
use crate::model::jwk::Algorithm;
use crate::model::lifetime::LONGEST_ACCESS_TOKEN;
use crate::model::{Clock, Timestamp};

/// The signing keys of a service, for [`Builder::keys`](crate::Builder::keys): one signs, all of them verify and are
/// published at `/.well-known/jwks.json`.
///
/// It is a handle: keep a clone, and change the keys while the service runs.
///
/// ```
/// use oauth_runtime::{Keys, SigningKey};
///
/// # fn main() -> Result<(), oauth_runtime::KeyError> {
/// let keys = Keys::new(SigningKey::generate()?);
/// let first = keys.signs_with();
///
/// // Published now. Others may keep the old list for 5 minutes, so wait that long before it signs.
/// let next = keys.add(SigningKey::generate()?)?;
/// assert_eq!(keys.signs_with(), first);
///
/// // The first goes on verifying for a day, the longest life of a token, and then disappears.
/// keys.promote(&next)?;
/// assert_eq!(keys.signs_with(), next);
/// assert_eq!(keys.ids(), [first, next]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Keys(Arc<Shared>);

struct Shared {
    state: RwLock<State>,
    generation: AtomicU64,
}

struct State {
    keys: Vec<Held>,
    signs: Arc<SigningKey>,
    /// One key for each other algorithm, which signs the ID tokens of clients that ask for it.
    also: Vec<Arc<SigningKey>>,
    clock: Clock,
}

struct Held {
    key: Arc<SigningKey>,
    /// When it was replaced: it verifies for as long after that as a token can live.
    replaced: Option<Timestamp>,
}

impl Keys {
    /// One key, which signs.
    #[must_use]
    pub fn new(key: SigningKey) -> Self {
        let signs = Arc::new(key);
        let keys = vec![Held { key: Arc::clone(&signs), replaced: None }];
        let state = RwLock::new(State { keys, signs, also: Vec::new(), clock: Clock::system() });
        Keys(Arc::new(Shared { state, generation: AtomicU64::new(0) }))
    }

    /// Adds a key of another algorithm, which signs the ID tokens of clients that ask for it with
    /// [`Client::id_token_algorithm`](crate::Client::id_token_algorithm). The first key signs everything else.
    ///
    /// # Errors
    /// If a key of its algorithm signs already.
    pub fn also(self, key: SigningKey) -> Result<Self, KeyError> {
        let mut state = self.0.state.write();
        if state.signing().any(|signs| signs.header.alg == key.header.alg) {
            return Err(KeyError::SameAlgorithm { id: key.id().to_owned() });
        }
        let key = Arc::new(key);
        state.keys.push(Held { key: Arc::clone(&key), replaced: None });
        state.also.push(key);
        drop(state);
        Ok(self)
    }

    /// A new key for ES256, for development: it ends with this process, and with it every token. The log warns of it.
    ///
    /// # Errors
    /// If the cryptographic library fails.
    pub fn generate() -> Result<Self, KeyError> {
        tracing::warn!(
            target: "oauth",
            "the signing key was generated: every token ends with this process; use SigningKey::from_env or from_pem_file"
        );
        SigningKey::generate().map(Keys::new)
    }

    /// Publishes a key, which then verifies but does not sign yet, and returns its id.
    ///
    /// # Errors
    /// If it was added already.
    pub fn add(&self, key: SigningKey) -> Result<String, KeyError> {
        let mut state = self.0.state.write();
        state.drop_past();
        let id = key.id().to_owned();
        if state.keys.iter().any(|held| held.key.id() == id) {
            return Err(KeyError::Twice { id });
        }
        state.keys.push(Held { key: Arc::new(key), replaced: None });
        Ok(id)
    }

    /// Signs with this key from now on, instead of the one of its algorithm, or else of the first.
    ///
    /// # Errors
    /// Where there is no such key.
    pub fn promote(&self, id: &str) -> Result<(), KeyError> {
        let mut state = self.0.state.write();
        state.drop_past();
        let now = state.clock.now();
        let Some(key) = state.keys.iter().find(|held| held.key.id() == id).map(|held| Arc::clone(&held.key)) else {
            return Err(KeyError::Unknown { id: id.to_owned() });
        };
        let State { signs, also, .. } = &mut *state;
        let place = also.iter_mut().find(|signs| signs.header.alg == key.header.alg).unwrap_or(signs);
        let before = std::mem::replace(place, key);
        for held in &mut state.keys {
            if held.key.id() == id {
                held.replaced = None;
            } else if held.key.id() == before.id() {
                held.replaced = Some(now);
            }
        }
        Ok(())
    }

    /// Removes a key at once: what it has signed is refused from now on. For a key that was stolen.
    ///
    /// # Errors
    /// If there is no such key, or if it signs: promote another first.
    pub fn retire(&self, id: &str) -> Result<(), KeyError> {
        let mut state = self.0.state.write();
        if state.signing().any(|key| key.id() == id) {
            return Err(KeyError::Signs { id: id.to_owned() });
        }
        let before = state.keys.len();
        state.keys.retain(|held| held.key.id() != id);
        if state.keys.len() == before {
            return Err(KeyError::Unknown { id: id.to_owned() });
        }
        // After the key is gone: a reader of the new generation verifies without it.
        self.0.generation.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    /// The id of the key that signs.
    #[must_use]
    pub fn signs_with(&self) -> String {
        self.0.state.read().signs.id().to_owned()
    }

    /// The ids of all keys that verify, in the order in which they were added.
    #[must_use]
    pub fn ids(&self) -> Vec<String> {
        let state = self.0.state.read();
        state.current().map(|held| held.key.id().to_owned()).collect()
    }

    pub(crate) fn set_clock(&self, clock: Clock) {
        self.0.state.write().clock = clock;
    }

    pub(crate) fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::SeqCst)
    }

    pub(crate) fn signing(&self) -> Arc<SigningKey> {
        Arc::clone(&self.0.state.read().signs)
    }

    /// The key that signs with this algorithm.
    pub(crate) fn signing_with(&self, algorithm: Algorithm) -> Option<Arc<SigningKey>> {
        let state = self.0.state.read();
        state.signing().find(|key| key.header.alg == algorithm).map(Arc::clone)
    }

    /// The algorithms that sign, beginning with the one for all but some ID tokens.
    pub(crate) fn algorithms(&self) -> Vec<Algorithm> {
        let state = self.0.state.read();
        state.signing().map(|key| key.header.alg).collect()
    }

    /// The key that writes the header of this token.
    pub(crate) fn of_header(&self, parts: &Parts<'_>) -> Option<Arc<SigningKey>> {
        let state = self.0.state.read();
        state.current().find(|held| held.key.header.is_of(parts)).map(|held| Arc::clone(&held.key))
    }

    pub(crate) fn verifying(&self, id: &str) -> Option<Arc<SigningKey>> {
        let state = self.0.state.read();
        state.current().find(|held| held.key.id() == id).map(|held| Arc::clone(&held.key))
    }

    pub(crate) fn published(&self) -> Vec<Value> {
        let state = self.0.state.read();
        state.current().map(|held| held.key.published.clone()).collect()
    }
}

impl State {
    fn signing(&self) -> impl Iterator<Item = &Arc<SigningKey>> {
        std::iter::once(&self.signs).chain(&self.also)
    }

    fn current(&self) -> impl Iterator<Item = &Held> {
        let now = self.clock.now();
        self.keys.iter().filter(move |held| held.verifies(now))
    }

    fn drop_past(&mut self) {
        let now = self.clock.now();
        self.keys.retain(|held| held.verifies(now));
    }
}

impl Held {
    fn verifies(&self, now: Timestamp) -> bool {
        self.replaced.is_none_or(|replaced| now < replaced + KEPT)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("ids", &self.ids()).field("signs_with", &self.signs_with()).finish()
    }
}

/// The longest life of an access token, and a minute for one that is signed while the key changes.
const KEPT: Duration = LONGEST_ACCESS_TOKEN.saturating_add(Duration::from_secs(60));

#[cfg(all(test, feature = "testing"))]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_key_verifies_for_as_long_as_a_token_lives() {
        let clock = Clock::by_hand();
        let keys = Keys::new(SigningKey::generate().expect("a key"));
        keys.set_clock(clock.clone());
        let (first, next) = (keys.signs_with(), keys.add(SigningKey::generate().expect("a key")).expect("new"));
        assert_eq!(keys.promote("other"), Err(KeyError::Unknown { id: "other".to_owned() }));
        assert_eq!(keys.retire(&first), Err(KeyError::Signs { id: first.clone() }));
        keys.promote(&next).expect("it is there");
        clock.advance(KEPT - Duration::from_secs(1));
        assert!(keys.verifying(&first).is_some());
        clock.advance(Duration::from_secs(1));
        assert!(keys.verifying(&first).is_none() && keys.ids() == [next.clone()]);
        // It may come back, as a new one.
        assert_eq!(keys.promote(&first), Err(KeyError::Unknown { id: first }));
        // RFC 8037 appendix A.1
        let twice = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        let next = keys.add(SigningKey::from_jwk(twice).expect("a key")).expect("new");
        let again = SigningKey::from_jwk(twice).expect("a key");
        assert_eq!(keys.add(again), Err(KeyError::Twice { id: next }));
    }
}
