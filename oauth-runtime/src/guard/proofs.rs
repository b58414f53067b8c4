//! Proofs of possession: whether they are accepted, by which rules, and which of them were used (RFC 9449).

use std::collections::HashSet;
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header::HeaderName;
use aws_lc_rs::hmac;
use parking_lot::Mutex;

use crate::error::Reason;
use crate::keys::{Nonces, Proof, REMEMBERED};
use crate::model::lifetime::SLOWEST_ANSWER;
use crate::model::proof::{Flaw, NotProven, ShownAt};
use crate::model::resource::Resources;
use crate::model::{Clock, Timestamp};
use crate::standing::{Ledger, Spent};
use crate::store::Key;

/// How proofs are checked at one resource.
pub(crate) struct Proofs {
    /// Scheme, host and port of its URLs: as configured, never as a request has them.
    pub(crate) origin: String,
    /// Whether tokens that are not bound to a key are refused.
    pub(crate) is_required: bool,
    pub(crate) rules: Arc<Rules>,
}

/// What holds for all resources of a service.
pub(crate) struct Rules {
    /// `None` if no nonce is demanded.
    nonces: Option<Nonces>,
    /// Whether each is spent through the store, so that no other process accepts it again.
    pub(crate) is_once: bool,
    /// Resources for which only tokens that are bound to a key are issued.
    pub(crate) required: Resources,
    /// Makes their names, so that a client cannot choose where they are kept.
    names: hmac::Key,
    spent_at_resources: SpentHere,
    /// Separate, since anyone can push requests with proofs, which must take no room from the guards.
    pushed: SpentHere,
    clock: Clock,
}

impl Rules {
    pub(crate) fn new(
        nonces: Option<Nonces>,
        is_once: bool,
        required: Resources,
        names: hmac::Key,
        clock: Clock,
    ) -> Self {
        let (spent_at_resources, pushed) = (SpentHere::default(), SpentHere::default());
        Rules { nonces, is_once, required, names, spent_at_resources, pushed, clock }
    }

    /// Checks that a proof has a nonce of this server, if nonces are demanded (RFC 9449 §8, §9).
    pub(crate) fn check_nonce(&self, proof: &Proof, at: ShownAt) -> Result<(), Reason> {
        let Some(nonces) = &self.nonces else { return Ok(()) };
        let is_good = proof.nonce.as_ref().is_some_and(|nonce| nonces.is_good(nonce, self.clock.now()));
        if is_good { Ok(()) } else { Err(Reason::ProofNonce(at)) }
    }

    /// The nonce for the next proof; `None` if none is demanded.
    pub(crate) fn nonce(&self) -> Option<String> {
        self.nonces.as_ref().map(|nonces| nonces.current(self.clock.now()))
    }

    /// Spends a proof in this process (RFC 9449 §11.1).
    pub(crate) fn spend_here(&self, proof: &Proof, at: ShownAt) -> Result<(), Reason> {
        self.spent_here(at).spend(self.name_of(proof), self.clock.now(), at)
    }

    fn spent_here(&self, at: ShownAt) -> &SpentHere {
        match at {
            ShownAt::Resource => &self.spent_at_resources,
            ShownAt::Server => &self.pushed,
        }
    }

    /// Spends a proof through the store, for all processes.
    pub(crate) async fn spend(&self, ledger: &Ledger, proof: &Proof, at: ShownAt) -> Result<(), Reason> {
        // The clock of another process may be behind, or become so with another store, which accepts it a moment longer.
        let keep = proof.until.since(self.clock.now()) + ledger.slack() + SLOWEST_ANSWER;
        match ledger.spend_now(self.name_of(proof), keep).await? {
            Spent::First => Ok(()),
            // If the memory was lost meanwhile, so were the tokens that come with proofs.
            Spent::Already | Spent::Forgotten => Err(refused(Flaw::Replayed, at)),
        }
    }

    /// The name under which a proof is kept. Otherwise the maker of proofs could choose their place in the store, and
    /// fill the part with a user's record.
    fn name_of(&self, proof: &Proof) -> Key {
        let name = hmac::sign(&self.names, proof.id.as_bytes());
        // HMAC-SHA-256 has as many bytes as a key.
        name.as_ref().try_into().map_or(proof.id, Key::from_bytes)
    }
}

/// The proof of a request, not verified yet; `None` without such a header.
pub(crate) fn header(request: &HttpRequest) -> Result<Option<&str>, Flaw> {
    let mut headers = request.headers().get_all(DPOP);
    match (headers.next(), headers.next()) {
        (None, _) => Ok(None),
        (Some(proof), None) => proof.to_str().map(Some).map_err(|_| Flaw::Malformed),
        // RFC 9449 §4.3, 1
        (Some(_), Some(_)) => Err(Flaw::Several),
    }
}

pub(crate) fn refused(flaw: Flaw, at: ShownAt) -> Reason {
    Reason::ProofRefused(NotProven { flaw, at })
}

/// The algorithms of proofs, as metadata and challenges name them. `Ed25519` is the newer name of `EdDSA` (RFC 9864
/// §2.2).
pub(crate) const ALGORITHMS: [&str; 4] = ["ES256", "EdDSA", "Ed25519", "RS256"];

const DPOP: HeaderName = HeaderName::from_static("dpop");
pub(crate) const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// The names of the proofs that were used in this process, kept while they could be used again; bounded.
struct SpentHere(Box<[Mutex<Generations>]>);

/// The names of this generation, and of the one before: older proofs have expired.
#[derive(Default)]
struct Generations {
    number: u64,
    current: HashSet<Key>,
    before: HashSet<Key>,
}

