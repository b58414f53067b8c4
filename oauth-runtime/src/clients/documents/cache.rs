//! The known documents, and for how long.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::clients::documents::gate::NotFetched;
use crate::clients::documents::url::{DocumentUrl, Places};
use crate::model::Timestamp;
use crate::model::client::RegisteredClient;
use crate::model::document::Away;
use crate::store::Key;

/// The known documents, by their URLs.
pub(super) struct Cache {
    places: Arc<Places>,
    entries: Mutex<HashMap<String, Arc<Entry>>>,
}

/// What is known about one URL.
pub(super) struct Entry {
    places: Arc<Places>,
    /// Held while it is fetched, so that others wait for the same answer.
    pub(super) asking: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    good: Option<Good>,
    /// Why it could not be fetched, and when.
    refused: Option<(Timestamp, NotFetched)>,
    /// When a grant last used it, and whose.
    used: Option<(Timestamp, Key)>,
}

struct Good {
    client: Arc<RegisteredClient>,
    /// Where it came from: the document, and its keys if they are apart.
    from: Arc<[DocumentUrl]>,
    fetched: Timestamp,
    fresh_until: Timestamp,
}

impl Cache {
    pub(super) fn new(places: Arc<Places>) -> Self {
        Cache { places, entries: Mutex::default() }
    }

    /// The client, if its document is fresh.
    pub(super) fn fresh(&self, id: &str, now: Timestamp) -> Option<Arc<RegisteredClient>> {
        self.of(id)?.client(|good| now < good.fresh_until)
    }

    /// The client as last known, if that is not too long ago.
    pub(super) fn held(&self, id: &str, now: Timestamp) -> Option<Arc<RegisteredClient>> {
        self.of(id)?.client(|good| good.is_held(now))
    }

    /// Notes that a grant of this user used it, unless they have their share of places by then.
    pub(super) fn used(&self, id: &str, subject: &str, now: Timestamp) {
        let Some(entry) = self.of(id) else { return };
        let of = entry.state.lock().in_use_of(now);
        // One that is in use stays in the share of whose grant first used it: places are counted only for another one.
        let of = of.or_else(|| {
            let subject = Key::of_subject(subject);
            (self.places_of(subject, now) < MOST_OF_A_SUBJECT).then_some(subject)
        });
        if let Some(of) = of {
            entry.state.lock().used = Some((now, of));
        }
    }

    /// How many are in use of this user.
    fn places_of(&self, subject: Key, now: Timestamp) -> usize {
        let entries = self.entries.lock();
        entries.values().filter(|entry| entry.state.lock().in_use_of(now) == Some(subject)).count()
    }

    fn of(&self, id: &str) -> Option<Arc<Entry>> {
        self.entries.lock().get(id).map(Arc::clone)
    }

    /// What is known about this URL, for which room is made.
    pub(super) fn entry(&self, id: &str, now: Timestamp) -> Result<Arc<Entry>, Away> {
        let mut entries = self.entries.lock();
        if let Some(entry) = entries.get(id) {
            return Ok(Arc::clone(entry));
        }
        if entries.len() >= MOST_DOCUMENTS {
            make_room(&mut entries, now)?;
        }
        let places = Arc::clone(&self.places);
        let entry = Arc::new(Entry { places, asking: tokio::sync::Mutex::default(), state: Mutex::default() });
        entries.insert(id.to_owned(), Arc::clone(&entry));
        Ok(entry)
    }
}

/// Removes useless entries, or else the oldest that no grant uses.
fn make_room(entries: &mut HashMap<String, Arc<Entry>>, now: Timestamp) -> Result<(), Away> {
    let is_asked_for = |entry: &Arc<Entry>| Arc::strong_count(entry) > 1;
    entries.retain(|_, entry| is_asked_for(entry) || entry.state.lock().is_of_use(now));
    if entries.len() < MOST_DOCUMENTS {
        return Ok(());
    }
    let idle = entries.iter().filter(|(_, entry)| !is_asked_for(entry) && entry.state.lock().in_use_of(now).is_none());
    let first = idle.min_by_key(|(_, entry)| entry.state.lock().good.as_ref().map(|good| good.fetched));
    let id = first.map(|(id, _)| id.clone()).ok_or(Away::Full)?;
    entries.remove(&id);
    Ok(())
}

impl Entry {
    /// What is known without asking: a fresh document, or a recent refusal.
    pub(super) fn known(&self, now: Timestamp) -> Option<Result<Arc<RegisteredClient>, NotFetched>> {
        if let Some(client) = self.client(|good| now < good.fresh_until) {
            return Some(Ok(client));
        }
        let (at, why) = self.state.lock().refused?;
        (now.since(at) < PAUSE).then_some(Err(why))
    }

    /// The client, if its document is as wanted, and the author accepts the hosts that it came from, as of now: each
    /// way to a known document leads through here.
    fn client(&self, is_wanted: impl FnOnce(&Good) -> bool) -> Option<Arc<RegisteredClient>> {
        let (client, from) = {
            let state = self.state.lock();
            let good = state.good.as_ref().filter(|good| is_wanted(good))?;
            (Arc::clone(&good.client), Arc::clone(&good.from))
        };
        // The author's function is called without a lock.
        from.iter().all(|url| self.places.let_in(url)).then_some(client)
    }

    pub(super) fn hold(
        &self,
        client: Arc<RegisteredClient>,
        from: Arc<[DocumentUrl]>,
        fresh: Duration,
        now: Timestamp,
    ) {
        let mut state = self.state.lock();
        state.good = Some(Good { client, from, fetched: now, fresh_until: now + fresh });
        state.refused = None;
    }

