//! Which claims a sign-in gave, by their names: a function that looks the user up again may forget one.

use std::collections::{BTreeSet, HashMap};
use std::hash::BuildHasher as _;
use std::hash::RandomState;

use parking_lot::Mutex;
use serde_json::{Map, Value};

/// The names of the claims that users signed in with recently, in this process.
#[derive(Default)]
pub(crate) struct Given {
    hasher: RandomState,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// By the hash of the subject.
    of_subjects: HashMap<u64, BTreeSet<String>>,
    told: BTreeSet<String>,
}

impl Given {
    /// A sign-in gave these.
    pub(crate) fn note(&self, subject: &str, claims: &Map<String, Value>) {
        let names = claims.keys().filter(|name| name.len() <= LONGEST).take(MOST_NAMES).cloned().collect();
        let subject = self.hasher.hash_one(subject);
        let mut known = self.known.lock();
        // It serves only a warning: what is dropped is learnt again from the next sign-in.
        let is_full = known.of_subjects.len() >= MOST_SUBJECTS && !known.of_subjects.contains_key(&subject);
        let before = is_full.then(|| std::mem::take(&mut known.of_subjects));
        known.of_subjects.insert(subject, names);
        drop(known);
        // Without the lock: it takes a while.
        drop(before);
    }

    /// Warns of claims that the same user's sign-in gave and `reload` does not, once for each name.
    pub(super) fn compare(&self, subject: &str, reloaded: &Map<String, Value>) {
        for name in self.forgotten(subject, reloaded) {
            tracing::warn!(
                target: "oauth",
                claim = name,
                "`reload` does not give the claim `{name}`, which the sign-in of the same user gave: their tokens lose it \
                 at the first refresh; return the same claims in both, or `null` for one that was taken away"
            );
        }
    }

    fn forgotten(&self, subject: &str, reloaded: &Map<String, Value>) -> Vec<String> {
        let mut known = self.known.lock();
        let Known { of_subjects, told } = &mut *known;
        let Some(given) = of_subjects.get(&self.hasher.hash_one(subject)) else { return Vec::new() };
        let missing = given.iter().filter(|name| !reloaded.contains_key(*name));
        let new: Vec<String> = missing.filter(|name| !told.contains(*name)).cloned().collect();
        let room = MOST_TOLD.saturating_sub(told.len());
        let new: Vec<String> = new.into_iter().take(room).collect();
        told.extend(new.iter().cloned());
        new
    }
}

const MOST_SUBJECTS: usize = 1_024;
const MOST_NAMES: usize = 32;
const MOST_TOLD: usize = 256;
const LONGEST: usize = 64;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().cloned().expect("an object")
    }

    #[test]
    fn a_claim_is_missed_once_and_only_of_who_had_it() {
        let given = Given::default();
        given.note("ada", &object(json!({ "role": "admin", "level": 3 })));
        given.note("bob", &object(json!({ "level": 1 })));
        assert!(given.forgotten("bob", &object(json!({ "level": 1 }))).is_empty(), "they never had a role");
        assert!(given.forgotten("eve", &object(json!({}))).is_empty(), "of whom nothing is known");
        assert!(given.forgotten("ada", &object(json!({ "role": null, "level": 1, "more": 1 }))).is_empty());
        assert_eq!(given.forgotten("ada", &object(json!({ "level": 1 }))), ["role"]);
        assert!(given.forgotten("ada", &object(json!({ "level": 1 }))).is_empty(), "it was said");
        assert_eq!(given.forgotten("bob", &object(json!({}))), ["level"]);
    }

    #[test]
    fn what_is_known_is_bounded() {
        let given = Given::default();
        let many: Map<String, Value> = (0..1_000).map(|number| (format!("claim-{number}"), json!(1))).collect();
        for subject in 0..3_000 {
            given.note(&subject.to_string(), &many);
        }
        assert!(given.known.lock().of_subjects.len() <= MOST_SUBJECTS);
        assert_eq!(given.forgotten("2999", &Map::new()).len(), MOST_NAMES);
        given.note("2999", &object(json!({ "x".repeat(LONGEST + 1): 1 })));
        assert!(given.forgotten("2999", &Map::new()).is_empty());
    }
}
