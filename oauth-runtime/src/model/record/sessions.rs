//! The sessions of a subject: which browsers stay signed in.

use std::collections::HashSet;

use super::parts::{Live, Record};
use crate::model::Timestamp;

impl Record {
    /// Begins a session, or keeps the one of this id for longer. It is over at one time, and all that it gave at
    /// another: until then it is listed, so that it can be ended. If there are too many, one makes room.
    pub(crate) fn begin_session(&mut self, id: &str, over: Timestamp, until: Timestamp, now: Timestamp) {
        self.prune(now);
        if let Some(session) = self.sessions.iter_mut().find(|session| session.id == id) {
            session.used = hour(now);
            session.over = session.over.max(Some(over));
            session.until = session.until.max(until);
            return;
        }
        if self.sessions.len() >= MAX_SESSIONS {
            self.make_room_for_a_session(now);
        }
        let (used, over) = (hour(now), Some(over));
        self.sessions.push(Live { id: id.to_owned(), begun: now, used, over, until, told: Vec::new() });
    }

    /// Ends the least recently used session, if there is one of those that no client has refresh tokens by: an
    /// application may use these for long, while the browser of its sign-in is not used at all.
    fn make_room_for_a_session(&mut self, now: Timestamp) {
        let refreshed: HashSet<&str> = self.grants(now).filter_map(|grant| grant.session.as_deref()).collect();
        let cost = |index: &usize| (refreshed.contains(&*self.sessions[*index].id), self.sessions[*index].used);
        let Some(cheapest) = (0..self.sessions.len()).min_by_key(cost) else { return };
        let id = self.sessions[cheapest].id.clone();
        self.give_up(&id);
        self.remember_made_room(now);
    }

    /// Whether the use of a session is not yet noted for this hour.
    pub(crate) fn is_unnoted(&self, id: &str, now: Timestamp) -> bool {
        self.sessions.iter().any(|session| session.id == id && session.used < hour(now))
    }

    /// Notes that a session is used now.
    pub(crate) fn note_use(&mut self, id: &str, now: Timestamp) {
        self.sessions.iter_mut().filter(|session| session.id == id).for_each(|session| session.used = hour(now));
    }

    pub(crate) fn has_session(&self, id: &str, now: Timestamp) -> bool {
        self.sessions.iter().any(|session| session.id == id && session.until > now)
    }

    /// The sessions of which something may still live, some of them over.
    pub(crate) fn sessions(&self, now: Timestamp) -> impl Iterator<Item = &Live> {
        self.sessions.iter().filter(move |session| session.until > now)
    }

    /// Ends a session, and all that clients got by it.
    pub(crate) fn end_session(&mut self, id: &str, now: Timestamp) {
        self.prune(now);
        self.give_up(id);
        self.remember_ended(id, None, now);
    }

    /// Takes a session out, with what clients got by it; that it ended is to be remembered.
    fn give_up(&mut self, id: &str) {
        self.sessions.retain(|session| session.id != id);
        self.grants.retain(|grant| grant.session.as_deref() != Some(id));
        self.forms_are_over(|form| form.session.as_deref() == Some(id));
    }
}

/// A session that ended, and a client to notify.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EndedFor {
    pub(crate) client: String,
    pub(crate) subject: String,
    pub(crate) session: String,
}

impl Record {
    /// Notes a client to notify when a session ends. `false` if there are too many.
    pub(crate) fn tell_at_end(&mut self, session: &str, client: &str) -> bool {
        let Some(session) = self.sessions.iter_mut().find(|known| known.id == session) else { return true };
        if session.told.iter().any(|told| told == client) {
            return true;
        }
        if session.told.len() >= MAX_TOLD {
            return false;
        }
        session.told.push(client.to_owned());
        true
    }

    /// Whom to notify of sessions that ended between this and a later state of this subject. A session that expired is
    /// not reported.
    pub(crate) fn ended_since<'a>(
        &'a self,
        later: &'a Record,
        subject: &'a str,
        now: Timestamp,
    ) -> impl Iterator<Item = EndedFor> + 'a {
        let ended = self.sessions(now).filter(|session| later.sessions.iter().all(|kept| kept.id != session.id));
        ended.flat_map(move |Live { id, told, .. }| {
            let ended = move |client: &String| EndedFor {
                client: client.clone(),
                subject: subject.to_owned(),
                session: id.clone(),
            };
            told.iter().map(ended)
        })
    }
}

/// The time of a use is kept to the hour: it is for people to read, and not worth a write each time.
pub(super) fn hour(now: Timestamp) -> Timestamp {
    Timestamp::from_seconds(now.seconds() / 3600 * 3600)
}

/// How many sessions a subject may have: browsers, each on a device.
const MAX_SESSIONS: usize = 100;
/// How many clients may be notified when one session ends.
const MAX_TOLD: usize = 16;
