//! Tokens that were verified already, so that a token that comes again costs a look-up and no cryptography.
//!
//! The whole token is the key, so no other token is ever mistaken for it. Only verified tokens are kept, and what can
//! change about a token (expiry, revocation, the keys) is decided on every use.

use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::mem::size_of;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{Equivalent, Weighter};
use serde_json::{Map, Value};

use crate::guard::near::{self, Known, Of};
use crate::keys::Verified;
use crate::model::sealed_claims::Hidden;

/// Verified tokens within a bound in bytes.
pub(crate) struct TokenCache {
    /// Unique among all caches that this process ever had.
    id: u64,
    /// Shared by all threads; `None` keeps none.
    shared: Option<Cache<Token, Kept, Bytes, BuildHasherDefault<Fold>>>,
}

#[derive(PartialEq, Eq)]
struct Token(Box<[u8]>);

/// A token that came with a request.
struct Presented<'a>(&'a [u8]);

/// The end of a token is a part of its signature, which no one can choose and which looks random, so there is little to
/// hash. Two tokens are compared as a whole.
fn hash_end<H: Hasher>(token: &[u8], state: &mut H) {
    let [.., a, b, c, d, e, f, g, h, _] = *token else { return };
    state.write_u64(u64::from_ne_bytes([a, b, c, d, e, f, g, h]));
}

fn hash_of(token: &[u8]) -> u64 {
    let mut hash = Fold::default();
    hash_end(token, &mut hash);
    hash.finish()
}

/// Spreads eight letters over all bits.
#[derive(Default)]
struct Fold(u64);

impl Hasher for Fold {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word) * 0x9E37_79B9_7F4A_7C15;
        self.0 = (product >> 64) as u64 ^ product as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Hash for Token {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_end(&self.0, state);
    }
}

impl Hash for Presented<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_end(self.0, state);
    }
}

impl Equivalent<Token> for Presented<'_> {
    fn equivalent(&self, token: &Token) -> bool {
        // The table compares seven bits of the hash. A caller who does not have the end of a signature learns nothing
        // about the rest from how long this takes.
        self.0.last_chunk::<9>() == token.0.last_chunk::<9>() && *self.0 == *token.0
    }
}

#[derive(Clone)]
struct Kept {
    verified: Arc<Verified>,
    /// The generation of the keys when it was verified.
    generation: u64,
    bytes: u64,
}

#[derive(Clone)]
struct Bytes;

impl Weighter<Token, Kept> for Bytes {
    fn weight(&self, Token(token): &Token, kept: &Kept) -> u64 {
        token.len() as u64 + kept.bytes
    }
}

impl TokenCache {
    /// Keeps at most this many bytes; none of them is 0.
    pub(crate) fn new(bytes: usize) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let shared = || {
            let items = bytes / ORDINARY_BYTES;
            Cache::with(items, bytes as u64, Bytes, BuildHasherDefault::default(), DefaultLifecycle::default())
        };
        TokenCache { id: NEXT.fetch_add(1, Ordering::Relaxed), shared: (bytes > 0).then(shared) }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.shared.is_some()
    }

    /// The verified token, unless a key was retired since: then the keys have another generation.
    pub(crate) fn get(&self, token: &[u8], generation: u64) -> Option<Arc<Verified>> {
        self.kept(token, generation).map(|kept| kept.verified)
    }

    /// The same at a guard, which looks first at what this thread keeps.
    pub(crate) fn get_near(&self, token: &[u8], generation: u64) -> Option<Known> {
        if !self.is_on() {
            return None;
        }
        let (of, hash) = (Of { cache: self.id, generation }, hash_of(token));
        if let Some(near) = near::get(of, token, hash) {
            return Some(Known::Near(near));
        }
        let kept = self.kept(token, generation)?;
        if kept.bytes > ORDINARY_BYTES as u64 {
            return Some(Known::Shared(kept.verified));
        }
        Some(near::note(of, token, hash, kept.verified))
    }

    fn kept(&self, token: &[u8], generation: u64) -> Option<Kept> {
        let cache = self.shared.as_ref()?;
        let kept = cache.get(&Presented(token))?;
        if kept.generation != generation {
            cache.remove(&Presented(token));
            return None;
        }
        Some(kept)
    }

    /// Keeps a token that was verified by the keys of this generation, read before they were asked.
    pub(crate) fn keep(&self, token: &[u8], verified: &Arc<Verified>, generation: u64) {
        if let Some(cache) = &self.shared {
            let bytes =
                (OVERHEAD + heap_of_map(&verified.others) + heap_of_hidden(&verified.hidden) + token.len()) as u64;
            cache.insert(Token(token.into()), Kept { verified: Arc::clone(verified), generation, bytes });
        }
    }

    /// Makes room: it will not become valid again.
    pub(crate) fn forget(&self, token: &[u8]) {
        if let Some(cache) = &self.shared {
            near::forget(token, hash_of(token));
            cache.remove(&Presented(token));
        }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.shared.as_ref().map_or(0, Cache::len)
    }
}