    pub(super) fn refuse(&self, why: NotFetched, now: Timestamp) {
        let mut state = self.state.lock();
        if matches!(why, NotFetched::Unfit(unfit) if unfit.withdraws()) {
            state.good = None;
        }
        state.refused = Some((now, why));
    }
}

impl State {
    fn is_of_use(&self, now: Timestamp) -> bool {
        let is_refused = self.refused.is_some_and(|(at, _)| now.since(at) < PAUSE);
        is_refused || self.good.as_ref().is_some_and(|good| good.is_held(now))
    }

    /// Whose grant used it recently.
    fn in_use_of(&self, now: Timestamp) -> Option<Key> {
        self.used.filter(|(used, _)| now.since(*used) < IN_USE).map(|(_, subject)| subject)
    }
}

impl Good {
    fn is_held(&self, now: Timestamp) -> bool {
        now < self.fresh_until + HELD
    }
}

/// How much longer the last good document counts at the token endpoint, while it cannot be fetched.
const HELD: Duration = Duration::from_secs(24 * 3600);
/// The pause after a failure, so that a form that is sent twice asks once.
pub(super) const PAUSE: Duration = Duration::from_secs(5);
/// How long after a grant used it a document counts as in use.
const IN_USE: Duration = Duration::from_secs(6 * 3600);
/// Each has 5 KiB, and as much for keys: at most 10 MiB in total.
const MOST_DOCUMENTS: usize = 1000;
/// How many are kept in use by the grants of one user.
const MOST_OF_A_SUBJECT: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::documents::freshness::SHORTEST;
    use crate::clients::documents::tests::{client, places};
    use crate::model::document::Unfit;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000 + seconds)
    }

    fn fetch(cache: &Cache, id: &str, now: Timestamp) -> Result<(), Away> {
        cache.entry(id, now).map(|entry| entry.hold(client(id), Arc::default(), SHORTEST, now))
    }

    #[test]
    fn the_last_good_document_is_held_for_a_day_unless_it_is_taken_back() {
        let cache = Cache::new(places());
        fetch(&cache, "a", at(0)).expect("there is room");
        assert!(cache.fresh("a", at(59)).is_some() && cache.fresh("a", at(60)).is_none());
        let entry = cache.entry("a", at(60)).expect("it is there");
        for why in [Away::Unreachable.into(), Away::Failing.into(), Unfit::NotJson.into(), Unfit::Address.into()] {
            entry.refuse(why, at(60));
            assert_eq!(entry.known(at(64)).map(|known| known.map(drop)), Some(Err(why)));
            assert!(entry.known(at(65)).is_none(), "it is asked for again");
            assert!(cache.held("a", at(86_459)).is_some() && cache.held("a", at(86_460)).is_none());
        }
        entry.refuse(Unfit::NotThere.into(), at(70));
        assert!(cache.held("a", at(70)).is_none());
    }

    #[test]
    fn room_is_made_by_what_no_grant_uses_and_else_there_is_none() {
        let cache = Cache::new(places());
        for id in 0..MOST_DOCUMENTS {
            fetch(&cache, &id.to_string(), at(id as u64)).expect("there is room");
        }
        let now = at(MOST_DOCUMENTS as u64);
        cache.used("0", "ada", now);
        fetch(&cache, "new", now).expect("one goes");
        let is_there = |id: &str| cache.held(id, now).is_some();
        assert!(is_there("0") && !is_there("1") && is_there("2") && is_there("new"));
        // A refusal gives back the room that it took.
        for id in 0..50 {
            cache.entry(&format!("bad {id}"), now).expect("there is room").refuse(Unfit::NotJson.into(), now);
        }
        assert!(cache.entries.lock().len() <= MOST_DOCUMENTS);
        let later = now + PAUSE;
        let ids: Vec<String> = cache.entries.lock().keys().cloned().collect();
        for (number, id) in ids.into_iter().enumerate() {
            cache.used(&id, &(number / MOST_OF_A_SUBJECT).to_string(), later);
            fetch(&cache, &id, later).expect("it is there");
        }
        assert_eq!(fetch(&cache, "one more", later), Err(Away::Full));
        fetch(&cache, "one more", later + IN_USE).expect("none is in use any more");
    }

    #[test]
    fn c50_one_user_keeps_a_share_of_the_documents_in_use_and_no_more() {
        let cache = Cache::new(places());
        let id = |number: usize| format!("of mallory {number}");
        for number in 0..MOST_DOCUMENTS {
            fetch(&cache, &id(number), at(number as u64)).expect("there is room");
            cache.used(&id(number), "mallory", at(number as u64));
        }
        let now = at(MOST_DOCUMENTS as u64);
        let is_there = |id: &str| cache.held(id, now).is_some();
        for number in 0..MOST_DOCUMENTS / 2 {
            fetch(&cache, &format!("of others {number}"), now).expect("one goes");
        }
        assert!(is_there(&id(0)) && is_there(&id(MOST_OF_A_SUBJECT - 1)), "their share");
        assert!(!is_there(&id(MOST_OF_A_SUBJECT)), "and what is beyond it");
        // What is theirs is used again, and a place that another user has is not taken from them.
        cache.used(&id(0), "mallory", now);
        cache.used("of others 0", "ada", now);
        cache.used("of others 0", "mallory", now);
        assert_eq!(cache.places_of(Key::of_subject("ada"), now), 1);
        let later = now + IN_USE;
        assert_eq!(cache.places_of(Key::of_subject("mallory"), later), 0);
    }
}