impl SpentHere {
    fn spend(&self, id: Key, now: Timestamp, at: ShownAt) -> Result<(), Reason> {
        // A number below that of the parts.
        let [first, ..] = id.as_bytes();
        let Some(part) = self.0.get(usize::from(*first) % PARTS) else { return Err(Reason::Internal) };
        part.lock().spend(id, now.seconds() / REMEMBERED.as_secs(), at)
    }
}

impl Generations {
    fn spend(&mut self, id: Key, number: u64, at: ShownAt) -> Result<(), Reason> {
        // A clock that went back with its store's stays in the generation that it was in.
        if number > self.number {
            self.before = std::mem::take(&mut self.current);
            if number > self.number + 1 {
                self.before.clear();
            }
            self.number = number;
        }
        if self.before.contains(&id) || self.current.contains(&id) {
            return Err(refused(Flaw::Replayed, at));
        }
        // Closed when full: used proofs are not forgotten to make room for new ones.
        if self.current.len() >= MOST {
            return Err(Reason::TooManyProofs);
        }
        self.current.insert(id);
        Ok(())
    }
}

impl Default for SpentHere {
    fn default() -> Self {
        SpentHere((0..PARTS).map(|_| Mutex::default()).collect())
    }
}

/// Several, so that threads seldom wait for each other.
const PARTS: usize = 16;
/// How many a part holds in a generation: in each of the two tables about 7,000 a second, in at most 80 MB.
const MOST: usize = 1 << 15;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::proof::Thumbprint;

    fn id(number: usize) -> Key {
        Key::named(&number.to_string())
    }

    #[test]
    fn c52_what_was_used_is_remembered_while_it_could_be_used_again() {
        let spent = SpentHere::default();
        let start = 1_000 * REMEMBERED.as_secs();
        let spend = |number, at: u64| spent.spend(id(number), Timestamp::from_seconds(start + at), ShownAt::Resource);
        let replayed = Err(refused(Flaw::Replayed, ShownAt::Resource));
        assert_eq!(spend(0, 0), Ok(()));
        assert_eq!(spend(1, REMEMBERED.as_secs() - 1), Ok(()));
        for (number, at) in [(0, 1), (0, REMEMBERED.as_secs()), (1, 2 * REMEMBERED.as_secs() - 2)] {
            assert_eq!(spend(number, at), replayed, "{number} {at}");
        }
        assert_eq!(spend(0, 2 * REMEMBERED.as_secs()), Ok(()), "too old by then to be used");
        assert_eq!(spend(0, 9 * REMEMBERED.as_secs()), Ok(()));
        assert!(spent.0.iter().any(|part| part.lock().number > 0 && part.lock().before.is_empty()));
    }

    #[test]
    fn c47_what_is_full_refuses_what_comes_and_forgets_nothing() {
        let mut part = Generations::default();
        let mut numbers = 0..;
        let spend = |part: &mut Generations, number, generation| part.spend(id(number), generation, ShownAt::Resource);
        while spend(&mut part, numbers.next().expect("endless"), 7).is_ok() {}
        assert_eq!((part.current.len(), numbers.start), (MOST, MOST + 1));
        assert_eq!(spend(&mut part, MOST, 7), Err(Reason::TooManyProofs));
        assert_eq!(spend(&mut part, 0, 7), Err(refused(Flaw::Replayed, ShownAt::Resource)));
        assert_eq!(spend(&mut part, MOST, 8), Ok(()), "there is room again");
        assert_eq!(spend(&mut part, 0, 8), Err(refused(Flaw::Replayed, ShownAt::Resource)));
    }

    #[test]
    fn c47_what_is_pushed_takes_no_room_from_the_guards_and_theirs_none_from_it() {
        let names = hmac::Key::new(hmac::HMAC_SHA256, b"names");
        let rules = Rules::new(None, false, Resources::default(), names, Clock::by_hand());
        let number = rules.clock.now().seconds() / REMEMBERED.as_secs();
        let proof = Proof { key: Thumbprint::of([0; 32]), nonce: None, id: id(0), until: rules.clock.now() };
        let place = usize::from(rules.name_of(&proof).as_bytes()[0]) % PARTS;
        let fill = |at| {
            let mut part = rules.spent_here(at).0[place].lock();
            (1..).find(|next| part.spend(id(*next), number, at).is_err()).map(|next| next - 1)
        };
        assert_eq!(fill(ShownAt::Server), Some(MOST));
        assert_eq!(rules.spend_here(&proof, ShownAt::Server), Err(Reason::TooManyProofs));
        assert_eq!(rules.spend_here(&proof, ShownAt::Resource), Ok(()));
        let rules = Rules { pushed: SpentHere::default(), ..rules };
        let mut part = rules.spent_here(ShownAt::Resource).0[place].lock();
        assert_eq!((1..).find(|next| part.spend(id(*next), number, ShownAt::Resource).is_err()), Some(MOST));
        drop(part);
        assert_eq!(rules.spend_here(&proof, ShownAt::Server), Ok(()));
    }

    #[test]
    fn c47_who_makes_a_proof_does_not_choose_where_it_is_kept() {
        let rules = |secret: &[u8]| {
            let names = hmac::Key::new(hmac::HMAC_SHA256, secret);
            Rules::new(None, false, Resources::default(), names, Clock::system())
        };
        let proof = |id| Proof { key: Thumbprint::of([0; 32]), nonce: None, id, until: Timestamp::from_seconds(0) };
        let (one, other) = (rules(b"one"), rules(b"other"));
        let (first, second) = (proof(id(1)), proof(id(2)));
        assert_eq!(one.name_of(&first), one.name_of(&first));
        assert_ne!(one.name_of(&first), one.name_of(&second));
        assert_ne!(one.name_of(&first), other.name_of(&first), "it takes the secret to know");
        assert_ne!(one.name_of(&first), first.id);
    }
}