/// How many bytes an ordinary token takes, to guess how many there will be.
const ORDINARY_BYTES: usize = 4096;

/// What an entry takes beside the token: the typed claims, which repeat a part of it, the cache's own book-keeping, and
/// what the allocator adds.
const OVERHEAD: usize = size_of::<Verified>() + size_of::<Kept>() + 512;

/// About how many bytes a map takes beside itself. A node of the tree has room for eleven entries, half of it unused.
fn heap_of_map(map: &Map<String, Value>) -> usize {
    map.iter().map(|(name, value)| 2 * size_of::<(String, Value)>() + name.capacity() + heap_of(value)).sum()
}

fn heap_of_hidden(hidden: &Hidden) -> usize {
    match hidden {
        Hidden::Nothing | Hidden::Grant => 0,
        Hidden::AllBut(readable) => readable.iter().map(|name| 2 * size_of::<String>() + name.capacity()).sum(),
    }
}

fn heap_of(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.capacity(),
        Value::Array(items) => items.iter().map(|item| size_of::<Value>() + heap_of(item)).sum(),
        Value::Object(map) => heap_of_map(map),
    }
}

#[cfg(test)]
mod tests {
    use crate::keys::KeyRing;
    use serde_json::json;

    use super::*;
    use crate::keys::sealed::Opener;
    use crate::keys::{DerivedKeys, Expected, Keys, SigningKey};
    use crate::model::secret::{Secret, Secrets};
    use crate::model::{Clock, Timestamp};
    use crate::seal::Sealer;

    fn ring() -> KeyRing {
        let secrets = Secrets::new(Secret::from("secret"), []);
        let keys = DerivedKeys::new(&secrets, "a", false, Clock::system()).expect("keys derive from any secret");
        KeyRing::Derived(keys)
    }

    fn token(keys: &KeyRing, id: usize) -> (String, Arc<Verified>) {
        let claims = json!({
            "iss": "a", "aud": "a", "sub": "alice", "client_id": "spa", "iat": 900, "exp": 1100, "jti": id.to_string()
        });
        let token = keys.sign(claims.as_object().expect("an object")).expect("signs");
        let verified = verified(keys, &token);
        (token, verified)
    }

    fn verified(keys: &KeyRing, token: &str) -> Arc<Verified> {
        let expected = Expected::own("a", "a");
        let sealer = Sealer::new(&Secrets::new(Secret::from("secret"), []), "a").expect("keys derive from any secret");
        let opener = Opener::new(&Arc::new(sealer));
        Arc::new(keys.verify(token, &opener, &expected, Timestamp::from_seconds(1_000)).expect("good"))
    }

    #[test]
    fn only_the_very_same_token_is_found() {
        let (keys, cache) = (ring(), TokenCache::new(1 << 20));
        let (token, verified) = token(&keys, 1);
        cache.keep(token.as_bytes(), &verified, keys.generation());
        assert!(cache.get(token.as_bytes(), keys.generation()).is_some_and(|found| Arc::ptr_eq(&found, &verified)));
        for end in [token.len() - 1, 0] {
            assert!(cache.get(&token.as_bytes()[..end], keys.generation()).is_none());
        }
        let mut other = token.into_bytes();
        *other.last_mut().expect("a byte") ^= 1;
        assert!(cache.get(&other, keys.generation()).is_none());
    }

    #[test]
    fn a_retired_key_empties_it() {
        let own = Keys::generate().expect("a key");
        let (keys, cache) = (KeyRing::Own(own.clone()), TokenCache::new(1 << 20));
        let (token, verified) = token(&keys, 1);
        let before = keys.generation();
        cache.keep(token.as_bytes(), &verified, before);
        let (first, next) = (own.signs_with(), SigningKey::generate().expect("a key"));
        let next = own.add(next).expect("another");
        own.promote(&next).expect("it is there");
        assert!(cache.get(token.as_bytes(), keys.generation()).is_some());
        own.retire(&first).expect("it does not sign");
        assert!(cache.get(token.as_bytes(), keys.generation()).is_none());
        assert_eq!(cache.len(), 0);
        // Verified before the key was retired, kept after it: still not valid.
        cache.keep(token.as_bytes(), &verified, before);
        assert!(cache.get(token.as_bytes(), keys.generation()).is_none());
    }

    fn is_near(found: Option<Known>) -> Option<bool> {
        found.map(|known| matches!(known, Known::Near(_)))
    }

    #[test]
    fn a_thread_keeps_what_comes_to_it_again_and_no_other_service_finds_it() {
        let (keys, cache, other) = (ring(), TokenCache::new(1 << 20), TokenCache::new(1 << 20));
        let (token, verified) = token(&keys, 1);
        let token = token.as_bytes();
        let get = || is_near(cache.get_near(token, 0));
        assert_eq!(get(), None);
        cache.keep(token, &verified, 0);
        assert_eq!([get(), get(), get()], [Some(false), Some(true), Some(true)]);
        let known = cache.get_near(token, 0).expect("it is kept");
        assert!(Arc::ptr_eq(&known.into_shared(), &verified));
        // The very same token, at this service, by keys that still are.
        assert!(cache.get_near(&token[1..], 0).is_none());
        assert!(other.get_near(token, 0).is_none());
        assert!(TokenCache::new(1 << 20).get_near(token, 0).is_none());
        std::thread::scope(|scope| {
            scope.spawn(|| assert_eq!([get(), get()], [Some(false), Some(true)], "another thread"));
        });
        assert!(cache.get_near(token, 1).is_none(), "a key was retired");
        cache.keep(token, &verified, 1);
        assert_eq!(is_near(cache.get_near(token, 1)), Some(false), "what is here is of the keys before");
        cache.forget(token);
        assert!(cache.get_near(token, 1).is_none() && cache.get_near(token, 0).is_none());
    }

    #[test]
    fn what_is_large_is_kept_once_for_all_threads() {
        let (keys, cache) = (ring(), TokenCache::new(1 << 20));
        let claims = json!({
            "iss": "a", "aud": "a", "sub": "alice", "client_id": "spa", "iat": 900, "exp": 1100, "jti": "1",
            "all": "x".repeat(ORDINARY_BYTES)
        });
        let token = keys.sign(claims.as_object().expect("an object")).expect("signs");
        cache.keep(token.as_bytes(), &verified(&keys, &token), 0);
        for _ in 0..3 {
            assert_eq!(is_near(cache.get_near(token.as_bytes(), 0)), Some(false));
        }
    }

    #[test]
    fn it_is_bounded_in_bytes_and_can_be_off() {
        let keys = ring();
        let bytes = 256 * 1024;
        let (cache, off) = (TokenCache::new(bytes), TokenCache::new(0));
        for id in 0..2_000 {
            let (token, verified) = token(&keys, id);
            cache.keep(token.as_bytes(), &verified, keys.generation());
            off.keep(token.as_bytes(), &verified, keys.generation());
        }
        let kept = cache.shared.as_ref().expect("on");
        assert!(kept.weight() <= bytes as u64, "{}", kept.weight());
        assert!((50..300).contains(&cache.len()), "{}", cache.len());
        assert_eq!(off.len(), 0);
        // Room for none of them, and so none is kept.
        for bytes in [1, 100, 4_096] {
            let cache = TokenCache::new(bytes);
            let (token, verified) = token(&keys, 1);
            cache.keep(token.as_bytes(), &verified, keys.generation());
            cache.forget(token.as_bytes());
            assert!(cache.get(token.as_bytes(), keys.generation()).is_none());
        }
    }
}
